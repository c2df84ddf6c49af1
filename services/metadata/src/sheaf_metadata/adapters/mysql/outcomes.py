"""Recording outcomes: what is still owned is written, everything else is only judged."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sheaf_metadata.adapters.mysql.database import Database
from sheaf_metadata.adapters.mysql.writing import (
    LockedDocument,
    Write,
    changes_of,
    holds_any,
    lock_documents,
    write_documents,
)
from sheaf_metadata.domain.documents import Lane, Status
from sheaf_metadata.domain.outcomes import (
    MAX_MESSAGE,
    Completed,
    Disposition,
    Failed,
    NeedsOcr,
    Outcome,
    Quarantined,
    judge,
    settled,
)
from sheaf_metadata.domain.work import estimated_work_ms, priority_shift
from sheaf_metadata.ports import Changes, Lags, Outdate, QueuedWork

# PRIMARY.
_OCR_CANDIDATES: Final = text(
    "SELECT d.id, d.user_id, d.content_type, d.size_bytes FROM document d FORCE INDEX (PRIMARY)"
    " WHERE d.id IN :ids AND d.workflow_id = :workflow_id AND d.status = 'processing'"
    " AND d.lane = 'text'"
).bindparams(bindparam("ids", expanding=True))


class MysqlOutcomes:
    """`Outcomes` in MySQL."""

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
