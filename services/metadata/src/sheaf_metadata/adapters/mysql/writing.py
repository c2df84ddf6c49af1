"""Writing documents: locked in id order, written in one statement, their batches after them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, text

from sheaf_common.pools.database_connection import SqlConnection
from sheaf_common.telemetry.trace_context import TraceContext
from sheaf_metadata.adapters.mysql.batches import finish_batches
from sheaf_metadata.adapters.mysql.events import DocumentEvent, insert_events
from sheaf_metadata.adapters.mysql.rows import aware, columns, document_of, naive, trace_of
from sheaf_metadata.domain.documents import Document, Status
from sheaf_metadata.domain.fields import ALL_FIELDS
from sheaf_metadata.domain.options import text_of
from sheaf_metadata.domain.outcomes import Ownership
from sheaf_metadata.domain.registration import NewDocument
from sheaf_metadata.ports.caching import Outdate
from sheaf_metadata.ports.changes import Changes

# PRIMARY, in ascending id.
LOCK_DOCUMENTS: Final = text(
    f"SELECT {columns(ALL_FIELDS)}, d.ocr_requested_by,"  # noqa: S608 - our own column names
    " d.claim_at, d.queued_at, d.traceparent, UTC_TIMESTAMP(6) AS now"
    " FROM document d FORCE INDEX (PRIMARY) WHERE d.id IN :ids ORDER BY d.id FOR UPDATE"
).bindparams(bindparam("ids", expanding=True))
# workflow_id_idx.
HOLDS: Final = text(
    "SELECT 1 FROM document d FORCE INDEX (workflow_id_idx)"
    " WHERE d.workflow_id = :workflow_id AND d.status = 'processing' LIMIT 1"
)
_WRITTEN: Final = (
    "status", "lane", "claim_at", "queued_at", "result_key", "workflow_id", "ocr_requested_by",
    "dispatches", "pipeline_version", "page_count", "character_count", "document_class",
    "partial", "error_code", "error_message", "finished_at", "row_version", "content_type",
    "options", "attempt", "started_at", "pages_done", "pages_total",
)  # fmt: skip
_SET: Final = ", ".join(f"d.{name} = v.{name}" for name in _WRITTEN)
# What has ended needs no password any longer.
_FORGET: Final = (
    "d.sealed_password = IF(v.status IN ('completed', 'failed', 'quarantined', 'cancelled'),"
    " NULL, d.sealed_password)"
)
_FIRST_ROW: Final = "SELECT %s AS id, " + ", ".join(f"%s AS {name}" for name in _WRITTEN)
_NEXT_ROW: Final = " UNION ALL SELECT " + ", ".join(["%s"] * (1 + len(_WRITTEN)))
_EXTRA: Final = 5


@dataclass(frozen=True, slots=True)
class LockedDocument:
    """A document's row, locked by the transaction, with what the contract does not show."""

    document: Document
    ocr_requested_by: str
    claim_at: datetime
    queued_at: datetime
    trace: TraceContext | None

    @property
    def ownership(self) -> Ownership:
        """Who may record its outcome."""
        document = self.document
        assert document.status is not None  # noqa: S101 - whole rows are locked
        return Ownership(
            document.status, document.workflow_id, document.attempt, self.ocr_requested_by
        )

    def next(self, **changes: Any) -> Document:
        """The document after changes, one row version higher."""
        return replace(self.document, row_version=self.document.row_version + 1, **changes)


@dataclass(frozen=True, slots=True)
class Write:
    """A locked row and how it shall be.

    `queued` is its new claim time and the time of queueing, None where both stay. Its
    attachments become documents with it.
    """

    row: LockedDocument
    document: Document
    ocr_requested_by: str
    reason: str | None
    queued: tuple[datetime, datetime] | None = None
    attachments: tuple[NewDocument, ...] = ()


