"""Request coalescing: concurrent reads of one key share queries, and stay linearizable.

A reader gets the answer of a query that began after the reader asked, never of one that ran
already: what that one saw may be older than what the reader has just been shown elsewhere.
So of each key at most one query runs and at most one more waits for its end; who asks while
one runs shares the next.

This holds in one process. N processes run at most N queries of a key at a time, and at most
2 N each time that its cached row expires: the first miss, and those who missed while it ran.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast

from sheaf_common import context
from sheaf_common.context import RequestContext
from sheaf_common.errors import DeadlineExceeded
from sheaf_metadata.service.observer import CoalescedKind, Observer

AnswerT = TypeVar("AnswerT")
Query = Callable[[], Awaitable[AnswerT]]


@dataclass(frozen=True, slots=True)
class _Answer(Generic[AnswerT]):
    value: AnswerT


@dataclass(frozen=True, slots=True)
class _Failure:
    error: Exception


@dataclass(slots=True)
class _Flight:
    """One query and how many wait for it; `context` is that of the reader who asked first."""

    query: Query[Any]
    context: Context
    answered: "asyncio.Future[_Answer[Any] | _Failure]"
    readers: int = 0
    task: "asyncio.Task[None] | None" = None


@dataclass(slots=True)
class _Flights:
    """Of one key. Readers join the one that has not begun."""

    running: _Flight | None = None
    next: _Flight | None = None


class Coalescing:
    """Shares queries between concurrent reads.

    A query runs in a task of its own, for at most `limit_s`, whatever becomes of single
    readers; when the last of them has left it is cancelled. It runs in the context of the
    reader who asked first, so that what it logs can be found by a request's id, but as no
    user and under its own time limit: it belongs to all who wait. What a reader may see is
    for the reader to check. Nothing stays behind of a key that nobody reads.
    """

    def __init__(self, observer: Observer, *, limit_s: float) -> None:
        self._observer = observer
        self._limit_s: Final = limit_s
        self._flights: dict[Hashable, _Flights] = {}

    async def read(self, kind: CoalescedKind, key: Hashable, query: Query[AnswerT]) -> AnswerT:
        """What `query`, or another reader's of the same kind and key, answers.

        It begins after this call. `query` must ask nothing that is not in `key`.

        Raises:
            DeadlineExceeded: `READ_TIMEOUT`, the query took longer than its limit.
            Exception: what the query raised, for each reader an error of its own.
        """
        flight = self._join(kind, (kind, key), query)
        flight.readers += 1
        try:
            await asyncio.wait([flight.answered])
        finally:
            flight.readers -= 1
            if not flight.readers and not flight.answered.done():
                self._abandon((kind, key), flight)
        answer = flight.answered.result()
        if isinstance(answer, _Failure):
            raise _copy_of(answer.error) from answer.error
        return cast("AnswerT", answer.value)

    def _join(self, kind: CoalescedKind, key: Hashable, query: Query[Any]) -> _Flight:
        flights = self._flights.setdefault(key, _Flights())
        if flights.next is not None:
            self._observer.coalesced(kind)
            return flights.next
        answered = asyncio.get_running_loop().create_future()
        flights.next = joined = _Flight(query, copy_context(), answered)
        if flights.running is None:
            self._start(key, flights, joined)
        return joined

    def _start(self, key: Hashable, flights: _Flights, flight: _Flight) -> None:
        flight.task = asyncio.get_running_loop().create_task(
            self._run(key, flights, flight), context=flight.context
        )

    async def _run(self, key: Hashable, flights: _Flights, flight: _Flight) -> None:
        flights.next, flights.running = None, flight
        try:
            flight.answered.set_result(await self._ask(flight.query))
        finally:
            flight.answered.cancel()  # of no effect on one that has its answer
            flights.running = None
            if flights.next is None:
                del self._flights[key]
            else:
                self._start(key, flights, flights.next)

    async def _ask(self, query: Query[Any]) -> _Answer[Any] | _Failure:
        first = context.current()
        request_id = context.new_request_id() if first is None else first.request_id
        shared = RequestContext(request_id, deadline=time.monotonic() + self._limit_s)
        try:
            with context.bound(shared):
                async with asyncio.timeout(self._limit_s) as limit:
                    return _Answer(await query())
        except TimeoutError as error:
            if not limit.expired():
                return _Failure(error)
            return _Failure(
                DeadlineExceeded("READ_TIMEOUT", f"the read was not done in {self._limit_s:g} s")
            )
        except Exception as error:  # noqa: BLE001 - every reader is told of it
            return _Failure(error)

    def _abandon(self, key: Hashable, flight: _Flight) -> None:
        """Ends a query that nobody waits for. One that runs makes way when it has unwound."""
        flights = self._flights[key]
        if flight.task is not None:
            flight.task.cancel()
        if flights.next is flight:
            flights.next = None
            if flights.running is None:
                del self._flights[key]


def _copy_of(error: Exception) -> Exception:
    """The same error without its traceback, which every task that raises it would lengthen."""
    own = type(error).__new__(type(error), *error.args)
    own.__dict__.update(error.__dict__)
    return own
