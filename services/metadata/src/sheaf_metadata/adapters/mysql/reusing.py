"""Results that can be reused: found before a batch is registered, checked again when it is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, text

from sheaf_common.pools.database_connection import SqlConnection
from sheaf_common.telemetry.trace_context import TraceContext
from sheaf_metadata.adapters.mysql.database import Database
from sheaf_metadata.adapters.mysql.pipelines import MysqlPipelines
from sheaf_metadata.adapters.mysql.rows import columns, document_of, naive
from sheaf_metadata.domain.documents import Document, Lane, Priority, Status
from sheaf_metadata.domain.options import text_of
from sheaf_metadata.domain.registration import NewBatch, NewDocument
from sheaf_metadata.domain.reusing import SOURCE_FIELDS, Reusable, is_source

LOOKED_AT: Final = 8
"""How many of a user's documents with the same content are looked at, the newest first."""
_HASHES_A_QUERY: Final = 50

# user_sha256_idx, from the end of each hash: no sort, and a bounded number of entries however
# often the same content was sent. What more they must be is for the reader to say: a condition
# here would look at all of them until enough fulfil it.
_NEWEST: Final = (
    f"(SELECT {columns(SOURCE_FIELDS)}, d.batch_id, d.deleted_at"  # noqa: S608 - our own column names
    " FROM document d FORCE INDEX (user_sha256_idx)"
    f" WHERE d.user_id = %s AND d.sha256 = %s ORDER BY d.id DESC LIMIT {LOOKED_AT})"
)
# PRIMARY. What was found inside a document has an id of its millisecond (see `derived_id`).
_INSIDE: Final = "(d.id BETWEEN %s AND %s AND d.parent_id = %s)"
# PRIMARY. Without a lock: it says what the source's result was when the copy was registered, and
# what becomes of the source later does not concern the copy.
SOURCES: Final = text(
    f"SELECT {columns(SOURCE_FIELDS)} FROM document d FORCE INDEX (PRIMARY)"  # noqa: S608 - our own column names
    " WHERE d.id IN :ids AND d.deleted_at IS NULL"
).bindparams(bindparam("ids", expanding=True))
# The driver joins the VALUES.
_INSERT: Final = text(
    "INSERT INTO document (id, batch_id, user_id, product, status, lane, priority, claim_at,"
    " queued_at, filename, content_type, size_bytes, sha256, object_key, result_key, attempt,"
    " dispatches, pipeline_version, page_count, character_count, document_class, partial,"
    " duplicate_of, uploaded_at, finished_at, row_version, options, traceparent,"
    " client_metadata) VALUES"
    " (:id, :batch_id, :user_id, :product, 'completed', :lane, :priority, :now, :now, :filename,"
    " :content_type, :size_bytes, :sha256, :object_key, :result_key, :attempt, 0,"
    " :pipeline_version, :page_count, :character_count, :document_class, :partial, :duplicate_of,"
    " :now, :now, :row_version, :options, :traceparent, :client_metadata)"
)


class MysqlReusableResults:
    """`ReusableResults` in MySQL."""

    def __init__(self, database: Database, pipelines: MysqlPipelines) -> None:
        self._database = database
        self._pipelines = pipelines

    async def find(self, batch: NewBatch) -> Sequence[Reusable]:
        """See `ReusableResults`."""
        wanted = [new for new in batch.documents if not new.reused and not new.sealed_password]
        versions = await self._pipelines.current() if wanted else frozenset[str]()
        if not versions:
            return ()
        hashes = sorted({new.sha256 for new in wanted})
        found: list[Reusable] = []
        async with self._database.reading("find_reusable") as connection:
            for first in range(0, len(hashes), _HASHES_A_QUERY):
                some = hashes[first : first + _HASHES_A_QUERY]
                sources = await _sources(connection, batch, some)
                usable = [each for each in sources if each.pipeline_version in versions]
                if usable:
                    found += await _without_inside(connection, _matched(batch, wanted, usable))
        return found


@lru_cache(maxsize=_HASHES_A_QUERY)
def candidates_statement(hashes: int) -> str:
    """The newest documents of a user with so many hashes: `SOURCE_FIELDS`, batch, deletion."""
    return " UNION ALL ".join([_NEWEST] * hashes)


def inside_statement(documents: int) -> str:
    """Which of so many documents have others inside them."""
    inside = " OR ".join([_INSIDE] * documents)
    return f"SELECT d.parent_id FROM document d FORCE INDEX (PRIMARY) WHERE {inside}"  # noqa: S608 - only placeholders


def inside_parameters(document_ids: Iterable[UUID]) -> tuple[bytes, ...]:
    """The parameters of `inside_statement`."""
    return tuple(
        value
        for document_id in sorted(each.bytes for each in document_ids)
        for value in (document_id[:6] + bytes(10), document_id[:6] + b"\xff" * 10, document_id)
    )


