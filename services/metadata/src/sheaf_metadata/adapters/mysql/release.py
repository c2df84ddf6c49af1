"""Giving documents back: to the queue, or to quarantine if they have lost too many workers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text

from sheaf_common.pools.database_connection import SqlConnection
from sheaf_metadata.adapters.mysql.database import Database
from sheaf_metadata.adapters.mysql.writing import (
    LockedDocument,
    Write,
    changes_of,
    holds_any,
    lock_documents,
    write_documents,
)
from sheaf_metadata.domain.claims import QUARANTINE_AT_DISPATCHES, WORKER_LOST
from sheaf_metadata.domain.documents import Status
from sheaf_metadata.domain.outcomes import MAX_OUTCOMES, ReleaseCause
from sheaf_metadata.ports.caching import Outdate
from sheaf_metadata.ports.changes import Changes
from sheaf_metadata.ports.outcomes import Released

# workflow_id_idx.
_HELD_IDS: Final = text(
    "SELECT d.id FROM document d FORCE INDEX (workflow_id_idx)"
    " WHERE d.workflow_id = :workflow_id AND d.status = 'processing' LIMIT :limit"
)


class MysqlReleases:
    """`Releases` in MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def release(
        self,
        workflow_id: str,
        document_ids: Sequence[UUID],
        cause: ReleaseCause,
        outdate: Outdate,
    ) -> Released:
        """See `Releases`."""
        ids = list(document_ids) or await self._held(workflow_id)

        async def release(connection: SqlConnection) -> Released:
            locked, now = await lock_documents(connection, ids)
            writes = [
                _write(row, cause, now)
                for row in locked.values()
                if now is not None
                and row.document.workflow_id == workflow_id
                and row.document.status is Status.PROCESSING
            ]
            if now is None or not writes:
                return Released((), (), Changes())
            finished = await write_documents(connection, writes, now, outdate)
            freed = not await holds_any(connection, workflow_id)
            return Released(
                _ids(writes, Status.QUEUED),
                _ids(writes, Status.QUARANTINED),
                changes_of(writes, finished, freed=freed),
            )

        return await self._database.transaction("release_claim", release)

    async def _held(self, workflow_id: str) -> list[UUID]:
        """What the workflow holds. Read without locks: those are taken by PRIMARY alone."""
        async with self._database.reading("release_claim_held") as connection:
            found = await connection.execute(
                _HELD_IDS, {"workflow_id": workflow_id, "limit": MAX_OUTCOMES}
            )
            return [UUID(bytes=document_id) for document_id in found.scalars()]


def _ids(writes: Sequence[Write], status: Status) -> tuple[UUID, ...]:
    return tuple(write.document.document_id for write in writes if write.document.status is status)


def _write(row: LockedDocument, cause: ReleaseCause, now: datetime) -> Write:
    """No workflow is named in the row any longer, so none can end the document late."""
    lost = cause is ReleaseCause.WORKER_LOST
    dispatches = row.document.dispatches + lost
    if dispatches < QUARANTINE_AT_DISPATCHES:
        document = row.next(
            status=Status.QUEUED,
            workflow_id="",
            dispatches=dispatches,
            pages_done=0,
            pages_total=0,
        )
        return Write(row, document, row.ocr_requested_by, cause.value.upper())
    document = row.next(
        status=Status.QUARANTINED,
        workflow_id="",
        dispatches=dispatches,
        error_code=WORKER_LOST,
        error_message=f"The worker was lost {dispatches} times while it worked on the document.",
        finished_at=now,
    )
    return Write(row, document, row.ocr_requested_by, WORKER_LOST)
