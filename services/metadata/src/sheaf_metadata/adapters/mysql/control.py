"""What owners do: cancelling what has not ended, and queueing again what has."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from sheaf_common.pools.database_connection import SqlConnection
from sheaf_metadata.adapters.mysql.batches import reopen_batches
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
from sheaf_metadata.domain.control import (
    CANCELLED,
    REPROCESSED,
    QuarantineFilter,
    Reprocessing,
    check_state,
)
from sheaf_metadata.domain.documents import Document, Lane, Status
from sheaf_metadata.domain.work import estimated_work_ms
from sheaf_metadata.ports.caching import Outdate, OutdateBatches
from sheaf_metadata.ports.changes import Changes
from sheaf_metadata.ports.fairness import Lags, QueuedWork

_WORK: Final = "SELECT d.id, d.user_id, d.content_type, d.size_bytes FROM document d"
# PRIMARY.
ONE: Final = text(f"{_WORK} FORCE INDEX (PRIMARY) WHERE d.id = :id")
# user_status_idx, in ascending id, which it ends with. Reason and product are checked by row.
QUARANTINED: Final = text(
    f"{_WORK} FORCE INDEX (user_status_idx)"
    " WHERE d.user_id = :user_id AND d.status = 'quarantined'"
    " AND (:reason = '' OR d.error_code = :reason) AND (:product = '' OR d.product = :product)"
    " ORDER BY d.id LIMIT :limit"
)
# PRIMARY. The row is locked by the transaction.
_ITS_OWN: Final = text("UPDATE document SET duplicate_of = NULL WHERE id = :id")
# PRIMARY, as above.
_KEEP_PASSWORD: Final = text("UPDATE document SET sealed_password = :sealed WHERE id = :id")


class MysqlControls:
    """`Controls` in MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def cancel(
        self, document_id: UUID, user_id: str | None, outdate: Outdate
    ) -> tuple[Document | None, Changes]:
        """See `Controls`."""

        async def cancel(connection: SqlConnection) -> tuple[Document | None, Changes]:
            locked, now = await lock_documents(connection, [document_id])
            row = _visible(locked, document_id, user_id)
            if row is None or now is None:
                return None, Changes()
            if row.document.status is None or row.document.status.terminal:
                return row.document, Changes()
            write = _cancelled(row, now)
            finished = await write_documents(connection, [write], now, outdate)
            held_by = row.document.workflow_id
            freed = bool(held_by) and not await holds_any(connection, held_by)
            return write.document, changes_of([write], finished, freed=freed)

        return await self._database.transaction("cancel_document", cancel)

    async def work_of(self, document_id: UUID) -> QueuedWork | None:
        """See `Controls`."""
        async with self._database.reading("reprocess_document_work") as connection:
            row = (await connection.execute(ONE, {"id": document_id.bytes})).one_or_none()
        return None if row is None else _work(row)

    async def quarantined(self, wanted: QuarantineFilter, limit: int) -> Sequence[QueuedWork]:
        """See `Controls`."""
        parameters = {
            "user_id": wanted.user_id,
            "reason": wanted.reason,
            "product": wanted.product,
            "limit": limit,
        }
        async with self._database.reading("list_quarantined") as connection:
            return [_work(row) for row in await connection.execute(QUARANTINED, parameters)]

    async def reprocess(
        self,
        wanted: Reprocessing,
        user_id: str | None,
        lags: Lags,
        outdate: Outdate,
        outdate_batches: OutdateBatches,
    ) -> tuple[Document | None, Changes]:
        """See `Controls`."""

        async def reprocess(connection: SqlConnection) -> tuple[Document | None, Changes]:
            locked, now = await lock_documents(connection, [wanted.document_id])
            row = _visible(locked, wanted.document_id, user_id)
            if row is None or now is None:
                return None, Changes()
            check_state(row.document, wanted.after_attempt)
            write = _queued_again(row, now, lags, wanted)
            changes = await _queue_again(connection, [write], now, outdate, outdate_batches)
            if row.document.duplicate_of is not None:
                await connection.execute(_ITS_OWN, {"id": wanted.document_id.bytes})
            if wanted.sealed_password:
                await connection.execute(
                    _KEEP_PASSWORD,
                    {"sealed": wanted.sealed_password, "id": wanted.document_id.bytes},
                )
            return write.document, changes

        return await self._database.transaction("reprocess_document", reprocess)

    async def replay(
        self,
        document_ids: Sequence[UUID],
        lags: Lags,
        outdate: Outdate,
        outdate_batches: OutdateBatches,
    ) -> Changes:
        """See `Controls`."""

        async def replay(connection: SqlConnection) -> Changes:
            locked, now = await lock_documents(connection, document_ids)
            if now is None:
                return Changes()
            writes = [
                _queued_again(row, now, lags)
                for row in locked.values()
                if row.document.status is Status.QUARANTINED
            ]
            return await _queue_again(connection, writes, now, outdate, outdate_batches)

        return await self._database.transaction("replay_quarantined", replay)


async def _queue_again(
    connection: SqlConnection,
    writes: Sequence[Write],
    now: datetime,
    outdate: Outdate,
    outdate_batches: OutdateBatches,
) -> Changes:
    if not writes:
        return Changes()
    await write_documents(connection, writes, now, outdate)
    reopened = await reopen_batches(connection, {write.document.batch_id for write in writes})
    if reopened:
        await outdate_batches(reopened)
    return changes_of(writes, (), freed=False)


def _visible(
    locked: Mapping[UUID, LockedDocument], document_id: UUID, user_id: str | None
) -> LockedDocument | None:
    row = locked.get(document_id)
    return row if row is not None and user_id in (None, row.document.user_id) else None


def _cancelled(row: LockedDocument, now: datetime) -> Write:
    """No workflow is named in the row any longer: its renewal is told so, its outcome dropped."""
    document = row.next(
        status=Status.CANCELLED,
        workflow_id="",
        error_code=CANCELLED,
        error_message="It was cancelled by its owner.",
        finished_at=now,
    )
    return Write(row, document, row.ocr_requested_by, CANCELLED)


def _queued_again(
    row: LockedDocument, now: datetime, lags: Lags, wanted: Reprocessing | None = None
) -> Write:
    """The next attempt. What describes the result of the one before stays with that result."""
    options = row.document.options
    document = row.next(
        status=Status.QUEUED,
        lane=Lane.TEXT,
        workflow_id="",
        attempt=row.document.attempt + 1,
        dispatches=0,
        error_code="",
        error_message="",
        started_at=None,
        finished_at=None,
        duplicate_of=None,
        pages_done=0,
        pages_total=0,
        options=options if wanted is None or wanted.options is None else wanted.options,
    )
    return Write(row, document, "", REPROCESSED, (claim_at(document, now, lags), now))


def _work(row: Any) -> QueuedWork:
    work_ms = estimated_work_ms(row.content_type, row.size_bytes, Lane.TEXT)
    return QueuedWork(UUID(bytes=row.id), row.user_id, Lane.TEXT, work_ms)
