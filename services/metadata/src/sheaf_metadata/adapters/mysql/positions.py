"""Events get their positions, and are read by them.

An id is given when a row is inserted, and the row is seen when its transaction commits: who reads
by id misses what commits late. So a position is given to what is committed already, by one process
at a time, in one transaction that only then becomes visible, its last position with it (ADR 0022).
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TextClause, bindparam, text

from sheaf_common.pools.database_connection import SqlConnection
from sheaf_metadata.adapters.mysql.database import Database
from sheaf_metadata.adapters.mysql.rows import aware
from sheaf_metadata.domain.documents import Status
from sheaf_metadata.domain.events import Event, Followed, Span
from sheaf_metadata.ports.events import Placed, Placement

_COLUMNS: Final = (
    "e.document_id, e.batch_id, e.user_id, e.type, e.status, e.attempt, e.reason, e.created_at"
)
# PRIMARY of event_position; the first entry of event_position_idx, where what has none stands.
LOOK: Final = text(
    "SELECT p.last, EXISTS (SELECT 1 FROM event e FORCE INDEX (event_position_idx)"
    " WHERE e.position IS NULL) AS waits FROM event_position p WHERE p.id = 1"
)
LOCK: Final = text("SELECT p.last FROM event_position p WHERE p.id = 1 FOR UPDATE SKIP LOCKED")
# event_position_idx: among entries without a position the order is that of the id. Not locked:
# what a transaction holds that has not ended is not seen, and waited for by nobody.
UNPLACED: Final = text(
    f"SELECT e.id, {_COLUMNS},"  # noqa: S608 - a constant
    " TIMESTAMPDIFF(MICROSECOND, e.created_at, UTC_TIMESTAMP(6)) AS age_us"
    " FROM event e FORCE INDEX (event_position_idx)"
    " WHERE e.position IS NULL ORDER BY e.id LIMIT :limit"
)
# PRIMARY. `ranked` are the same ids in a text, "7,9": the rank of each is what it is placed by.
PLACE: Final = text(
    "UPDATE event FORCE INDEX (PRIMARY) SET position = :last + FIND_IN_SET(id, :ranked)"
    " WHERE id IN :ids"
).bindparams(bindparam("ids", expanding=True))
_LAST: Final = text("UPDATE event_position SET last = :last WHERE id = 1")
_SELECT: Final = f"SELECT e.position, {_COLUMNS} FROM event e"  # noqa: S608 - a constant
# event_position_idx.
AFTER: Final = text(
    f"{_SELECT} FORCE INDEX (event_position_idx)"
    " WHERE e.position > :after AND e.position <= :until ORDER BY e.position LIMIT :limit"
)
# event_user_position_idx, event_batch_position_idx; event_document_idx: a document has a few events
# for each attempt, which are sorted.
OF_USER: Final = text(
    f"{_SELECT} FORCE INDEX (event_user_position_idx) WHERE e.user_id = :user_id"
    " AND e.position > :after AND e.position <= :until ORDER BY e.position LIMIT :limit"
)
OF_BATCH: Final = text(
    f"{_SELECT} FORCE INDEX (event_batch_position_idx) WHERE e.batch_id = :id"
    " AND e.position > :after AND e.position <= :until ORDER BY e.position LIMIT :limit"
)
OF_DOCUMENT: Final = text(
    f"{_SELECT} FORCE INDEX (event_document_idx) WHERE e.document_id = :id"
    " AND e.position > :after AND e.position <= :until ORDER BY e.position LIMIT :limit"
)
_STATUSES: Final = {status.value: status for status in Status}
_DELETED: Final = "document.deleted"


class MysqlEvents:
    """`Positions` and `EventLog` in MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self) -> Placement:
        """See `Positions`."""
        async with self._database.reading("look_for_events") as connection:
            row = (await connection.execute(LOOK)).one()
        return Placement(row.last, bool(row.waits))

    async def place(self, limit: int) -> Placed | None:
        """See `Positions`."""

        async def place(connection: SqlConnection) -> Placed | None:
            locked = (await connection.execute(LOCK)).one_or_none()
            if locked is None:
                return None
            last = int(locked.last)
            rows = (await connection.execute(UNPLACED, {"limit": limit})).all()
            if rows:
                await _give_positions(connection, last, [row.id for row in rows])
            events = tuple(_event(last + rank, row) for rank, row in enumerate(rows, start=1))
            return Placed(last, events, tuple(max(0, row.age_us) / 1e6 for row in rows))

        return await self._database.transaction("place_events", place)

    async def after(self, span: Span, limit: int) -> Sequence[Event]:
        """See `EventLog`."""
        return await self._read("poll_events", AFTER, span, limit)

    async def of_user(self, user_id: str, span: Span, limit: int) -> Sequence[Event]:
        """See `EventLog`."""
        return await self._read("list_events", OF_USER, span, limit, user_id=user_id)

    async def of(self, followed: Followed, span: Span, limit: int) -> Sequence[Event]:
        """See `EventLog`."""
        statement = OF_BATCH if followed.document_id is None else OF_DOCUMENT
        identifier = followed.document_id or followed.batch_id
        if identifier is None:
            raise ValueError("neither a document nor a batch")
        return await self._read("list_events", statement, span, limit, id=identifier.bytes)

    async def _read(
        self, use_case: str, statement: TextClause, span: Span, limit: int, **whose: object
    ) -> Sequence[Event]:
        parameters = {"after": span.after, "until": span.until, "limit": limit, **whose}
        async with self._database.reading(use_case) as connection:
            rows = (await connection.execute(statement, parameters)).all()
        return [_event(row.position, row) for row in rows]


async def _give_positions(connection: SqlConnection, last: int, ids: list[int]) -> None:
    ranked = ",".join(map(str, ids))
    await connection.execute(PLACE, {"last": last, "ranked": ranked, "ids": ids})
    await connection.execute(_LAST, {"last": last + len(ids)})


def _event(position: int, row: Any) -> Event:
    gone = row.document_id is None or row.type == _DELETED
    return Event(
        position,
        row.type,
        None if row.document_id is None else UUID(bytes=bytes(row.document_id)),
        UUID(bytes=bytes(row.batch_id)),
        row.user_id,
        None if gone else _STATUSES.get(row.status),
        row.attempt,
        row.reason,
        aware(row.created_at),
    )
