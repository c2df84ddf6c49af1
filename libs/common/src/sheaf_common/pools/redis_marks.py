"""Marks in Redis, by which processes that remember a thing learn that it has changed.

Who wants to remember a thing makes sure of its mark first, then reads the thing where it is
kept, and remembers both. It uses the memory only while Redis shows the same mark. Who changes
the thing commits the change, then removes the mark: from then on no memory that was read before
is used, in any process. A mark is never made twice, so whatever Redis forgets (a restart, an
eviction) costs a read, and nothing is believed for longer.

Where Redis does not answer, nobody uses a memory, and who changes a thing cannot tell the others:
it waits until every memory has ended by itself, after `MAX_REMEMBERED_S`.
"""

import secrets
from collections.abc import Iterator
from itertools import count
from typing import Final

MAX_REMEMBERED_S: Final = 5.0
"""Nobody remembers for longer, counted from before the mark was asked for."""
MARK_FIELD: Final = "mark"
"""The field of a mark's hash; who makes marks may keep more there, which ends with it."""
_IDENTITY_BYTES: Final = 16
_PREFIX_BYTES: Final = 12


def mark_name(sha256: bytes) -> str:
    """Where the mark of a thing is that is known by a hash: one key, so one slot of a cluster."""
    return f"sheaf:mark:1:{sha256[:_IDENTITY_BYTES].hex()}"


class NewMarks(Iterator[str]):
    """Marks for things that have none, each once, of this process alone.

    Their maker adds Redis's time to them: a call may be sent twice.
    """

    def __init__(self) -> None:
        self._prefix = secrets.token_urlsafe(_PREFIX_BYTES)
        self._numbers = count()

    def __next__(self) -> str:
        """The next one."""
        return f"{self._prefix}.{next(self._numbers)}"
