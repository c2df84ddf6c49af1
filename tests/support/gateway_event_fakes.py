"""The gateway's EventLog port in memory."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from sheaf_common import context
from sheaf_common.errors import NotFound, SheafError
from sheaf_common.ids import new_id
from sheaf_gateway.domain.documents import DocumentStatus
from sheaf_gateway.events import Event, EventPage, Followed
from support.gateway_fakes.common import USER

_PAGE = 1000


@dataclass
class FakeEventLog:
    """Every event that was recorded. `failing` is raised by every call while it is set."""

    events: list[Event] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    """Documents and batches that are there."""
    polls: int = 0
    pages: list[tuple[int, int]] = field(default_factory=list)
    """The spans that were listed."""
    failing: SheafError | None = None
    unseen: int = 0
    """How many of the latest events polls do not tell of yet."""
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def record(
        self, type_: str, document_id: UUID | None, batch_id: UUID, user_id: str = USER
    ) -> Event:
        """The next event."""
        status = type_.removeprefix("document.")
        event = Event(
            position=self.last + 1,
            type=type_,
            document_id=None if document_id is None else str(document_id),
            batch_id=str(batch_id),
            user_id=user_id,
            status=DocumentStatus(status) if status in set(DocumentStatus) else None,
            attempt=None if document_id is None else 1,
            reason=None,
            created_at=datetime.now(UTC),
        )
        self.events.append(event)
        self.known |= {str(document_id), str(batch_id)}
        self.tell()
        return event

    def document(self, *types: str) -> UUID:
        """A document with such events."""
        document_id, batch_id = new_id(), new_id()
        for type_ in types:
            self.record(f"document.{type_}", document_id, batch_id)
        return document_id

    @property
    def last(self) -> int:
        """The last position."""
        return self.events[-1].position if self.events else 0

    def tell(self) -> None:
        """Makes those who poll look."""
        self._more.set()
        self._more = asyncio.Event()

    async def poll(self, after: int | None, *, wait_s: float) -> EventPage:
        """As the port."""
        self.polls += 1
        if after is None:
            self._fail()
            return EventPage((), self.last - self.unseen)
        try:
            async with asyncio.timeout(wait_s):
                return await self._next(after)
        except TimeoutError:
            return EventPage((), after)

    async def _next(self, after: int) -> EventPage:
        while True:
            self._fail()
            told = self.last - self.unseen
            found = [event for event in self.events if after < event.position <= told][:_PAGE]
            if found:
                return EventPage(tuple(found), found[-1].position)
            await self._more.wait()

    async def listed(self, followed: Followed, after: int, until: int, limit: int) -> EventPage:
        """As the port."""
        self.pages.append((after, until))
        self._fail()
        user_id = context.current_user_id()
        if followed.kind != "user" and followed.identifier not in self.known:
            raise NotFound(f"{followed.kind.upper()}_NOT_FOUND", "it is not there")
        found = [
            event
            for event in self.events
            if after < event.position <= until
            and event.user_id == user_id
            and followed.identifier in (event.document_id, event.batch_id, event.user_id)
        ]
        more = len(found) > limit
        position = found[limit - 1].position if more else max(after, until)
        return EventPage(tuple(found[:limit]), position, more)

    def _fail(self) -> None:
        if self.failing is not None:
            raise self.failing
