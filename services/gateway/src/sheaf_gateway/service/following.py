"""Streams of events: what was before, then what comes, without a gap and nothing twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sheaf_common.errors import NotFound, OverCapacity, SheafError, Unavailable
from sheaf_gateway import metrics
from sheaf_gateway.events import Ending, Event, EventPage, Followed
from sheaf_gateway.ports.events import EventLog
from sheaf_gateway.ports.records import Records
from sheaf_gateway.service.event_hub import EventHub, Listener

_PAGE: Final = 200
"""Each stream may hold as many while its client takes them."""
_CATCH_UPS: Final = 8
_OPEN_S: Final = 10.0
_RETRY_S: Final = 0.5
_FORGOTTEN_AFTER: Final = timedelta(hours=1)
"""Events are kept for longer, and get their positions much sooner: of what ended before that, none
that is not there yet will come."""
_OF_END: Final = frozenset({"status", "finished_at"})


class EventStream:
    """One client's stream. `next` until `ended`."""

    def __init__(
        self, followed: Followed, listener: Listener, hub: EventHub, reader: "_Reader", after: int
    ) -> None:
        self._followed = followed
        self._listener = listener
        self._hub = hub
        self._reader = reader
        self.begun_after = after
        """The position after which it tells all."""
        self._position = after
        """What was handed out, or need not be."""
        self._until = max(listener.start, after)
        """What is to be read from the record before the queue goes on."""
        self._ending = Ending(followed)
        self._over = False

    @property
    def ended(self) -> bool:
        """Whether no event will come any more: it ended, or the service stops."""
        return self._over or self._hub.closed

    @property
    def over(self) -> bool:
        """Whether what is followed has ended: there is no use in coming back."""
        return self._over

    def wake(self) -> None:
        """Makes a waiting `next` return."""
        self._listener.wake()

    async def begin(self, *, resumed: bool) -> Sequence[Event]:
        """The first of what was before; if there is nothing and will be nothing, it is `over`.

        Raises:
            SheafError: as `EventLog` and `Records`.
        """
        if self._followed.kind == "user":
            return await self._page() if resumed else ()
        # With the last that the client has seen: it tells whether more is to come.
        after = self._position
        page = await self._reader.page(self._followed, max(0, after - 1), self._until)
        self._ending.see(page.events)
        fresh = [event for event in page.events if event.position > after]
        self._position = max(after, page.position)
        if not page.more:
            if self._ending.ended is None:
                await self._look_back(after)
            self._over = self._ending.ended is True
        return fresh

    async def next(self, patience_s: float) -> Sequence[Event]:
        """The events that come next; none if there are none within `patience_s`, or it was woken.

        What fails meanwhile is tried again at the next call: it raises nothing of the record's.
        """
        if self._position < self._until:
            return await self._catch_up(patience_s)
        queued = self._taken()
        if not queued and not self._listener.lagging:
            await self._listener.wait(patience_s)
            queued = self._taken()
        if queued:
            self._seen(queued)
        elif self._listener.lagging:
            # From here on all is offered again; what was not is up to the hub's position.
            self._listener.lagging = False
            self._until = self._hub.position
            metrics.EVENT_CATCH_UPS.labels("slow").inc()
        return queued

    def _taken(self) -> list[Event]:
        return [event for event in self._listener.take() if event.position > self._position]

    def _seen(self, events: Sequence[Event]) -> None:
        self._position = events[-1].position
        self._ending.see(events)
        self._over = self._ending.ended is True

    async def _catch_up(self, patience_s: float) -> Sequence[Event]:
        try:
            async with asyncio.timeout(patience_s):
                return await self._page()
        except TimeoutError:
            return ()
        except NotFound:
            self._over = True  # deleted, and its events with it
            return ()
        except SheafError:
            await asyncio.sleep(min(_RETRY_S, patience_s))
            return ()

    async def _page(self) -> Sequence[Event]:
        page = await self._reader.page(self._followed, self._position, self._until)
        self._ending.see(page.events)
        self._position = page.position
        self._over = not page.more and self._ending.ended is True
        return page.events

    async def _look_back(self, after: int) -> None:
        """Finds out whether what the client has seen all of has ended."""
        position, more = 0, True
        while more and position < after:
            page = await self._reader.page(self._followed, position, after)
            self._ending.see(page.events)
            position, more = page.position, page.more
        if self._ending.ended is None:
            self._ending.ended = await self._reader.long_over(self._followed)


