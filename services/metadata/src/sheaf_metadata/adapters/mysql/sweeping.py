"""What operators and sweeps ask."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, text

from sheaf_common.pools.database_connection import SqlConnection
from sheaf_metadata.adapters.mysql import drain
from sheaf_metadata.adapters.mysql.backlog import backlog
from sheaf_metadata.adapters.mysql.database import Database
from sheaf_metadata.domain.documents import DocumentReferences, Lane, LaneBacklog, Status

# PRIMARY.
REFERENCES: Final = text(
    "SELECT d.id, d.status, d.object_key, d.result_key, d.workflow_id"
    " FROM document d FORCE INDEX (PRIMARY) WHERE d.id IN :ids"
).bindparams(bindparam("ids", expanding=True))
# PRIMARY, from its beginning: ids grow with time.
OLDEST_EVENTS: Final = text(
    "SELECT e.id, e.created_at < UTC_TIMESTAMP(6) - INTERVAL :min_age_us MICROSECOND AS old"
    " FROM event e FORCE INDEX (PRIMARY) ORDER BY e.id LIMIT :limit"
)
DELETE_EVENTS: Final = text(
    "DELETE FROM event WHERE id >= :first AND id <= :last ORDER BY id LIMIT :limit"
)
_EVENTS_A_TRANSACTION: Final = 1000


class MysqlHousekeeping:
    """`Housekeeping` in MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def backlog(self) -> Sequence[LaneBacklog]:
        """See `Housekeeping`. The oldest is that of the thousand documents next in line."""
        return await backlog(self._database)

    async def newest_event(self) -> int:
        """See `Housekeeping`."""
        return await drain.newest_event(self._database)

    async def claimed_between(self, after: int, upto: int) -> Mapping[Lane, int]:
        """See `Housekeeping`."""
        return await drain.claimed_between(self._database, after, upto)

    async def references(self, document_ids: Sequence[UUID]) -> Sequence[DocumentReferences]:
        """See `Housekeeping`."""
        ids = sorted({document_id.bytes for document_id in document_ids})
        async with self._database.reading("list_references") as connection:
            rows = (await connection.execute(REFERENCES, {"ids": ids})).all()
        return [
            DocumentReferences(
                UUID(bytes=row.id),
                Status(row.status),
                row.object_key,
                row.result_key or "",
                row.workflow_id or "",
            )
            for row in rows
        ]

    async def prune_events(self, min_age_s: float, max_events: int) -> int:
        """See `Housekeeping`. Several short transactions; each goes by primary key."""
        deleted = 0
        while deleted < max_events:
            limit = min(_EVENTS_A_TRANSACTION, max_events - deleted)
            pruned = await self._prune_some(min_age_s, limit)
            deleted += pruned
            if pruned < limit:
                break
        return deleted

    async def _prune_some(self, min_age_s: float, limit: int) -> int:
        async def prune(connection: SqlConnection) -> int:
            parameters = {"min_age_us": int(min_age_s * 1_000_000), "limit": limit}
            rows = (await connection.execute(OLDEST_EVENTS, parameters)).all()
            old = []
            for row in rows:
                if not row.old:
                    break
                old.append(row.id)
            if not old:
                return 0
            bounds = {"first": old[0], "last": old[-1], "limit": len(old)}
            done = await connection.execute(DELETE_EVENTS, bounds)
            return int(done.rowcount)

        return await self._database.transaction("prune_events", prune)
