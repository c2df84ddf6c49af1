"""How many files of one upload are stored at once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from sheaf_gateway import metrics


class PutSlots:
    """Runs the puts of one upload, at most `bound()` at a time.

    `bound` is asked anew for each put, since it grows with the files seen.
    """

    def __init__(self, bound: Callable[[], int]) -> None:
        self._bound = bound
        self._running: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()
        self._failure: BaseException | None = None
        self.peak = 0

    async def free(self) -> None:
        """Waits until one more may run. Raises the first failure of any put."""
        while len(self._running) >= self._bound() and self._failure is None:
            await self._one_ended()
        self.raise_failure()

    def run(self, put: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs `put` in the place that `free` found."""
        task = asyncio.ensure_future(put)
        self._running.add(task)
        self.peak = max(self.peak, len(self._running))
        metrics.PUTS_IN_FLIGHT.inc()
        task.add_done_callback(self._on_end)
        return task

    async def settle(self) -> None:
        """Waits until all have ended. Raises the first failure, at once."""
        while self._running and self._failure is None:
            await self._one_ended()
        self.raise_failure()

    async def stop(self, patience_s: float) -> None:
        """Lets those that run finish for a moment, then cancels the rest."""
        if not self._running:
            return
        _, late = await asyncio.wait(set(self._running), timeout=patience_s)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    def raise_failure(self) -> None:
        """Raises the first failure of any put, if there was one."""
        if self._failure is not None:
            raise self._failure

    async def _one_ended(self) -> None:
        self._ended.clear()
        await self._ended.wait()

    def _on_end(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        metrics.PUTS_IN_FLIGHT.dec()
        if not task.cancelled() and (failure := task.exception()) is not None:
            self._failure = self._failure or failure
        self._ended.set()
