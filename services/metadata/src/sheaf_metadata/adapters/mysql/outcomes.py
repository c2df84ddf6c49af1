"""Recording outcomes: lock the documents in id order, write what is still owned, then batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sheaf_metadata.adapters.mysql.batches import finish_batches
from sheaf_metadata.adapters.mysql.database import Database
from sheaf_metadata.adapters.mysql.events import DocumentEvent, insert_events
from sheaf_metadata.adapters.mysql.rows import aware, columns, document_of, naive
from sheaf_metadata.domain.documents import Document, Lane, Status
from sheaf_metadata.domain.fields import ALL_FIELDS
from sheaf_metadata.domain.outcomes import (
    MAX_MESSAGE,
    Completed,
    Disposition,
    Failed,
    NeedsOcr,
    Outcome,
    Ownership,
    Quarantined,
    judge,
    settled,
)
from sheaf_metadata.domain.work import estimated_work_ms, priority_shift
from sheaf_metadata.ports import Changes, Lags, Outdate, QueuedWork

# PRIMARY, in ascending id.
LOCK_DOCUMENTS: Final = text(
    f"SELECT {columns(ALL_FIELDS)}, d.ocr_requested_by,"  # noqa: S608 - our own column names
    " d.claim_at, d.queued_at, UTC_TIMESTAMP(6) AS now"
    " FROM document d FORCE INDEX (PRIMARY) WHERE d.id IN :ids ORDER BY d.id FOR UPDATE"
).bindparams(bindparam("ids", expanding=True))
# PRIMARY.
_OCR_CANDIDATES: Final = text(
    "SELECT d.id, d.user_id, d.content_type, d.size_bytes FROM document d FORCE INDEX (PRIMARY)"
    " WHERE d.id IN :ids AND d.workflow_id = :workflow_id AND d.status = 'processing'"
    " AND d.lane = 'text'"
).bindparams(bindparam("ids", expanding=True))
# workflow_id_idx.
HOLDS: Final = text(
    "SELECT 1 FROM document d FORCE INDEX (workflow_id_idx)"
    " WHERE d.workflow_id = :workflow_id AND d.status = 'processing' LIMIT 1"
)
_WRITTEN: Final = (
    "status", "lane", "claim_at", "queued_at", "result_key", "workflow_id", "ocr_requested_by",
    "dispatches", "pipeline_version", "page_count", "character_count", "document_class",
    "partial", "error_code", "error_message", "finished_at", "row_version",
)  # fmt: skip
_SET: Final = ", ".join(f"d.{name} = v.{name}" for name in _WRITTEN)
_FIRST_ROW: Final = "SELECT %s AS id, " + ", ".join(f"%s AS {name}" for name in _WRITTEN)
_NEXT_ROW: Final = " UNION ALL SELECT " + ", ".join(["%s"] * (1 + len(_WRITTEN)))
_EXTRA: Final = 4


@dataclass(frozen=True, slots=True)
class LockedDocument:
    """A document's row, locked by the transaction, with what the contract does not show."""

    document: Document
    ocr_requested_by: str
    claim_at: datetime
    queued_at: datetime

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

    `queued` is its new claim time and the time of queueing, None where both stay.
    """

    row: LockedDocument
    document: Document
    ocr_requested_by: str
    reason: str | None
    queued: tuple[datetime, datetime] | None = None


async def lock_documents(
    connection: AsyncConnection, document_ids: Sequence[UUID]
) -> tuple[dict[UUID, LockedDocument], datetime | None]:
    """Locks documents in ascending id; returns them, and the database's time if there are any."""
    ids = sorted({document_id.bytes for document_id in document_ids})
    rows = (await connection.execute(LOCK_DOCUMENTS, {"ids": ids})).all()
    locked = {}
    for row in rows:
        document = document_of(ALL_FIELDS, row[:-_EXTRA])
        locked[document.document_id] = LockedDocument(
            document, row.ocr_requested_by or "", aware(row.claim_at), aware(row.queued_at)
        )
    return locked, aware(rows[0].now) if rows else None


async def write_documents(
    connection: AsyncConnection, writes: Sequence[Write], now: datetime, outdate: Outdate
) -> tuple[UUID, ...]:
    """Writes some locked rows and their events, and finishes batches; returns those finished.

    One UPDATE however many rows: it is joined to them by PRIMARY. The lease ends.
    """
    rows = _FIRST_ROW + _NEXT_ROW * (len(writes) - 1)
    values = [value for write in writes for value in _values(write)]
    await connection.exec_driver_sql(
        f"UPDATE document d JOIN ({rows}) v ON d.id = v.id"  # noqa: S608 - only placeholders
        f" SET {_SET}, d.lease_expires_at = NULL",
        tuple(values),
    )
    await outdate([(w.document.document_id, w.document.row_version) for w in writes])
    ended = {write.document.batch_id for write in writes if _ended(write.document)}
    finished = await finish_batches(connection, ended, now)
    await insert_events(connection, [_event(write) for write in writes], finished, now)
    return tuple(batch_id for batch_id, _ in finished)


