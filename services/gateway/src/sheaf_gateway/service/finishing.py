"""Work that is finished once begun, whatever becomes of the request that began it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import structlog

log = structlog.get_logger()

_GRACE_S: Final = 8.0

ResultT = TypeVar("ResultT")


class FinishingWork:
    """Runs work that the caller's cancellation does not end."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """The result of `work`, which must bound its own time. Cancelling leaves it running."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # a caller that is gone does not read it

    async def drain(self) -> None:
        """Waits for what is still running, then gives it up and says so."""
        if not self._tasks:
            return
        _, pending = await asyncio.wait(self._tasks, timeout=_GRACE_S)
        for task in pending:
            task.cancel()
        if pending:
            log.error("work was given up at the stop", tasks=len(pending))


@asynccontextmanager
async def finishing_work() -> AsyncIterator[FinishingWork]:
    """On leaving, waits for what has begun."""
    work = FinishingWork()
    try:
        yield work
    finally:
        await work.drain()