async def _sources(
    connection: SqlConnection, batch: NewBatch, hashes: Sequence[bytes]
) -> list[Document]:
    """Originals last, then the newest last: the last that fits is the best.

    None of the batch itself, which is being registered again then.
    """
    parameters = tuple(value for sha256 in hashes for value in (batch.user_id, sha256))
    rows = await connection.exec_driver_sql(candidates_statement(len(hashes)), parameters)
    found = [
        document_of(SOURCE_FIELDS, row[:-2])
        for row in rows
        if row.deleted_at is None and row.batch_id != batch.batch_id.bytes
    ]
    return sorted(found, key=lambda each: (each.duplicate_of is None, each.document_id))


def _matched(
    batch: NewBatch, wanted: Sequence[NewDocument], sources: Sequence[Document]
) -> list[Reusable]:
    by_hash: dict[bytes, list[Document]] = {}
    for source in sources:
        by_hash.setdefault(source.sha256, []).append(source)
    matched = []
    for new in wanted:
        fitting = [s for s in by_hash.get(new.sha256, ()) if is_source(s, batch.user_id, new)]
        if fitting:
            best = fitting[-1]
            matched.append(Reusable(new.document_id, best.document_id, best.result_key))
    return matched


async def _without_inside(connection: SqlConnection, matched: Sequence[Reusable]) -> list[Reusable]:
    ids = {each.source_id for each in matched}
    if not ids:
        return []
    rows = await connection.exec_driver_sql(inside_statement(len(ids)), inside_parameters(ids))
    parents = {UUID(bytes=parent) for parent in rows.scalars()}
    return [each for each in matched if each.source_id not in parents]


async def with_results(
    connection: SqlConnection, batch: NewBatch, documents: Sequence[Document], now: datetime
) -> list[Document]:
    """The documents to insert, in their order; those whose copied result stands are completed.

    A copy stands if its source is as it was found: the same result, of the same user's same
    content with the same options.
    """
    copies = {new.document_id: new for new in batch.documents if new.reused is not None}
    if not copies:
        return list(documents)
    ids = sorted({new.reused.source_id.bytes for new in copies.values() if new.reused})
    rows = await connection.execute(SOURCES, {"ids": ids})
    sources = {each.document_id: each for each in (document_of(SOURCE_FIELDS, r) for r in rows)}
    return [_with_result(document, copies, sources, now) for document in documents]


def _with_result(
    document: Document,
    copies: Mapping[UUID, NewDocument],
    sources: Mapping[UUID, Document],
    now: datetime,
) -> Document:
    new = copies.get(document.document_id)
    if new is None or new.reused is None:
        return document
    source = sources.get(new.reused.source_id)
    if source is None or source.result_key != new.reused.source_result_key:
        return document
    if not is_source(source, document.user_id, new):
        return document
    return replace(
        document,
        status=Status.COMPLETED,
        result_key=new.reused.result_key,
        content_type=source.content_type,
        page_count=source.page_count,
        character_count=source.character_count,
        document_class=source.document_class,
        partial=source.partial,
        pipeline_version=source.pipeline_version,
        duplicate_of=source.document_id,
        finished_at=now,
    )


async def insert_completed(
    connection: SqlConnection,
    documents: Sequence[Document],
    now: datetime,
    trace: TraceContext | None,
) -> None:
    """Inserts documents that `with_results` completed, in ascending id."""
    await connection.execute(_INSERT, [_row(document, now, trace) for document in documents])


def _row(document: Document, now: datetime, trace: TraceContext | None) -> dict[str, object]:
    assert document.duplicate_of is not None  # noqa: S101 - it was completed by a copy
    return {
        "id": document.document_id.bytes,
        "batch_id": document.batch_id.bytes,
        "user_id": document.user_id,
        "product": document.product,
        "lane": Lane.TEXT.value,
        "priority": (document.priority or Priority.NORMAL).value,
        "now": naive(now),
        "filename": document.filename,
        "content_type": document.content_type,
        "size_bytes": document.size_bytes,
        "sha256": document.sha256,
        "object_key": document.object_key,
        "result_key": document.result_key,
        "attempt": document.attempt,
        "pipeline_version": document.pipeline_version or None,
        "page_count": document.page_count,
        "character_count": document.character_count,
        "document_class": document.document_class or None,
        "partial": int(document.partial),
        "duplicate_of": document.duplicate_of.bytes,
        "row_version": document.row_version,
        "options": text_of(document.options) or None,
        "traceparent": None if trace is None else trace.packed,
        "client_metadata": document.metadata_json or None,
    }
