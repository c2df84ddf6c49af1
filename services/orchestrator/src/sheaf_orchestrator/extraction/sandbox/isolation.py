"""What a subprocess gives up before it sees a document.

Linux only in part: where a call does not exist or is refused, the rest still holds, and the
mode reached is reported, never assumed.
"""

import ctypes
import os
import resource
import signal
import sys
from typing import Final, Literal

from sheaf_orchestrator.extraction.limits import Limits

Mode = Literal["netns", "none"]

_CLONE_NEWUSER: Final = 0x1000_0000
_CLONE_NEWNET: Final = 0x4000_0000
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15
_PR_SET_NO_NEW_PRIVS: Final = 38
_CAPABILITY_VERSION_3: Final = 0x2008_0522


class OrphanedError(Exception):
    """The parent was gone before this process could tie its life to it."""


def confine(limits: Limits, parent_pid: int) -> Mode:
    """Give up network, privileges, memory and the right to outlive the parent.

    The death signal follows the parent's *thread* that started this process: start
    subprocesses from a thread that lives as long as the pool. Raises OrphanedError.
    """
    os.umask(0o077)
    _set_limits(limits)
    if limits.niceness:
        os.nice(limits.niceness)
    mode: Mode = "none"
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_NAME, b"sheaf-extract", 0, 0, 0)
        mode = "netns" if _leave_network(libc) else "none"
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _drop_capabilities(libc)
        # Last: a change of credentials, as by a user namespace, would clear it.
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        raise OrphanedError
    return mode


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


def _set_limits(limits: Limits) -> None:
    for kind, value in (
        (resource.RLIMIT_AS, limits.address_space_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, limits.file_size_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_NPROC, limits.processes),
    ):
        _, hard = resource.getrlimit(kind)
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bound, bound))
