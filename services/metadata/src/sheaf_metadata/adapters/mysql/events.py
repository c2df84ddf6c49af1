"""The outbox: every change of a status leaves an event in its own transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text

from sheaf_common.pools.database_connection import SqlConnection
from sheaf_metadata.adapters.mysql.rows import naive
from sheaf_metadata.domain.documents import Status

# One statement however many rows: the driver joins the VALUES.
_INSERT: Final = text(
    "INSERT INTO event"
    " (document_id, batch_id, user_id, type, status, attempt, reason, created_at) VALUES"
    " (:document_id, :batch_id, :user_id, :type, :status, :attempt, :reason, :created_at)"
)

_DELETED: Final = "deleted"


@dataclass(frozen=True, slots=True)
class DocumentEvent:
    """A document's status changed; it is deleted if the status is None."""

    document_id: UUID
    batch_id: UUID
    user_id: str
    status: Status | None
    attempt: int
    reason: str | None = None


async def insert_events(
    connection: SqlConnection,
    documents: Sequence[DocumentEvent],
    finished: Sequence[tuple[UUID, str]],
    now: datetime,
) -> None:
    """Inserts `document.STATUS` or `document.deleted`, then `batch.finished`, for users."""
    created_at = naive(now)
    rows = [_document_row(event, created_at) for event in documents]
    rows += [_batch_row(batch_id, user_id, created_at) for batch_id, user_id in finished]
    if rows:
        await connection.execute(_INSERT, rows)


def _document_row(event: DocumentEvent, created_at: datetime) -> dict[str, object]:
    status = _DELETED if event.status is None else event.status.value
    return {
        "document_id": event.document_id.bytes,
        "batch_id": event.batch_id.bytes,
        "user_id": event.user_id,
        "type": f"document.{status}",
        "status": status,
        "attempt": event.attempt,
        "reason": event.reason,
        "created_at": created_at,
    }


def _batch_row(batch_id: UUID, user_id: str, created_at: datetime) -> dict[str, object]:
    return {
        "document_id": None,
        "batch_id": batch_id.bytes,
        "user_id": user_id,
        "type": "batch.finished",
        "status": "finished",
        "attempt": None,
        "reason": None,
        "created_at": created_at,
    }
