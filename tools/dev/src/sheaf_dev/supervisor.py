"""Runs a stack until it is told to stop or one of its processes ends; one supervisor a stack."""

import asyncio
import contextlib
import signal
from collections.abc import Callable

from sheaf_dev.errors import DevError
from sheaf_dev.stack import Stack

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def run(stack: Stack, up: Callable[[Stack], None]) -> None:
    """Starts the stack, calls `up`, and stops it again at SIGINT, SIGTERM or SIGHUP.

    Raises:
        DevError: if it cannot be started, was interrupted while starting, or a process
            ended by itself. All processes are stopped by then.
    """
    told_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, told_to_stop.set)
    stopping = asyncio.create_task(told_to_stop.wait())
    try:
        if not await _first_of(asyncio.create_task(stack.start()), stopping):
            raise DevError("interrupted while starting; everything is stopped")
        up(stack)
        crashed = asyncio.create_task(stack.crashed())
        if await _first_of(crashed, stopping):
            crash = crashed.result()
            await stack.stop(error=str(crash))
            raise DevError(f"{crash}\nthe rest has been stopped")
    finally:
        stopping.cancel()
        await stack.stop()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


async def _first_of(task: asyncio.Task[object], other: asyncio.Task[object]) -> bool:
    """Waits for either; whether `task` ended. If not it is cancelled and has unwound."""
    await asyncio.wait({task, other}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
        return True
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return False
