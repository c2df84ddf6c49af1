"""What a subprocess gives up before it sees a document.

Linux only in part: where a call does not exist or is refused, the rest still holds, and the
mode reached is reported, never assumed.
"""

import ctypes
import os
import resource
import signal
import sys
import time
from typing import Final, Literal, NamedTuple

from sheaf_orchestrator.extraction.limits import Limits

Isolation = Literal["netns", "none"]
Priority = Literal["normal", "low", "normal group"]


class Confinement(NamedTuple):
    """What was reached; ``Hello`` explains the values."""

    isolation: Isolation
    priority: Priority


_AUTOGROUP: Final = "/proc/self/autogroup"
_AUTOGROUP_TRIES: Final = 20
_AUTOGROUP_PAUSE_S: Final = 0.11
"""Without privileges the kernel takes one such change each 100 ms, over all processes."""

_CLONE_NEWUSER: Final = 0x1000_0000
_CLONE_NEWNET: Final = 0x4000_0000
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15
_PR_SET_NO_NEW_PRIVS: Final = 38
_CAPABILITY_VERSION_3: Final = 0x2008_0522


class OrphanedError(Exception):
    """The parent was gone before this process could tie its life to it."""


def confine(limits: Limits, parent_pid: int) -> Confinement:
    """Give up network, privileges, memory, priority and the right to outlive the parent.

    The death signal follows the parent's *thread* that started this process: start
    subprocesses from a thread that lives as long as the pool. Raises OrphanedError.
    """
    os.umask(0o077)
    _set_limits(limits)
    priority = _lower_priority(limits.niceness)
    isolation: Isolation = "none"
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_NAME, b"sheaf-extract", 0, 0, 0)
        isolation = "netns" if _leave_network(libc) else "none"
        # After the namespace: there the kernel counts its processes alone, and before it the
        # number would bound all that the user runs.
        _bound(resource.RLIMIT_NPROC, limits.processes)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _drop_capabilities(libc)
        # Last: a change of credentials, as by a user namespace, would clear it.
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    else:
        _bound(resource.RLIMIT_NPROC, limits.processes)
    if os.getppid() != parent_pid:
        raise OrphanedError
    return Confinement(isolation, priority)


def allow_cpu(limits: Limits, used_s: float) -> None:
    """Let this process use ``limits.cpu_s`` more; then the kernel sends SIGXCPU, which kills."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(used_s) + limits.cpu_s + 1
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _leave_network(libc: ctypes.CDLL) -> bool:
    """Enter an empty network namespace: directly if privileged, else inside a user namespace."""
    return 0 in (libc.unshare(flags) for flags in (_CLONE_NEWNET, _CLONE_NEWUSER | _CLONE_NEWNET))


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """Keep no capability, also as root: neither effective nor permitted nor inheritable."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    libc.capset(ctypes.byref(header), ctypes.byref(nothing))


def _lower_priority(niceness: int) -> Priority:
    """Be nicer, and have the group of this session be so too.

    Where the kernel schedules by sessions (``autogroup``, see sched(7)) niceness counts only
    within one, and each subprocess is alone in its own.
    """
    if not niceness:
        return "normal"
    os.nice(niceness)
    for _ in range(_AUTOGROUP_TRIES):
        try:
            group = os.open(_AUTOGROUP, os.O_WRONLY)
            try:
                os.write(group, str(min(niceness, 19)).encode())
            finally:
                os.close(group)
        except FileNotFoundError:
            return "low"  # not scheduled by sessions
        except BlockingIOError:
            time.sleep(_AUTOGROUP_PAUSE_S)
        except OSError:
            return "normal group"
        else:
            return "low"
    return "normal group"


def _set_limits(limits: Limits) -> None:
    for kind, value in (
        (resource.RLIMIT_AS, limits.address_space_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, limits.file_size_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files),
    ):
        _bound(kind, value)


def _bound(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (bound, bound))
