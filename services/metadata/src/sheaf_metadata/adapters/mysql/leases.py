"""Leases: renewing them, and finding those that expired."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sheaf_metadata.adapters.mysql.database import Database
from sheaf_metadata.domain.claims import ClaimedDocument, ClaimedGroup, DocumentAttempt
from sheaf_metadata.domain.documents import Lane

# PRIMARY, in ascending id.
OWNED: Final = text(
    "SELECT d.id, d.attempt FROM document d FORCE INDEX (PRIMARY) WHERE d.id IN :ids"
    " AND d.workflow_id = :workflow_id AND d.status = 'processing' ORDER BY d.id FOR UPDATE"
).bindparams(bindparam("ids", expanding=True))
RENEW: Final = text(
    "UPDATE document FORCE INDEX (PRIMARY)"
    " SET lease_expires_at = UTC_TIMESTAMP(6) + INTERVAL :lease_us MICROSECOND WHERE id IN :ids"
).bindparams(bindparam("ids", expanding=True))
# status_time_idx, over the documents in processing only: as many as workflows hold.
EXPIRED: Final = text(
    "SELECT DISTINCT d.workflow_id FROM document d FORCE INDEX (status_time_idx)"
    " WHERE d.status = 'processing' AND d.lease_expires_at < UTC_TIMESTAMP(6) LIMIT :limit"
)
# workflow_id_idx.
UNRECORDED: Final = text(
    "SELECT d.id, d.attempt, d.dispatches, d.object_key, d.content_type, d.size_bytes, d.sha256,"
    " d.filename, d.batch_id, d.user_id, d.row_version, d.workflow_id, d.lane, d.claim_at"
    " FROM document d FORCE INDEX (workflow_id_idx)"
    " WHERE d.workflow_id IN :workflow_ids AND d.status = 'processing'"
).bindparams(bindparam("workflow_ids", expanding=True))


class MysqlLeases:
    """`Leases` in MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def renew(
        self, workflow_id: str, documents: Sequence[DocumentAttempt], lease_ttl_s: float
    ) -> Sequence[UUID]:
        """See `Leases`. The row version stays: nobody sees a lease but its holder."""
        ids = sorted({document.document_id.bytes for document in documents})

        async def renew(connection: AsyncConnection) -> set[tuple[bytes, int]]:
            rows = (await connection.execute(OWNED, {"ids": ids, "workflow_id": workflow_id})).all()
            if rows:
                lease_us = int(lease_ttl_s * 1_000_000)
                await connection.execute(
                    RENEW, {"ids": [row.id for row in rows], "lease_us": lease_us}
                )
            return {(row.id, row.attempt) for row in rows}

        owned = await self._database.transaction("renew_lease", renew)
        return [
            document.document_id
            for document in documents
            if (document.document_id.bytes, document.attempt) not in owned
        ]

    async def expired(self, max_workflows: int) -> Sequence[ClaimedGroup]:
        """See `Leases`."""
        async with self._database.reading("list_expired_leases") as connection:
            found = await connection.execute(EXPIRED, {"limit": max_workflows})
            workflow_ids = list(found.scalars())
            if not workflow_ids:
                return ()
            rows = (await connection.execute(UNRECORDED, {"workflow_ids": workflow_ids})).all()
        groups: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
        for row in sorted(rows, key=lambda row: (row.claim_at, row.id)):
            groups[row.workflow_id, row.lane].append(row)
        return [
            ClaimedGroup(workflow_id, Lane(lane), tuple(map(_claimed, members)))
            for (workflow_id, lane), members in groups.items()
        ]


def _claimed(row: Any) -> ClaimedDocument:
    return ClaimedDocument(
        UUID(bytes=row.id),
        row.attempt,
        row.dispatches,
        row.object_key,
        row.content_type,
        row.size_bytes,
        row.sha256,
        row.filename,
        UUID(bytes=row.batch_id),
        row.user_id,
        row.row_version,
    )
