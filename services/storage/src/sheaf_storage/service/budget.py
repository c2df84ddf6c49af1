"""The bound on the bytes of objects that the process holds at once."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sheaf_common import context
from sheaf_common.errors import OverCapacity

_RETRY_AFTER_S: Final = 1.0


class Reservation:
    """Bytes that were handed out; whoever holds it releases it, once or more often."""

    def __init__(self, budget: "ByteBudget", size_bytes: int) -> None:
        self._budget = budget
        self.size_bytes = size_bytes

    def release(self) -> None:
        """Gives the bytes back."""
        size, self.size_bytes = self.size_bytes, 0
        self._budget.give_back(size)

    def transfer(self) -> "Reservation":
        """Hands the bytes to a new owner; releasing this reservation then does nothing."""
        size, self.size_bytes = self.size_bytes, 0
        return Reservation(self._budget, size)

    @contextmanager
    def released(self) -> Iterator[None]:
        """Gives the bytes back at the end of the block."""
        try:
            yield
        finally:
            self.release()


class ByteBudget:
    """Hands out bytes up to a limit, first come first served, each request in one piece.

    Belongs to one event loop. A request for more than the limit is granted the whole of it,
    so that it runs alone rather than never.
    """

    def __init__(self, limit_bytes: int, wait_s: float) -> None:
        self.limit_bytes = limit_bytes
        self._wait_s = wait_s
        self._held = 0
        self._waiters: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def held_bytes(self) -> int:
        """Bytes that are handed out now."""
        return self._held

    async def reserve(self, size_bytes: int) -> Reservation:
        """Takes that many bytes; waits until they are free.

        Raises:
            OverCapacity: `BUFFER_FULL`, they were not in time.
        """
        size = min(size_bytes, self.limit_bytes)
        if self._waiters or self._held + size > self.limit_bytes:
            await self._wait(size)
        else:
            self._held += size
        return Reservation(self, size)

    def give_back(self, size_bytes: int) -> None:
        """Makes bytes free and wakes those who wait for them; for `Reservation`."""
        self._held -= size_bytes
        self._wake()

    async def _wait(self, size: int) -> None:
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((size, granted))
        try:
            async with asyncio.timeout(context.time_left_s(self._wait_s)):
                await granted
        except TimeoutError:
            self._withdraw(size, granted)
            raise OverCapacity(
                "BUFFER_FULL",
                "too many bytes of objects are on their way",
                evidence={"held_bytes": str(self._held), "limit_bytes": str(self.limit_bytes)},
                retry_after_s=_RETRY_AFTER_S,
            ) from None
        except asyncio.CancelledError:
            self._withdraw(size, granted)
            raise

    def _withdraw(self, size: int, granted: "asyncio.Future[None]") -> None:
        if granted.done() and not granted.cancelled():
            self._held -= size
        else:
            self._waiters.remove((size, granted))
        self._wake()

    def _wake(self) -> None:
        while self._waiters:
            size, granted = self._waiters[0]
            if self._held + size > self.limit_bytes:
                return
            self._waiters.popleft()
            self._held += size
            granted.set_result(None)
