"""A process that ends with the one that started it."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sheaf_common.lifecycle import Lifecycle

_PR_SET_PDEATHSIG: Final = 1
_LOOK_S: Final = 0.5


@asynccontextmanager
async def tied_to(parent_pid: int | None, lifecycle: Lifecycle) -> AsyncIterator[None]:
    """Ties this process's life to its parent's for the block; does nothing if that is None.

    When the parent dies the kernel kills this process: what it works on comes back by its lease,
    as with any lost worker, and nothing competes with what is started in the parent's place.
    The kernel watches the parent's thread that started it, which must live as long. Where the
    kernel cannot do that, this process looks whether it is still its parent's, and stops.

    Raises:
        RuntimeError: the parent is gone already.
    """
    if parent_pid is None:
        yield
        return
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        raise RuntimeError(f"process {parent_pid}, which this one is tied to, is not its parent")
    if sys.platform == "linux":
        yield
        return
    async with lifecycle.background("watch of the parent", _watch(parent_pid)):
        yield


async def _watch(parent_pid: int) -> None:
    while os.getppid() == parent_pid:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(_LOOK_S)
    raise RuntimeError(f"process {parent_pid}, which this one is tied to, is gone")
