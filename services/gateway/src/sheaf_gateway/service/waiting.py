"""Long polls: an answer, the caller's going away, or the service's stop ends one."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from sheaf_gateway import metrics
from sheaf_gateway.service.places import parked

ResultT = TypeVar("ResultT")


class CallerGone(Exception):
    """The client has closed the connection; nobody reads an answer."""


class LongPolls:
    """Bounds how many wait at once. `stopping` returns when the service shall stop."""

    def __init__(self, limit: int, stopping: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._limit = limit
        self._stopping = stopping
        self._waiting = 0
        metrics.LONG_POLLS_LIMIT.set(limit)

    async def wait(
        self,
        ask: Callable[[float], Coroutine[Any, Any, ResultT]],
        wait_s: float,
        caller_gone: Callable[[], Coroutine[Any, Any, None]],
    ) -> ResultT:
        """What `ask` answers when it may wait `wait_s` seconds.

        Asks without waiting when `wait_s` is 0, when as many wait as may, and when the
        service stops meanwhile.

        Raises:
            CallerGone: the client left; the question is cancelled.
        """
        if wait_s <= 0 or self._waiting >= self._limit:
            return await ask(0)
        self._count(1)
        answer = asyncio.ensure_future(ask(wait_s))
        ends = [asyncio.ensure_future(caller_gone()), asyncio.ensure_future(self._stopping())]
        try:
            with parked():
                await _first([answer, *ends])
            if answer.done():
                return answer.result()
            if ends[0].done():
                raise CallerGone
        finally:
            self._count(-1)
            for task in (answer, *ends):
                task.cancel()
        return await ask(0)

    def _count(self, change: int) -> None:
        self._waiting += change
        metrics.LONG_POLLS_WAITING.set(self._waiting)


async def _first(tasks: list[asyncio.Future[Any]]) -> None:
    waiting: Awaitable[Any] = asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await waiting
