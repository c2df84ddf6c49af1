"""A bound on the bytes that a process holds at once."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class ByteBudget:
    """Hands out bytes up to a limit, first come first served.

    A request larger than the limit is granted when nothing else is held, so that it runs
    alone rather than never.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._held = 0
        self._waiters: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def held_bytes(self) -> int:
        """Bytes that are handed out now."""
        return self._held

    @asynccontextmanager
    async def hold(self, size_bytes: int) -> AsyncIterator[None]:
        """Holds that many bytes for the block; waits until they are free."""
        size = min(size_bytes, self._limit)
        await self._acquire(size)
        try:
            yield
        finally:
            self._held -= size
            self._wake()

    async def _acquire(self, size: int) -> None:
        if not self._waiters and self._held + size <= self._limit:
            self._held += size
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (size, granted)
        self._waiters.append(entry)
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self._held -= size
            else:
                self._waiters.remove(entry)
            self._wake()
            raise

    def _wake(self) -> None:
        while self._waiters:
            size, granted = self._waiters[0]
            if self._held + size > self._limit:
                return
            self._waiters.popleft()
            self._held += size
            granted.set_result(None)
