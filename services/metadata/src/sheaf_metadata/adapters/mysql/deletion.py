"""Deleting: the rows go, and an event and a tombstone come, in one transaction.

Since the row is gone, every read, claim, renewal and outcome answers as if it had never been.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, text

from sheaf_common.pools.database_connection import SqlConnection
from sheaf_metadata.adapters.mysql.batches import finish_batches
from sheaf_metadata.adapters.mysql.database import Database
from sheaf_metadata.adapters.mysql.events import DocumentEvent, insert_events
from sheaf_metadata.adapters.mysql.rows import aware, naive
from sheaf_metadata.adapters.mysql.writing import holds_any
from sheaf_metadata.domain.attachments import MAX_BATCH_DOCUMENTS
from sheaf_metadata.domain.deletion import MAX_LISTED, TIMES
from sheaf_metadata.domain.documents import Lane, Status
from sheaf_metadata.ports.caching import Outdate, OutdateBatches
from sheaf_metadata.ports.changes import Changes
from sheaf_metadata.service.deletion import DeletedSome

# PRIMARY of each.
ROOT: Final = text(
    "SELECT d.batch_id, d.user_id, d.row_version FROM document d FORCE INDEX (PRIMARY)"
    " WHERE d.id = :id"
)
_BATCH: Final = text("SELECT b.user_id FROM batch b FORCE INDEX (PRIMARY) WHERE b.id = :id")
# batch_idx: what was found in a document is in its batch. Whose it is, is checked by row.
INSIDE: Final = text(
    "SELECT d.id, d.parent_id, d.depth, d.row_version FROM document d FORCE INDEX (batch_idx)"
    " WHERE d.batch_id = :batch_id AND d.parent_id IS NOT NULL LIMIT :limit"
)
# batch_idx, in ascending id, which it ends with.
OF_BATCH: Final = text(
    "SELECT d.id FROM document d FORCE INDEX (batch_idx) WHERE d.batch_id = :batch_id"
    " ORDER BY d.id LIMIT :limit"
)
# PRIMARY, in ascending id.
LOCK: Final = text(
    "SELECT d.id, d.batch_id, d.user_id, d.status, d.lane, d.attempt, d.workflow_id,"
    " d.row_version, UTC_TIMESTAMP(6) AS now"
    " FROM document d FORCE INDEX (PRIMARY) WHERE d.id IN :ids ORDER BY d.id FOR UPDATE"
).bindparams(bindparam("ids", expanding=True))
# PRIMARY of each, whose rows are locked. In this form it takes a hint.
DELETE: Final = text(
    "DELETE d FROM document d FORCE INDEX (PRIMARY) WHERE d.id IN :ids"
).bindparams(bindparam("ids", expanding=True))
_LOWER: Final = text(
    "UPDATE batch SET document_count = GREATEST(document_count - :fewer, 0) WHERE id = :id"
)
_LOCK_BATCH: Final = text("SELECT b.id FROM batch b WHERE b.id = :id FOR UPDATE")
_DELETE_BATCH: Final = text("DELETE FROM batch WHERE id = :id")
# The driver joins the VALUES. One that is there is of an attachment that came back.
_BURY: Final = text(
    "INSERT INTO deletion (document_id, user_id, deleted_at, due_at, confirmed) VALUES"
    " (:document_id, :user_id, :now, :now, 0)"
    " ON DUPLICATE KEY UPDATE deleted_at = VALUES(deleted_at), due_at = VALUES(due_at),"
    " confirmed = 0"
)
# deletion_due_idx, from its beginning.
DUE: Final = text(
    "SELECT t.document_id, t.confirmed FROM deletion t FORCE INDEX (deletion_due_idx)"
    " WHERE t.due_at <= UTC_TIMESTAMP(6) ORDER BY t.due_at LIMIT :limit"
)
# PRIMARY of each.
CONFIRM: Final = text(
    "UPDATE deletion t FORCE INDEX (PRIMARY) SET t.confirmed = t.confirmed + 1,"
    " t.due_at = UTC_TIMESTAMP(6) + INTERVAL :again_us MICROSECOND"
    " WHERE t.document_id IN :ids AND t.due_at <= UTC_TIMESTAMP(6) AND t.confirmed < :times"
    " AND (:user_id = '' OR t.user_id = :user_id)"
).bindparams(bindparam("ids", expanding=True))
FORGET: Final = text(
    "DELETE t FROM deletion t FORCE INDEX (PRIMARY)"
    " WHERE t.document_id IN :ids AND t.confirmed >= :times AND t.due_at <= UTC_TIMESTAMP(6)"
).bindparams(bindparam("ids", expanding=True))


@dataclass(slots=True)
class _Family:
    """A document and what was found inside it: depth and row version of each, as last seen."""

    root: bytes
    seen: dict[bytes, tuple[int, int]] = field(default_factory=dict)

    def look(self, root_version: int, rows: Iterable[Any]) -> None:
        """Takes what belongs to it from the rows of a batch."""
        inside: dict[bytes, list[Any]] = {}
        for row in rows:
            inside.setdefault(row.parent_id, []).append(row)
        self.seen = {self.root: (-1, root_version)}
        parents = [self.root]
        while parents:
            found = [row for parent in parents for row in inside.pop(parent, ())]
            self.seen |= {row.id: (row.depth, row.row_version) for row in found}
            parents = [row.id for row in found]

    def changed(self, document_id: bytes, row_version: int) -> bool:
        """Whether a row is another than the one that was seen."""
        return document_id in self.seen and self.seen[document_id][1] != row_version

    def deepest(self, limit: int) -> list[bytes]:
        """So many of them; none before what is inside it."""
        return sorted(self.seen, key=lambda each: -self.seen[each][0])[:limit]


class MysqlDeletions:
    """`Deletions` in MySQL; objects are due again `again_s` after they were deleted."""

    def __init__(self, database: Database, *, again_s: float) -> None:
        self._database = database
        self._again_us = int(again_s * 1_000_000)

    async def document(
        self,
        document_id: UUID,
        user_id: str | None,
        limit: int,
        outdate: Outdate,
        outdate_batches: OutdateBatches,
    ) -> DeletedSome | None:
        """See `Deletions`."""

        async def delete(connection: SqlConnection) -> DeletedSome | None:
            root = (await connection.execute(ROOT, {"id": document_id.bytes})).one_or_none()
            if root is None or user_id not in (None, root.user_id):
                return None
            family = _Family(document_id.bytes)
            family.look(root.row_version, await _inside(connection, root.batch_id))
            more = len(family.seen) > limit
            locked = await _lock_whole(connection, family, limit, root.batch_id)
            if not more and document_id.bytes not in locked:
                return None
            changes = await _remove(connection, locked, outdate, outdate_batches)
            return DeletedSome(changes.deleted, changes, more)

        return await self._database.transaction("delete_document", delete)

    async def batch(
        self,
        batch_id: UUID,
        user_id: str | None,
        limit: int,
        outdate: Outdate,
        outdate_batches: OutdateBatches,
    ) -> DeletedSome | None:
        """See `Deletions`."""
        of_batch = {"batch_id": batch_id.bytes, "limit": limit}

        async def delete(connection: SqlConnection) -> DeletedSome | None:
            owner = (await connection.execute(_BATCH, {"id": batch_id.bytes})).one_or_none()
            if owner is None or user_id not in (None, owner.user_id):
                return None
            ids = list((await connection.execute(OF_BATCH, of_batch)).scalars())
            locked = await _lock(connection, ids)
            changes = await _remove(connection, locked, outdate, outdate_batches)
            # Whoever adds documents to a batch has its lock.
            await connection.execute(_LOCK_BATCH, {"id": batch_id.bytes})
            more = (await connection.execute(OF_BATCH, {**of_batch, "limit": 1})).first()
            if more is None:
                await connection.execute(_DELETE_BATCH, {"id": batch_id.bytes})
                await outdate_batches([batch_id])
            return DeletedSome(changes.deleted, changes, more is not None)

        return await self._database.transaction("delete_batch", delete)

    async def due(self, limit: int) -> Sequence[UUID]:
        """See `Deletions`. Forgets those of which nothing more is due."""
        async with self._database.reading("list_deletions") as connection:
            rows = (await connection.execute(DUE, {"limit": MAX_LISTED})).all()
        over = sorted(row.document_id for row in rows if row.confirmed >= TIMES)
        if over:

            async def forget(connection: SqlConnection) -> None:
                await connection.execute(FORGET, {"ids": over, "times": TIMES})

            await self._database.transaction("forget_deletions", forget)
        due = [UUID(bytes=row.document_id) for row in rows if row.confirmed < TIMES]
        return due[:limit]

    async def confirm(self, document_ids: Sequence[UUID], user_id: str | None) -> None:
        """See `Deletions`."""
        parameters = {
            "ids": sorted(document_id.bytes for document_id in document_ids),
            "again_us": self._again_us,
            "times": TIMES,
            "user_id": user_id or "",
        }

        async def confirm(connection: SqlConnection) -> None:
            await connection.execute(CONFIRM, parameters)

        await self._database.transaction("confirm_deletions", confirm)


async def _inside(connection: SqlConnection, batch_id: bytes) -> list[Any]:
    parameters = {"batch_id": batch_id, "limit": MAX_BATCH_DOCUMENTS}
    return list((await connection.execute(INSIDE, parameters)).all())


async def _lock(connection: SqlConnection, ids: Sequence[bytes]) -> dict[bytes, Any]:
    if not ids:
        return {}
    rows = (await connection.execute(LOCK, {"ids": sorted(ids)})).all()
    return {row.id: row for row in rows}


async def _lock_whole(
    connection: SqlConnection, family: _Family, limit: int, batch_id: bytes
) -> dict[bytes, Any]:
    """Locks the deepest of a family, and what was found inside those until they were locked.

    What is found inside a document is recorded with a new version of its row, by whoever has
    that locked. So if every row is as it was seen, nothing has come.
    """
    wanted = family.deepest(limit)
    locked = await _lock(connection, wanted)
    while any(family.changed(each, row.row_version) for each, row in locked.items()):
        root = locked.get(family.root)
        inner = _Family(family.root)
        inner.look(0 if root is None else root.row_version, await _inside(connection, batch_id))
        come = [each for each in inner.seen if each not in locked and each not in family.seen]
        family = inner
        if not come:
            break
        locked |= await _lock(connection, come)
    return locked


async def _remove(
    connection: SqlConnection,
    locked: dict[bytes, Any],
    outdate: Outdate,
    outdate_batches: OutdateBatches,
) -> Changes:
    """Deletes locked rows, all of one batch, and finishes that if nothing is left to come."""
    rows = [locked[each] for each in sorted(locked)]
    if not rows:
        return Changes()
    now: datetime = aware(rows[0].now)
    ids, batch_id = tuple(UUID(bytes=row.id) for row in rows), UUID(bytes=rows[0].batch_id)
    await connection.execute(DELETE, {"ids": sorted(locked)})
    await connection.execute(
        _BURY,
        [{"document_id": row.id, "user_id": row.user_id, "now": naive(now)} for row in rows],
    )
    await outdate([(UUID(bytes=row.id), row.row_version + 1) for row in rows])
    await connection.execute(_LOWER, {"id": batch_id.bytes, "fewer": len(rows)})
    finished = await finish_batches(connection, {batch_id}, now)
    await outdate_batches([batch_id])
    await insert_events(connection, [_event(row) for row in rows], finished, now)
    return Changes(
        deleted=ids,
        finished_batches=tuple(each for each, _ in finished),
        freed_lanes=await _freed(connection, rows),
    )


def _event(row: Any) -> DocumentEvent:
    return DocumentEvent(
        UUID(bytes=row.id), UUID(bytes=row.batch_id), row.user_id, None, row.attempt
    )


async def _freed(connection: SqlConnection, rows: Sequence[Any]) -> frozenset[Lane]:
    """Lanes in which a workflow holds nothing any longer."""
    held = {
        row.workflow_id: Lane(row.lane)
        for row in rows
        if row.workflow_id and row.status == Status.PROCESSING.value
    }
    freed = {lane for each, lane in held.items() if not await holds_any(connection, each)}
    return frozenset(freed)
