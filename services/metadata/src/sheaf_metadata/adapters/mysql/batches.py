"""Finishing batches: once, by whoever ends their last document; and what keeps them going."""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, text

from sheaf_common.pools.database_connection import SqlConnection
from sheaf_metadata.adapters.mysql.rows import naive

# PRIMARY, in ascending id.
LOCK: Final = text(
    "SELECT b.id, b.user_id FROM batch b FORCE INDEX (PRIMARY) WHERE b.id IN :ids"
    " AND b.finished_at IS NULL ORDER BY b.id FOR UPDATE"
).bindparams(bindparam("ids", expanding=True))
# PRIMARY of batch, batch_idx of document, from its end: what was queued last ends last, so
# the first look finds it mostly. With LIMIT, not as NOT EXISTS, for which MariaDB scans all.
DONE: Final = text(
    "SELECT b.id FROM batch b FORCE INDEX (PRIMARY) WHERE b.id IN :ids AND"
    " (SELECT 1 FROM document d FORCE INDEX (batch_idx) WHERE d.batch_id = b.id"
    " AND d.status IN ('awaiting_upload', 'queued', 'processing')"
    " ORDER BY d.id DESC LIMIT 1) IS NULL"
).bindparams(bindparam("ids", expanding=True))
_FINISH: Final = text(
    "UPDATE batch FORCE INDEX (PRIMARY) SET finished_at = :now WHERE id IN :ids"
).bindparams(bindparam("ids", expanding=True))

# PRIMARY, in ascending id, of all three.
COUNTS: Final = text(
    "SELECT b.id, b.document_count FROM batch b FORCE INDEX (PRIMARY) WHERE b.id IN :ids"
    " ORDER BY b.id FOR UPDATE"
).bindparams(bindparam("ids", expanding=True))
FINISHED: Final = text(
    "SELECT b.id FROM batch b FORCE INDEX (PRIMARY) WHERE b.id IN :ids"
    " AND b.finished_at IS NOT NULL ORDER BY b.id FOR UPDATE"
).bindparams(bindparam("ids", expanding=True))
_REOPEN: Final = text(
    "UPDATE batch FORCE INDEX (PRIMARY) SET finished_at = NULL WHERE id IN :ids"
).bindparams(bindparam("ids", expanding=True))
_RAISE: Final = text("UPDATE batch SET document_count = document_count + :more WHERE id = :id")


async def finish_batches(
    connection: SqlConnection, batch_ids: Collection[UUID], now: datetime
) -> list[tuple[UUID, str]]:
    """Finishes those of the batches that have no document left to come.

    Returns them with their users; their events are the caller's to insert.

    Call it after the transaction's documents are written. Of two transactions that each end
    one of the last two documents, the second waits for the first's lock, and its question,
    with a snapshot of its own, then sees the first's document ended.
    """
    if not batch_ids:
        return []
    ids = sorted(batch_id.bytes for batch_id in batch_ids)
    users = {row.id: row.user_id for row in await connection.execute(LOCK, {"ids": ids})}
    if not users:
        return []
    found = await connection.execute(DONE, {"ids": sorted(users)})
    done = sorted(found.scalars())
    if not done:
        return []
    await connection.execute(_FINISH, {"ids": done, "now": naive(now)})
    return [(UUID(bytes=batch_id), users[batch_id]) for batch_id in done]


async def lock_counts(connection: SqlConnection, batch_ids: Collection[UUID]) -> dict[UUID, int]:
    """Locks batches; returns how many documents each has."""
    ids = sorted(batch_id.bytes for batch_id in batch_ids)
    rows = await connection.execute(COUNTS, {"ids": ids})
    return {UUID(bytes=row.id): row.document_count for row in rows}


async def raise_counts(connection: SqlConnection, batch_ids: Iterable[UUID]) -> None:
    """Counts one document more for each time that a locked batch is named."""
    more = Counter(batch_id.bytes for batch_id in batch_ids)
    await connection.execute(_RAISE, [{"id": each, "more": more[each]} for each in sorted(more)])


async def reopen_batches(
    connection: SqlConnection, batch_ids: Collection[UUID]
) -> tuple[UUID, ...]:
    """Opens the finished ones of the batches again; returns them.

    Call it after the transaction's documents are written, as `finish_batches`. Whoever ends
    another document of them waits for the lock, and then sees those documents queued.
    """
    ids = sorted(batch_id.bytes for batch_id in batch_ids)
    finished = sorted((await connection.execute(FINISHED, {"ids": ids})).scalars())
    if finished:
        await connection.execute(_REOPEN, {"ids": finished})
    return tuple(UUID(bytes=batch_id) for batch_id in finished)
