"""How the end of a subprocess is read."""

import signal

import pytest

from sheaf_orchestrator.extraction import Limits, Reason
from sheaf_orchestrator.extraction.sandbox.death import Exit, describe, reason_of

MIB = 1024 * 1024
LIMITS = Limits(rss_bytes=1000 * MIB, address_space_bytes=2000 * MIB)


@pytest.mark.parametrize(
    ("status", "peak_mib", "reason"),
    [
        (-signal.SIGXCPU, 30, Reason.TIME_LIMIT),
        (-signal.SIGSEGV, 30, Reason.CRASHED),
        (-signal.SIGABRT, 30, Reason.CRASHED),
        (-signal.SIGABRT, 340, Reason.MEMORY_LIMIT),
        (-signal.SIGABRT, 320, Reason.CRASHED),
        (-signal.SIGTRAP, 340, Reason.CRASHED),
        (-signal.SIGTRAP, 900, Reason.MEMORY_LIMIT),
        (-signal.SIGKILL, 900, Reason.MEMORY_LIMIT),
        (-signal.SIGKILL, 30, Reason.CRASHED),
        (-signal.SIGTERM, 900, Reason.CRASHED),
        (1, 900, Reason.CRASHED),
    ],
)
def test_signal_and_memory_give_the_reason(status: int, peak_mib: int, reason: Reason) -> None:
    """An abort or kill with much memory in use is the memory's; SIGXCPU is the time's."""
    assert reason_of(Exit(status, peak_mib * MIB, ""), LIMITS) is reason


def test_an_address_space_that_is_used_up_is_the_memorys() -> None:
    """What was asked for and never touched counts as well: the kernel refuses it all the same."""
    nearly = Exit(-signal.SIGABRT, 30 * MIB, "", 1400 * MIB)
    assert reason_of(nearly, LIMITS) is Reason.MEMORY_LIMIT
    assert reason_of(nearly._replace(seen_address_space_bytes=900 * MIB), LIMITS) is Reason.CRASHED


@pytest.mark.parametrize(
    ("exit_", "text"),
    [
        (Exit(3, 5 * MIB, ""), "exited with 3, peak memory 5 MiB"),
        (Exit(-11, 5 * MIB, "last words"), "ended by SIGSEGV, peak memory 5 MiB\nlast words"),
        (Exit(-40, 0, ""), "ended by signal 40, peak memory 0 MiB"),
    ],
)
def test_the_evidence_is_readable(exit_: Exit, text: str) -> None:
    """How it ended, how large it was, and its last words."""
    assert describe(exit_) == text