class FollowService:
    """Opens streams, at most `limit` at once, and `user_limit` of one user."""

    def __init__(
        self, events: EventLog, records: Records, hub: EventHub, limit: int, user_limit: int
    ) -> None:
        self._reader = _Reader(events, records)
        self._hub = hub
        self._limit = limit
        self._user_limit = user_limit
        self._open: Counter[str] = Counter()
        """By user; those who have none are not in it."""
        metrics.EVENT_STREAMS_LIMIT.set(limit)

    @asynccontextmanager
    async def following(
        self, user: str, followed: Followed, after: int | None
    ) -> AsyncIterator[tuple[EventStream, Sequence[Event]]]:
        """The user's stream after a position, while the block runs, and its first events.

        Without a position a document's and a batch's begin with their first, a user's with what
        comes. If it is `over` and there is no first event, the client has seen all there is.

        Raises:
            NotFound: `DOCUMENT_NOT_FOUND`, `BATCH_NOT_FOUND`.
            OverCapacity: `STREAMS_EXHAUSTED`, `USER_STREAMS_EXHAUSTED`.
            Unavailable: `EVENTS_UNAVAILABLE`.
            SheafError: as `EventLog`.
        """
        self._admit(user)
        self._count(user, 1)
        try:
            async with asyncio.timeout(_OPEN_S) as opening, self._hub.listening(followed) as heard:
                begin_at = heard.start if followed.kind == "user" else 0
                position = begin_at if after is None else after
                stream = EventStream(followed, heard, self._hub, self._reader, position)
                first = await stream.begin(resumed=after is not None)
                if after is not None:
                    metrics.EVENT_CATCH_UPS.labels("resume").inc()
                opening.reschedule(None)
                yield stream, first
        except TimeoutError:
            if not opening.expired():
                raise
            raise Unavailable(
                "EVENTS_UNAVAILABLE", "events cannot be followed now", retry_after_s=2.0
            ) from None
        finally:
            self._count(user, -1)

    def _admit(self, user: str) -> None:
        if self._open[user] >= self._user_limit:
            raise _exhausted("USER_STREAMS_EXHAUSTED", "streams of yours", self._user_limit)
        if self._open.total() >= self._limit:
            raise _exhausted("STREAMS_EXHAUSTED", "streams", self._limit)

    def _count(self, user: str, change: int) -> None:
        self._open[user] += change
        if not self._open[user]:
            del self._open[user]
        metrics.EVENT_STREAMS.set(self._open.total())


def _exhausted(code: str, what: str, limit: int) -> OverCapacity:
    return OverCapacity(
        code,
        f"{limit} {what} are open already",
        evidence={"limit": str(limit)},
        retry_after_s=5.0,
    )


class _Reader:
    """Reads the record for streams, a bounded number at a time."""

    def __init__(self, events: EventLog, records: Records) -> None:
        self._events = events
        self._records = records
        self._places = asyncio.Semaphore(_CATCH_UPS)

    async def page(self, followed: Followed, after: int, until: int) -> EventPage:
        """A page of what is followed. Raises as `EventLog`."""
        async with self._places:
            return await self._events.listed(followed, after, until, _PAGE)

    async def long_over(self, followed: Followed) -> bool:
        """Whether it ended so long ago that its events need not be there any more."""
        identifier = UUID(followed.identifier)
        async with self._places:
            if followed.kind == "document":
                document = await self._records.document(identifier, _OF_END)
                finished_at = document.finished_at if document.has_ended else None
            else:
                finished_at = (await self._records.batch(identifier, _OF_END)).finished_at
        return finished_at is not None and datetime.now(UTC) - finished_at > _FORGOTTEN_AFTER
