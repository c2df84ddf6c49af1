"""Finishing batches: once, by whoever ends their last document."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

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


async def finish_batches(
    connection: AsyncConnection, batch_ids: Collection[UUID], now: datetime
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
