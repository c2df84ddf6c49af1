"""The outbox: every change of a status leaves an event in its own transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sheaf_metadata.adapters.mysql.rows import naive
from sheaf_metadata.domain.documents import Status

# One statement however many rows: the driver joins the VALUES.
_INSERT: Final = text(
    "INSERT INTO event"
    " (document_id, batch_id, user_id, type, status, attempt, reason, created_at) VALUES"
    " (:document_id, :batch_id, :user_id, :type, :status, :attempt, :reason, :created_at)"
)


@dataclass(frozen=True, slots=True)
class DocumentEvent:
    """A document's status changed."""

    document_id: UUID
    batch_id: UUID
    user_id: str
    status: Status
    attempt: int
    reason: str | None = None


async def insert_document_events(
    connection: AsyncConnection, events: Sequence[DocumentEvent], now: datetime
) -> None:
    """Inserts `document.STATUS` events."""
    if not events:
        return
    created_at = naive(now)
    await connection.execute(
        _INSERT,
        [
            {
                "document_id": event.document_id.bytes,
                "batch_id": event.batch_id.bytes,
                "user_id": event.user_id,
                "type": f"document.{event.status.value}",
                "status": event.status.value,
                "attempt": event.attempt,
                "reason": event.reason,
                "created_at": created_at,
            }
            for event in events
        ],
    )


async def insert_batch_finished(
    connection: AsyncConnection, batches: Sequence[tuple[UUID, str]], now: datetime
) -> None:
    """Inserts `batch.finished` events, for batches with their users."""
    created_at = naive(now)
    await connection.execute(
        _INSERT,
        [
            {
                "document_id": None,
                "batch_id": batch_id.bytes,
                "user_id": user_id,
                "type": "batch.finished",
                "status": "finished",
                "attempt": None,
                "reason": None,
                "created_at": created_at,
            }
            for batch_id, user_id in batches
        ],
    )
