"""Leases: renewing them, finding those that expired, and what only their holders may read."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, text

from sheaf_common.pools.database_connection import SqlConnection
from sheaf_metadata.adapters.mysql.database import Database
from sheaf_metadata.adapters.mysql.rows import CLAIMED_COLUMNS, claimed_of
from sheaf_metadata.domain.claims import ClaimedDocument, ClaimedGroup, DocumentAttempt
from sheaf_metadata.domain.documents import Lane
from sheaf_metadata.ports.caching import Outdate

# PRIMARY, in ascending id.
OWNED: Final = text(
    "SELECT d.id, d.attempt, d.pages_done, d.pages_total, d.row_version"
    " FROM document d FORCE INDEX (PRIMARY) WHERE d.id IN :ids"
    " AND d.workflow_id = :workflow_id AND d.status = 'processing' ORDER BY d.id FOR UPDATE"
).bindparams(bindparam("ids", expanding=True))
RENEW: Final = text(
    "UPDATE document FORCE INDEX (PRIMARY)"
    " SET lease_expires_at = UTC_TIMESTAMP(6) + INTERVAL :lease_us MICROSECOND WHERE id IN :ids"
).bindparams(bindparam("ids", expanding=True))
_PAGES_ROW: Final = "SELECT %s AS id, %s AS pages_done, %s AS pages_total"
_NEXT_PAGES_ROW: Final = "SELECT %s, %s, %s"
# PRIMARY.
PASSWORDS: Final = text(
    "SELECT d.id, d.sealed_password FROM document d FORCE INDEX (PRIMARY) WHERE d.id IN :ids"
    " AND d.workflow_id = :workflow_id AND d.status = 'processing'"
    " AND d.sealed_password IS NOT NULL"
).bindparams(bindparam("ids", expanding=True))
# status_time_idx, over the documents in processing only: as many as workflows hold.
EXPIRED: Final = text(
    "SELECT DISTINCT d.workflow_id FROM document d FORCE INDEX (status_time_idx)"
    " WHERE d.status = 'processing' AND d.lease_expires_at < UTC_TIMESTAMP(6) LIMIT :limit"
)
# workflow_id_idx.
UNRECORDED: Final = text(
    f"SELECT {CLAIMED_COLUMNS}, d.workflow_id, d.lane, d.claim_at"  # noqa: S608 - a constant
    " FROM document d FORCE INDEX (workflow_id_idx)"
    " WHERE d.workflow_id IN :workflow_ids AND d.status = 'processing'"
).bindparams(bindparam("workflow_ids", expanding=True))


class MysqlLeases:
    """`Leases` in MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def renew(
        self,
        workflow_id: str,
        documents: Sequence[DocumentAttempt],
        lease_ttl_s: float,
        outdate: Outdate,
    ) -> Sequence[UUID]:
        """See `Leases`. The row version stays unless pages were done: only they are shown."""
        attempts = {document.document_id.bytes: document for document in documents}
        lease_us = int(lease_ttl_s * 1_000_000)

        async def renew(connection: SqlConnection) -> set[tuple[bytes, int]]:
            parameters = {"ids": sorted(attempts), "workflow_id": workflow_id}
            rows = (await connection.execute(OWNED, parameters)).all()
            advanced = {
                row.id: row for row in rows if _pages(row, attempts) != _recorded_pages(row)
            }
            others = [row.id for row in rows if row.id not in advanced]
            if others:
                await connection.execute(RENEW, {"ids": others, "lease_us": lease_us})
            if advanced:
                values = [
                    value for row in advanced.values() for value in (row.id, *_pages(row, attempts))
                ]
                await connection.exec_driver_sql(
                    advance_statement(len(advanced)), (*values, lease_us)
                )
                await outdate(
                    [(UUID(bytes=row.id), row.row_version + 1) for row in advanced.values()]
                )
            return {(row.id, row.attempt) for row in rows}

        owned = await self._database.transaction("renew_lease", renew)
        return [
            document.document_id
            for document in documents
            if (document.document_id.bytes, document.attempt) not in owned
        ]

    async def passwords(
        self, workflow_id: str, document_ids: Sequence[UUID]
    ) -> Mapping[UUID, bytes]:
        """See `Leases`."""
        ids = [document_id.bytes for document_id in document_ids]
        async with self._database.reading("get_passwords") as connection:
            rows = await connection.execute(PASSWORDS, {"ids": ids, "workflow_id": workflow_id})
            return {UUID(bytes=row.id): bytes(row.sealed_password) for row in rows}

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
            ClaimedGroup(workflow_id, Lane(lane), _documents(members))
            for (workflow_id, lane), members in groups.items()
        ]


def advance_statement(count: int) -> str:
    """One UPDATE of so many rows, by PRIMARY: their pages, and their leases with them."""
    rows = " UNION ALL ".join([_PAGES_ROW] + [_NEXT_PAGES_ROW] * (count - 1))
    return (
        f"UPDATE ({rows}) v STRAIGHT_JOIN document d FORCE INDEX (PRIMARY) ON d.id = v.id"  # noqa: S608 - only placeholders
        " SET d.pages_done = v.pages_done, d.pages_total = v.pages_total,"
        " d.row_version = d.row_version + 1,"
        " d.lease_expires_at = UTC_TIMESTAMP(6) + INTERVAL %s MICROSECOND"
    )


def _pages(row: Any, attempts: Mapping[bytes, DocumentAttempt]) -> tuple[int, int]:
    """The pages as its holder says them; as they are recorded, if it says nothing."""
    said = attempts[row.id]
    if said.progress is None or said.attempt != row.attempt:
        return _recorded_pages(row)
    return said.progress


def _recorded_pages(row: Any) -> tuple[int, int]:
    return row.pages_done, row.pages_total


def _documents(rows: Sequence[Any]) -> tuple[ClaimedDocument, ...]:
    return tuple(claimed_of(row, row.row_version) for row in rows)
