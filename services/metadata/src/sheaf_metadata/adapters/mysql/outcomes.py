"""Recording outcomes: what is still owned is written, everything else is only judged."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, text

from sheaf_common.pools.database_connection import SqlConnection
from sheaf_metadata.adapters.mysql.attaching import attach
from sheaf_metadata.adapters.mysql.database import Database
from sheaf_metadata.adapters.mysql.inserting import claim_at
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
    HeldDocument,
    NeedsOcr,
    Outcome,
    Quarantined,
    judge,
    settled,
)
from sheaf_metadata.ports.caching import Outdate
from sheaf_metadata.ports.changes import Changes
from sheaf_metadata.ports.fairness import Lags

# PRIMARY.
_HELD: Final = text(
    "SELECT d.id, d.user_id, d.lane, d.content_type, d.size_bytes FROM document d"
    " FORCE INDEX (PRIMARY) WHERE d.id IN :ids AND d.workflow_id = :workflow_id"
    " AND d.status = 'processing'"
).bindparams(bindparam("ids", expanding=True))


class MysqlOutcomes:
    """`Outcomes` in MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def held(self, workflow_id: str, document_ids: Sequence[UUID]) -> Sequence[HeldDocument]:
        """See `Outcomes`."""
        ids = [document_id.bytes for document_id in document_ids]
        async with self._database.reading("held_documents") as connection:
            rows = await connection.execute(_HELD, {"ids": ids, "workflow_id": workflow_id})
            return [
                HeldDocument(
                    UUID(bytes=row.id),
                    row.user_id,
                    Lane(row.lane),
                    row.content_type,
                    row.size_bytes,
                )
                for row in rows
            ]

    async def record(
        self, workflow_id: str, outcomes: Sequence[Outcome], lags: Lags, outdate: Outdate
    ) -> tuple[Sequence[Disposition], Changes]:
        """See `Outcomes`."""

        async def record(connection: SqlConnection) -> tuple[list[Disposition], Changes]:
            ids = [outcome.document_id for outcome in outcomes]
            locked, now = await lock_documents(connection, ids)
            dispositions, writes = _judged(workflow_id, outcomes, locked, now, lags)
            if now is None or not writes:
                return dispositions, Changes()
            writes, added = await attach(connection, writes, now, lags)
            finished = await write_documents(connection, writes, now, outdate, added)
            freed = not await holds_any(connection, workflow_id)
            return dispositions, changes_of(writes, finished, freed=freed, added=added)

        return await self._database.transaction("record_outcomes", record)


def _judged(
    workflow_id: str,
    outcomes: Sequence[Outcome],
    locked: Mapping[UUID, LockedDocument],
    now: datetime | None,
    lags: Lags,
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
            writes[outcome.document_id] = _write(row, outcome, workflow_id, now, lags)
    return dispositions, list(writes.values())


def _write(
    row: LockedDocument, outcome: Outcome, workflow_id: str, now: datetime, lags: Lags
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
                content_type=done.content_type or row.document.content_type,
                pages_done=row.document.pages_total,
                error_code="",
                error_message="",
                pipeline_version=version,
                finished_at=now,
            )
            return Write(row, document, row.ocr_requested_by, None, attachments=done.attachments)
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
            document = row.next(
                status=Status.QUEUED, lane=Lane.OCR, workflow_id="", pages_done=0, pages_total=0
            )
            queued = (claim_at(document, now, lags), now)
            return Write(row, document, workflow_id, "NEEDS_OCR", queued)
