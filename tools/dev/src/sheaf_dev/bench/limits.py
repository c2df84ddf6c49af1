"""What counts as flat, for each process of a stack: the rule of the scenario `soak`.

Our processes must keep nothing of a document that has ended, so they have the strictest limit.
Servers keep something of each by design: rows and index pages in a buffer pool, needles in a map,
histories in a cache. Each of them has a bound of its own, what its heap may grow until it settles,
and a figure for each document. Seen over 10,000 documents, in KiB for each: MariaDB 3, Valkey 1,
Temporal 5, SeaweedFS 19, most of it in its first thousand.
"""

from collections.abc import Mapping
from typing import Final

from sheaf_dev.bench.growth import Kind, Limit

OURS: Final[Mapping[Kind, Limit]] = {
    "memory": Limit(20.0, 0.10, "a service and its subprocesses keep nothing of what has ended"),
    "descriptors": Limit(64.0, 0.10, "pools fill up as they are used, and stay within their size"),
    "threads": Limit(64.0, 0.10, "so do executors"),
}

SERVERS: Final[Mapping[str, Limit]] = {
    "mariadb": Limit(
        32.0,
        0.10,
        "its buffer pool of 256 MiB fills with rows and index pages; 250 MiB for the rest",
        for_each_document=8 / 1024,
        peak=506.0,
    ),
    "valkey": Limit(
        20.0,
        0.10,
        "ended documents are cached for 10 minutes, in at most 256 MB; 50 MiB for the rest",
        for_each_document=4 / 1024,
        peak=306.0,
    ),
    "seaweedfs": Limit(
        160.0,
        0.10,
        "its heap doubles before it is collected; it keeps where each of two objects lies",
        for_each_document=8 / 1024,
        peak=1024.0,
    ),
    "temporal": Limit(
        64.0,
        0.10,
        "its heap doubles before it is collected; it caches histories up to a number of them",
        for_each_document=8 / 1024,
        peak=1024.0,
    ),
}
"""Of memory, by server."""


def limit_of(process: str, kind: Kind) -> Limit | None:
    """What holds for a process; None for what is not judged: a server's descriptors."""
    server = SERVERS.get(process)
    if server is None:
        return OURS[kind]
    return server if kind == "memory" else None
