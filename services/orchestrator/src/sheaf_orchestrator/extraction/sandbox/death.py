"""Why a subprocess ended, from what is left of it."""

import signal
from typing import NamedTuple

from sheaf_orchestrator.extraction.limits import MIB, Limits
from sheaf_orchestrator.extraction.reasons import Reason

_OUT_OF_MEMORY_SIGNALS = frozenset(
    {signal.SIGABRT, signal.SIGTRAP, signal.SIGILL, signal.SIGSEGV, signal.SIGKILL}
)


class Exit(NamedTuple):
    """How a process ended."""

    status: int
    """Exit code, or minus the signal that ended it."""
    peak_rss_bytes: int
    stderr_tail: str
    seen_address_space_bytes: int = 0
    """The most that was seen of it, which may be less than it had at the end."""


def reason_of(exit_: Exit, limits: Limits) -> Reason:
    """The reason when the parent did not kill it.

    An allocation refused inside C++ ends in an abort, and the kernel's own out-of-memory
    killer in SIGKILL; both are told from a plain crash by the memory that was in use.
    """
    if exit_.status == -signal.SIGXCPU:
        return Reason.TIME_LIMIT
    # A container that doubles is refused its third share while it still holds the first.
    share = 3 if exit_.status == -signal.SIGABRT else 2
    grown = (
        exit_.peak_rss_bytes >= min(limits.rss_bytes, limits.address_space_bytes) // share
        or exit_.seen_address_space_bytes >= limits.address_space_bytes * 2 // 3
    )
    if grown and -exit_.status in _OUT_OF_MEMORY_SIGNALS:
        return Reason.MEMORY_LIMIT
    return Reason.CRASHED


def describe(exit_: Exit) -> str:
    """One line of evidence, followed by the tail of standard error."""
    if exit_.status < 0:
        try:
            how = f"ended by {signal.Signals(-exit_.status).name}"
        except ValueError:
            how = f"ended by signal {-exit_.status}"
    else:
        how = f"exited with {exit_.status}"
    line = f"{how}, peak memory {exit_.peak_rss_bytes // MIB} MiB"
    return f"{line}\n{exit_.stderr_tail}" if exit_.stderr_tail else line
