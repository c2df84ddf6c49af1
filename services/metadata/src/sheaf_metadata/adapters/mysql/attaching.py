"""Attachments: inserted by the transaction that records the outcome of their parent.

The parent's row is locked, so nobody else inserts its attachments meanwhile, and those that are
there are found by a look without a lock. New rows go in after the batches' locks: no one can
hold what nobody has seen.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, text

from sheaf_common.pools.database_connection import SqlConnection
from sheaf_common.telemetry.trace_context import TraceContext
from sheaf_metadata.adapters.mysql.batches import lock_counts, raise_counts
from sheaf_metadata.adapters.mysql.inserting import insert_documents
from sheaf_metadata.adapters.mysql.writing import Write
from sheaf_metadata.domain.attachments import MAX_BATCH_DOCUMENTS, admitted, child_of
from sheaf_metadata.domain.documents import Document
from sheaf_metadata.ports.fairness import Lags

# PRIMARY.
KNOWN: Final = text(
    "SELECT d.id FROM document d FORCE INDEX (PRIMARY) WHERE d.id IN :ids"
).bindparams(bindparam("ids", expanding=True))
# PRIMARY. What its owner deleted a while ago does not come back with its parent's next attempt.
DELETED: Final = text(
    "SELECT t.document_id FROM deletion t FORCE INDEX (PRIMARY) WHERE t.document_id IN :ids"
).bindparams(bindparam("ids", expanding=True))


async def attach(
    connection: SqlConnection, writes: Sequence[Write], now: datetime, lags: Lags
) -> tuple[list[Write], list[Document]]:
    """Inserts what completed documents hold; call it before the writes are written.

    Returns the writes, those of which something was left out as partial, and what was inserted.
    """
    ids = sorted(new.document_id.bytes for write in writes for new in write.attachments)
    if not ids:
        return list(writes), []
    known = set((await connection.execute(KNOWN, {"ids": ids})).scalars())
    known |= set((await connection.execute(DELETED, {"ids": ids})).scalars())
    # All batches that may be finished next, so that they are locked once, in order.
    counts = await lock_counts(connection, {write.document.batch_id for write in writes})
    added: list[Document] = []
    traces: dict[UUID, TraceContext | None] = {}
    settled: list[Write] = []
    for write in writes:
        parent = write.document
        room = MAX_BATCH_DOCUMENTS - counts.get(parent.batch_id, MAX_BATCH_DOCUMENTS)
        taken, cut = admitted(parent, write.attachments, known, room)
        added += [child_of(parent, new) for new in taken]
        traces |= {new.document_id: write.row.trace for new in taken}
        if taken:
            counts[parent.batch_id] += len(taken)
        settled.append(replace(write, document=replace(parent, partial=True)) if cut else write)
    if added:
        added.sort(key=lambda document: document.document_id.bytes)
        await insert_documents(connection, added, now, lags, {}, traces)
        await raise_counts(connection, [document.batch_id for document in added])
    return settled, added
