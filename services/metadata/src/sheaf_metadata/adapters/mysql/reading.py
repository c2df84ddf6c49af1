"""Reading documents, batches and workflows: only the columns asked for, each in one query."""

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TextClause, bindparam, text

from sheaf_metadata.adapters.mysql.database import Database
from sheaf_metadata.adapters.mysql.listing import scan
from sheaf_metadata.adapters.mysql.rows import aware, columns, document_of
from sheaf_metadata.domain.claims import MAX_DOCUMENTS
from sheaf_metadata.domain.documents import (
    Batch,
    BatchView,
    Document,
    WorkflowView,
    counts_of,
    view_of,
)
from sheaf_metadata.domain.fields import Fields, with_fields
from sheaf_metadata.domain.listing import ListFilter
from sheaf_metadata.domain.paging import Position, Scan

_OF_USER: Final = " AND {table}.user_id = :user_id"
# PRIMARY.
_BATCH_FINISHED: Final = "SELECT b.finished_at IS NOT NULL FROM batch b WHERE b.id = :id"
_BATCH_COLUMNS: Final = "b.user_id, b.product, b.document_count, b.created_at, b.finished_at"
_BATCH_WIDTH: Final = 5


# PRIMARY.
OPEN: Final = text(
    "SELECT d.id FROM document d FORCE INDEX (PRIMARY) WHERE d.id IN :ids"
    " AND d.status IN ('awaiting_upload', 'queued', 'processing')"
).bindparams(bindparam("ids", expanding=True))


class MysqlReads:
    """`Reads` in MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def document(
        self, document_id: UUID, fields: Fields, user_id: str | None
    ) -> Document | None:
        """See `Reads`."""
        statement = document_statement(fields, scoped=user_id is not None)
        async with self._database.reading("get_document") as connection:
            found = await connection.execute(statement, _parameters(user_id, id=document_id.bytes))
            row = found.one_or_none()
        return None if row is None else document_of(fields, row)

    async def open_documents(self, document_ids: Collection[UUID]) -> Collection[UUID]:
        """See `Reads`."""
        ids = sorted(document_id.bytes for document_id in document_ids)
        async with self._database.reading("open_documents") as connection:
            found = await connection.execute(OPEN, {"ids": ids})
            return {UUID(bytes=document_id) for document_id in found.scalars()}

    async def batch(self, batch_id: UUID, fields: Fields, user_id: str | None) -> BatchView | None:
        """See `Reads`."""
        needed = with_fields(fields, "document_id", "status")
        statement = batch_statement(needed, scoped=user_id is not None)
        async with self._database.reading("get_batch") as connection:
            found = await connection.execute(statement, _parameters(user_id, id=batch_id.bytes))
            rows = found.all()
        return _batch_view(batch_id, needed, rows) if rows else None

    async def batch_finished(self, batch_id: UUID, user_id: str | None) -> bool | None:
        """See `Reads`."""
        statement = _batch_finished_statement(scoped=user_id is not None)
        async with self._database.reading("wait_batch") as connection:
            found = await connection.execute(statement, _parameters(user_id, id=batch_id.bytes))
            finished = found.scalar_one_or_none()
        return None if finished is None else bool(finished)

    async def workflow(
        self, workflow_id: str, fields: Fields, user_id: str | None
    ) -> WorkflowView | None:
        """See `Reads`."""
        needed = with_fields(fields, "status")
        statement = workflow_statement(needed, scoped=user_id is not None)
        parameters = _parameters(user_id, workflow_id=workflow_id, limit=MAX_DOCUMENTS)
        async with self._database.reading("get_workflow") as connection:
            rows = (await connection.execute(statement, parameters)).all()
        documents = [document_of(needed, row) for row in rows]
        return WorkflowView(workflow_id, documents, counts_of(documents)) if documents else None

    async def documents(
        self, wanted: ListFilter, fields: Fields, after: Position | None, limit: int
    ) -> Scan:
        """See `Reads`."""
        async with self._database.reading("list_documents") as connection:
            return await scan(connection, wanted, fields, after, limit)


@lru_cache(maxsize=256)
def document_statement(fields: Fields, *, scoped: bool) -> TextClause:
    """One document by PRIMARY."""
    user = _OF_USER.format(table="d") if scoped else ""
    return text(f"SELECT {columns(fields)} FROM document d WHERE d.id = :id{user}")  # noqa: S608 - our own column names


@lru_cache(maxsize=256)
def batch_statement(fields: Fields, *, scoped: bool) -> TextClause:
    """A batch by PRIMARY with its documents by batch_idx; sorted by who reads them."""
    user = _OF_USER.format(table="b") if scoped else ""
    return text(
        f"SELECT {_BATCH_COLUMNS}, {columns(fields)} FROM batch b"  # noqa: S608 - our own column names
        " LEFT JOIN document d FORCE INDEX (batch_idx) ON d.batch_id = b.id"
        f" WHERE b.id = :id{user}"
    )


@lru_cache(maxsize=2)
def _batch_finished_statement(*, scoped: bool) -> TextClause:
    return text(_BATCH_FINISHED + (_OF_USER.format(table="b") if scoped else ""))


@lru_cache(maxsize=256)
def workflow_statement(fields: Fields, *, scoped: bool) -> TextClause:
    """A workflow's documents by workflow_id_idx, which gives them in ascending id."""
    user = _OF_USER.format(table="d") if scoped else ""
    return text(
        f"SELECT {columns(fields)} FROM document d FORCE INDEX (workflow_id_idx)"  # noqa: S608 - our own column names
        f" WHERE d.workflow_id = :workflow_id{user} ORDER BY d.id LIMIT :limit"
    )


def _parameters(user_id: str | None, **values: object) -> dict[str, object]:
    return values if user_id is None else {**values, "user_id": user_id}


def _batch_view(batch_id: UUID, fields: Fields, rows: Sequence[Any]) -> BatchView:
    user_id, product, document_count, created_at, finished_at = rows[0][:_BATCH_WIDTH]
    batch = Batch(
        batch_id,
        user_id,
        product,
        document_count,
        aware(created_at),
        None if finished_at is None else aware(finished_at),
    )
    documents = (
        document_of(fields, row[_BATCH_WIDTH:]) for row in rows if row[_BATCH_WIDTH] is not None
    )
    return view_of(batch, documents)
