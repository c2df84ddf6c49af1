"""What the operating system grants a process of connections."""

import sys
from typing import Final

import structlog

log = structlog.get_logger()

_SPARE: Final = 256
"""Descriptors for all that is no client's connection: peers, logs, those who wait to be refused."""


def affordable_connections(wanted: int) -> int:
    """How many of the wanted connections there may be: raises the soft limit as far as it goes.

    At least one. Fewer than were wanted is logged.
    """
    if sys.platform == "win32":
        return wanted
    import resource  # noqa: PLC0415 - not to be had on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _SPARE
    if soft != resource.RLIM_INFINITY and soft < needed:
        granted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, granted), hard))
        soft = max(soft, granted)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    affordable = max(1, soft - _SPARE)
    log.warning("fewer connections than configured: RLIMIT_NOFILE is lower",
                wanted=wanted, affordable=affordable)  # fmt: skip
    return affordable
