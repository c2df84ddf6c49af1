"""Events as a follower of the metadata service sees them."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sheaf.metadata.v1 import metadata_pb2
from sheaf_common.ids import new_id
from support.metadata import Metadata, duration

INSERT: Final = text(
    "INSERT INTO event (document_id, batch_id, user_id, type, status, attempt, created_at)"
    " VALUES (:document_id, :batch_id, :user_id, 'document.queued', 'queued', 1,"
    " UTC_TIMESTAMP(6))"
)


def event_row(document_id: UUID, user_id: str = "ann") -> dict[str, Any]:
    """An event as a transaction inserts it."""
    return {"document_id": document_id.bytes, "batch_id": new_id().bytes, "user_id": user_id}


async def insert(connection: AsyncConnection, *document_ids: UUID, user_id: str = "ann") -> None:
    """Inserts an event for each; the caller commits."""
    await connection.execute(INSERT, [event_row(each, user_id) for each in document_ids])


async def poll(
    metadata: Metadata, after: int | None, *, wait_s: float = 0, max_events: int = 0
) -> metadata_pb2.PollEventsResponse:
    """One poll."""
    request = metadata_pb2.PollEventsRequest(
        after_position=after, wait=duration(wait_s), max_events=max_events
    )
    answer: metadata_pb2.PollEventsResponse = await metadata.call("PollEvents", request)
    return answer


class Follower:
    """Goes on from position to position, as a gateway does."""

    def __init__(self, metadata: Metadata, position: int) -> None:
        self._metadata = metadata
        self.position = position
        self.events: list[metadata_pb2.Event] = []

    @property
    def seen(self) -> list[UUID]:
        """The documents of the events, in their order."""
        return [UUID(event.document_id) for event in self.events]

    async def follow(self, wanted: Sequence[UUID], *, wait_s: float = 10) -> None:
        """Polls until each of these documents had an event, or until nothing comes any more."""
        while not set(wanted) <= set(self.seen):
            answer = await poll(self._metadata, self.position, wait_s=wait_s)
            if not answer.events:
                return
            self.events.extend(answer.events)
            self.position = answer.position
