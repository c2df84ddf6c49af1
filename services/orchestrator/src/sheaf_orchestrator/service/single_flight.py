"""Work that several ask for at once is done once."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sheaf_common import context
from sheaf_common.context import RequestContext

AnswerT = TypeVar("AnswerT")


@dataclass(slots=True)
class _Flight:
    """Work that runs, and how many wait for it."""

    task: "asyncio.Task[Any]"
    askers: int = 0


class SingleFlight(Generic[AnswerT]):
    """Of each key one at a time. Belongs to one event loop; holds no answer once it is there.

    Work runs as no user and for at most `limit_s`, whatever the time of the one who asked first:
    it belongs to all who wait. When the last of them has left, it is cancelled.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._flights: dict[Hashable, _Flight] = {}

    async def run(self, key: Hashable, work: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
        """What `work`, or that of somebody who asked before and still waits, answers.

        Raises:
            Exception: what the work raised.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.create_task(self._done(key, work)))
        flight.askers += 1
        try:
            answer: AnswerT = await asyncio.shield(flight.task)
            return answer
        finally:
            flight.askers -= 1
            if not flight.askers and not flight.task.done():
                flight.task.cancel()
                self._flights.pop(key, None)

    async def _done(self, key: Hashable, work: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
        first, own = context.current(), asyncio.current_task()
        request_id = context.new_request_id() if first is None else first.request_id
        try:
            with context.bound(
                RequestContext(request_id, deadline=time.monotonic() + self._limit_s)
            ):
                return await work()
        finally:
            flight = self._flights.get(key)
            if flight is not None and flight.task is own:
                del self._flights[key]