async def holds_any(connection: AsyncConnection, workflow_id: str) -> bool:
    """Whether a workflow holds documents still, as far as this transaction sees.

    Two transactions that end its last documents at once may both see the other's; the
    place is then found free by the next look, not by a hint.
    """
    found = await connection.execute(HOLDS, {"workflow_id": workflow_id})
    return found.first() is not None


class MysqlRecording:
    """Recording of `Outcomes` in MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ocr_candidates(
        self, workflow_id: str, document_ids: Sequence[UUID]
    ) -> Sequence[QueuedWork]:
        """See `Outcomes`."""
        ids = [document_id.bytes for document_id in document_ids]
        async with self._database.reading("ocr_candidates") as connection:
            rows = await connection.execute(
                _OCR_CANDIDATES, {"ids": ids, "workflow_id": workflow_id}
            )
            return [
                QueuedWork(
                    UUID(bytes=row.id),
                    row.user_id,
                    Lane.OCR,
                    estimated_work_ms(row.content_type, row.size_bytes, Lane.OCR),
                )
                for row in rows
            ]

    async def record(
        self, workflow_id: str, outcomes: Sequence[Outcome], ocr_lags: Lags, outdate: Outdate
    ) -> tuple[Sequence[Disposition], Changes]:
        """See `Outcomes`."""

        async def record(connection: AsyncConnection) -> tuple[list[Disposition], Changes]:
            ids = [outcome.document_id for outcome in outcomes]
            locked, now = await lock_documents(connection, ids)
            dispositions, writes = _judged(workflow_id, outcomes, locked, now, ocr_lags)
            if now is None or not writes:
                return dispositions, Changes()
            finished = await write_documents(connection, writes, now, outdate)
            freed = not await holds_any(connection, workflow_id)
            return dispositions, changes_of(writes, finished, freed=freed)

        return await self._database.transaction("record_outcomes", record)


def changes_of(writes: Sequence[Write], finished: tuple[UUID, ...], *, freed: bool) -> Changes:
    """What a committed transaction changed."""
    lanes = {write.row.document.lane for write in writes}
    queued = {w.document.lane for w in writes if w.document.status is Status.QUEUED}
    return Changes(
        documents=tuple(write.document for write in writes),
        finished_batches=finished,
        queued_lanes=frozenset(lane for lane in queued if lane is not None),
        freed_lanes=frozenset(lane for lane in lanes if freed and lane is not None),
    )


def _judged(
    workflow_id: str,
    outcomes: Sequence[Outcome],
    locked: Mapping[UUID, LockedDocument],
    now: datetime | None,
    ocr_lags: Lags,
) -> tuple[list[Disposition], list[Write]]:
    dispositions: list[Disposition] = []
    writes: dict[UUID, Write] = {}
    for outcome in outcomes:
        row = locked.get(outcome.document_id)
        ownership = None if row is None else row.ownership
        disposition = judge(ownership, workflow_id, outcome.attempt)
        if disposition is Disposition.RECORDED and outcome.document_id in writes:
            disposition = Disposition.ALREADY_RECORDED
        dispositions.append(disposition)
        if row is not None and now is not None and disposition is Disposition.RECORDED:
            lag = ocr_lags.get(outcome.document_id, timedelta())
            writes[outcome.document_id] = _write(row, outcome, workflow_id, now, lag)
    return dispositions, list(writes.values())


def _write(
    row: LockedDocument, outcome: Outcome, workflow_id: str, now: datetime, ocr_lag: timedelta
) -> Write:
    outcome = settled(outcome, row.document.lane or Lane.TEXT)
    version = outcome.pipeline_version
    match outcome.result:
        case Completed() as done:
            document = row.next(
                status=Status.COMPLETED,
                result_key=done.result_key,
                page_count=done.page_count,
                character_count=done.character_count,
                partial=done.partial,
                document_class=done.document_class,
                error_code="",
                error_message="",
                pipeline_version=version,
                finished_at=now,
            )
            return Write(row, document, row.ocr_requested_by, None)
        case Failed(reason, message) | Quarantined(reason, message):
            failed = isinstance(outcome.result, Failed)
            document = row.next(
                status=Status.FAILED if failed else Status.QUARANTINED,
                error_code=reason,
                error_message=message[:MAX_MESSAGE],
                pipeline_version=version,
                finished_at=now,
            )
            return Write(row, document, row.ocr_requested_by, reason)
        case NeedsOcr():
            document = row.next(status=Status.QUEUED, lane=Lane.OCR, workflow_id="")
            priority = row.document.priority
            shift = timedelta() if priority is None else priority_shift(priority)
            return Write(row, document, workflow_id, "NEEDS_OCR", (now + ocr_lag + shift, now))


def _event(write: Write) -> DocumentEvent:
    document = write.document
    return DocumentEvent(
        document.document_id,
        document.batch_id,
        document.user_id,
        document.status or Status.QUEUED,
        document.attempt,
        write.reason,
    )


def _ended(document: Document) -> bool:
    return document.status is not None and document.status.terminal


def _values(write: Write) -> tuple[Any, ...]:
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
    )
