"""Following events: waiting for those of everybody, listing those of one user."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sheaf_common import context
from sheaf_common.errors import NotFound
from sheaf_metadata.domain.events import (
    MAX_PAGE,
    Event,
    Followed,
    Span,
    checked_page,
    checked_span,
)
from sheaf_metadata.domain.registration import check_user
from sheaf_metadata.ports.events import EventLog, Positions
from sheaf_metadata.ports.reading import Reads
from sheaf_metadata.service.event_tail import EventTail
from sheaf_metadata.service.sequencing import Sequencer
from sheaf_metadata.service.waiting import EventsPlaced, Waiters, ends_at


@dataclass(frozen=True, slots=True)
class Polled:
    """Events, and the position up to which there are no others."""

    events: Sequence[Event]
    position: int


@dataclass(frozen=True, slots=True)
class FollowEvents:
    """The tail is kept by the sequencer: whoever waits costs the database nothing."""

    positions: Positions
    events: EventLog
    reads: Reads
    tail: EventTail
    sequencer: Sequencer
    waiters: Waiters

    async def poll(self, after: int | None, max_events: int, wait_s: float) -> Polled:
        """Events of all users after a position, as soon as there are some; none after `wait_s`.

        Without a position: none, and the one that was given last.

        Raises:
            InvalidInput: `FIELD_INVALID`.
            SheafError: as `EventLog`, and `OverCapacity` if too many wait.
        """
        limit = checked_page("max_events", max_events, MAX_PAGE)
        until = ends_at(wait_s)
        topic = EventsPlaced()
        with self.sequencer.following(), self.waiters.waiting_for(topic) as signal:
            if after is None:
                return Polled((), (await self.positions.look()).last)
            start = checked_span(after, 0).after
            while True:
                signal.clear()
                polled = await self._polled(start, limit)
                left_s = until - time.monotonic()
                if polled.events or left_s <= 0 or signal.closed:
                    return polled
                # It may be that others' events alone have passed: they need not be seen again.
                start = polled.position
                await signal.wait(left_s)

    async def _polled(self, start: int, limit: int) -> Polled:
        until = self.tail.until
        events = self.tail.after(start, limit)
        if events is None:
            # Somebody who was away for long, or this process has only begun.
            events, until = await self.events.after(Span(start), limit), start
        if events:
            return Polled(events, events[-1].position)
        return Polled((), max(start, until))

    async def page(
        self, followed: Followed, after: int, until: int, page_size: int
    ) -> tuple[Sequence[Event], bool]:
        """The current user's events in a span, oldest first, and whether there are more.

        Raises:
            NotFound: `DOCUMENT_NOT_FOUND`, `BATCH_NOT_FOUND`.
            InvalidInput: `USER_MISSING`, `FIELD_INVALID`.
            SheafError: as `Reads` and `EventLog`.
        """
        user_id = check_user(context.current_user_id())
        span, size = checked_span(after, until), checked_page("page_size", page_size)
        if followed == Followed():
            found = await self.events.of_user(user_id, span, size + 1)
        else:
            await self._check_owner(followed, user_id)
            found = await self.events.of(followed, span, size + 1)
        return found[:size], len(found) > size

    async def _check_owner(self, followed: Followed, user_id: str) -> None:
        document_id, batch_id = followed.document_id, followed.batch_id
        if document_id is not None:
            if await self.reads.document(document_id, ("document_id",), user_id) is None:
                raise NotFound(
                    "DOCUMENT_NOT_FOUND",
                    f"there is no document {document_id}",
                    evidence={"document_id": str(document_id)},
                )
        elif batch_id is not None and await self.reads.batch_finished(batch_id, user_id) is None:
            raise NotFound(
                "BATCH_NOT_FOUND",
                f"there is no batch {batch_id}",
                evidence={"batch_id": str(batch_id)},
            )