async def lock_documents(
    connection: SqlConnection, document_ids: Sequence[UUID]
) -> tuple[dict[UUID, LockedDocument], datetime | None]:
    """Locks documents in ascending id; returns them, and the database's time if there are any."""
    ids = sorted({document_id.bytes for document_id in document_ids})
    rows = (await connection.execute(LOCK_DOCUMENTS, {"ids": ids})).all()
    locked = {}
    for row in rows:
        document = document_of(ALL_FIELDS, row[:-_EXTRA])
        locked[document.document_id] = LockedDocument(
            document,
            row.ocr_requested_by or "",
            aware(row.claim_at),
            aware(row.queued_at),
            trace_of(row.traceparent),
        )
    return locked, aware(rows[0].now) if rows else None


async def write_documents(
    connection: SqlConnection,
    writes: Sequence[Write],
    now: datetime,
    outdate: Outdate,
    added: Sequence[Document] = (),
) -> tuple[UUID, ...]:
    """Writes some locked rows and their events, and finishes batches; returns those finished.

    The lease ends. Documents that were `added` have their events after those.
    """
    values = [value for write in writes for value in write_values(write)]
    await connection.exec_driver_sql(write_statement(len(writes)), tuple(values))
    await outdate([(w.document.document_id, w.document.row_version) for w in writes])
    ended = {write.document.batch_id for write in writes if _ended(write.document)}
    finished = await finish_batches(connection, ended, now)
    events = [_event(write.document, write.reason) for write in writes]
    events += [_event(document, None) for document in added]
    await insert_events(connection, events, finished, now)
    return tuple(batch_id for batch_id, _ in finished)


def write_statement(count: int) -> str:
    """One UPDATE of so many rows: from the new values to the row of each by PRIMARY."""
    rows = _FIRST_ROW + _NEXT_ROW * (count - 1)
    return (
        f"UPDATE ({rows}) v STRAIGHT_JOIN document d FORCE INDEX (PRIMARY) ON d.id = v.id"  # noqa: S608 - only placeholders
        f" SET {_SET}, {_FORGET}, d.lease_expires_at = NULL"
    )


async def holds_any(connection: SqlConnection, workflow_id: str) -> bool:
    """Whether a workflow holds documents still, as far as this transaction sees.

    Two transactions that end its last documents at once may both see the other's; the
    place is then found free by the next look, not by a hint.
    """
    found = await connection.execute(HOLDS, {"workflow_id": workflow_id})
    return found.first() is not None


def changes_of(
    writes: Sequence[Write],
    finished: tuple[UUID, ...],
    *,
    freed: bool,
    added: Sequence[Document] = (),
) -> Changes:
    """What a committed transaction changed."""
    lanes = {write.row.document.lane for write in writes}
    queued = {w.document.lane for w in writes if w.document.status is Status.QUEUED}
    queued |= {document.lane for document in added}
    return Changes(
        documents=tuple(write.document for write in writes),
        finished_batches=finished,
        queued_lanes=frozenset(lane for lane in queued if lane is not None),
        freed_lanes=frozenset(lane for lane in lanes if freed and lane is not None),
        added=len(added),
    )


def _event(document: Document, reason: str | None) -> DocumentEvent:
    return DocumentEvent(
        document.document_id,
        document.batch_id,
        document.user_id,
        document.status or Status.QUEUED,
        document.attempt,
        reason,
    )


def _ended(document: Document) -> bool:
    return document.status is not None and document.status.terminal


def write_values(write: Write) -> tuple[Any, ...]:
    """A row's new values, as `write_statement` takes them."""
    document = write.document
    assert document.status is not None  # noqa: S101 - whole rows are written
    assert document.lane is not None  # noqa: S101 - as above
    claim_at, queued_at = write.queued or (write.row.claim_at, write.row.queued_at)
    return (
        document.document_id.bytes,
        document.status.value,
        document.lane.value,
        naive(claim_at),
        naive(queued_at),
        document.result_key or None,
        document.workflow_id or None,
        write.ocr_requested_by or None,
        document.dispatches,
        document.pipeline_version or None,
        document.page_count if document.result_key else None,
        document.character_count if document.result_key else None,
        document.document_class or None,
        int(document.partial),
        document.error_code or None,
        document.error_message or None,
        None if document.finished_at is None else naive(document.finished_at),
        document.row_version,
        document.content_type,
        text_of(document.options) or None,
        document.attempt,
        None if document.started_at is None else naive(document.started_at),
        document.pages_done,
        document.pages_total,
    )
