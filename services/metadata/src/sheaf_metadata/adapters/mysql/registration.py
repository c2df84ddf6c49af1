"""Registering a batch: one transaction, four statements however many documents."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, text

from sheaf_common.errors import AlreadyExists, Conflict, InvalidInput
from sheaf_common.pools.database_connection import IntegrityError, SqlConnection
from sheaf_metadata.adapters.mysql import idempotency
from sheaf_metadata.adapters.mysql.database import Database
from sheaf_metadata.adapters.mysql.errors import DUPLICATE_KEY, error_number
from sheaf_metadata.adapters.mysql.events import DocumentEvent, insert_events
from sheaf_metadata.adapters.mysql.inserting import insert_documents
from sheaf_metadata.adapters.mysql.reusing import insert_completed, with_results
from sheaf_metadata.adapters.mysql.rows import aware, columns, document_of, naive
from sheaf_metadata.domain.documents import Batch, Document, Lane, Status
from sheaf_metadata.domain.fields import ALL_FIELDS
from sheaf_metadata.domain.idempotency import KeyAnswered
from sheaf_metadata.domain.registration import (
    NewBatch,
    check_ages,
    in_request_order,
    same_document,
)
from sheaf_metadata.ports.fairness import Lags

# PRIMARY of deletion, which holds what was deleted a while ago: a batch that is registered again
# after its caller lost the answer may have been seen, and deleted, meanwhile.
NOW: Final = text(
    "SELECT UTC_TIMESTAMP(6) AS now, EXISTS (SELECT 1 FROM deletion t FORCE INDEX (PRIMARY)"
    " WHERE t.document_id IN :ids) AS deleted"
).bindparams(bindparam("ids", expanding=True))
_INSERT_BATCH: Final = text(
    "INSERT INTO batch (id, user_id, product, document_count, created_at, finished_at)"
    " VALUES (:id, :user_id, :product, :document_count, :created_at, :finished_at)"
)
# PRIMARY of each.
_BATCH: Final = text(
    "SELECT user_id, product, document_count, created_at, finished_at FROM batch WHERE id = :id"
)
DOCUMENTS: Final = text(
    f"SELECT {columns(ALL_FIELDS)} FROM document d WHERE d.id IN :ids"  # noqa: S608 - our own column names
).bindparams(bindparam("ids", expanding=True))
# batch_idx: the batch's documents but those that were inside others.
_UPLOADED: Final = text(
    "SELECT COUNT(*) FROM document d FORCE INDEX (batch_idx) WHERE d.batch_id = :id AND d.depth = 0"
)
_TRIES: Final = 3
# PRIMARY.
_DELETED: Final = text(
    "SELECT t.document_id, t.user_id, t.deleted_at FROM deletion t WHERE t.document_id IN :ids"
).bindparams(bindparam("ids", expanding=True))

Kept = Callable[[Batch, Sequence[Document]], bytes]
"""Makes what is kept of a batch under its idempotency key."""


class _Recorded(Exception):
    """Something of the batch is recorded already; nothing was changed."""


class MysqlRegistrations:
    """`Registrations` in MySQL."""

    def __init__(self, database: Database, kept: Kept) -> None:
        self._database = database
        self._kept = kept

    async def register(
        self, batch: NewBatch, lags: Lags
    ) -> tuple[Batch, tuple[Document, ...], bool]:
        """See `Registrations`."""

        async def insert(connection: SqlConnection) -> tuple[Batch, tuple[Document, ...]]:
            recorded, documents = await _insert(connection, batch, lags)
            if batch.idempotency is not None:
                kept = self._kept(recorded, documents)
                await idempotency.complete(connection, batch.idempotency, kept)
            return recorded, documents

        for _ in range(_TRIES):
            refusal: InvalidInput | None = None
            try:
                return *await self._database.transaction("register_batch", insert), True
            except _Recorded:
                pass
            except InvalidInput as error:
                # What was registered when it was young may be registered again.
                refusal = error
            if batch.idempotency is not None:
                held = batch.idempotency.held
                if (kept := await idempotency.answered(self._database, held)) is not None:
                    raise KeyAnswered(kept)
            recorded = await self._recorded(batch)
            if recorded is not None:
                return *recorded, False
            if refusal is not None:
                raise refusal
        raise Conflict("LOCK_CONFLICT", "another call registers the same batch")

    async def _recorded(self, batch: NewBatch) -> tuple[Batch, tuple[Document, ...]] | None:
        """What is recorded of the batch, if it is the same; None if nothing is.

        What was deleted since is answered as it was registered.
        """
        ids = [new.document_id.bytes for new in batch.documents]
        async with self._database.reading("register_batch_again") as connection:
            row = (await connection.execute(_BATCH, {"id": batch.batch_id.bytes})).one_or_none()
            rows = (await connection.execute(DOCUMENTS, {"ids": ids})).all()
            uploaded = await connection.execute(_UPLOADED, {"id": batch.batch_id.bytes})
            uploaded_count = uploaded.scalar_one()
            buried = (await connection.execute(_DELETED, {"ids": ids})).all()
        documents = {d.document_id: d for d in (document_of(ALL_FIELDS, found) for found in rows)}
        for new in batch.documents:
            found = documents.get(new.document_id)
            if found is not None and not same_document(new, batch, found):
                raise _document_exists(new.document_id)
        gone = _gone(batch, buried)
        if row is None:
            if not gone:
                return None
            moment = aware(buried[0].deleted_at)
            whole = Batch(batch.batch_id, batch.user_id, batch.product, 0, moment, moment)
            return whole, in_request_order(batch, _documents(batch, moment))
        documents = gone | documents
        if (row.user_id, uploaded_count + len(gone), len(documents)) != (
            batch.user_id,
            len(batch.documents),
            len(batch.documents),
        ):
            raise AlreadyExists(
                "BATCH_EXISTS",
                f"the batch {batch.batch_id} is there already, with other documents",
                evidence={"batch_id": str(batch.batch_id)},
            )
        recorded = Batch(
            batch.batch_id,
            row.user_id,
            row.product,
            row.document_count,
            aware(row.created_at),
            None if row.finished_at is None else aware(row.finished_at),
        )
        return recorded, in_request_order(batch, tuple(documents.values()))


async def _insert(
    connection: SqlConnection, batch: NewBatch, lags: Lags
) -> tuple[Batch, tuple[Document, ...]]:
    ids = [new.document_id.bytes for new in batch.documents]
    at = (await connection.execute(NOW, {"ids": ids})).one()
    if at.deleted:
        raise _Recorded
    now = aware(at.now)
    check_ages(batch, now)
    documents = sorted(_documents(batch, now), key=lambda document: document.document_id.bytes)
    documents = await with_results(connection, batch, documents, now)
    queued = [document for document in documents if document.status is Status.QUEUED]
    completed = [document for document in documents if document.status is Status.COMPLETED]
    try:
        await connection.execute(
            _INSERT_BATCH,
            {
                "id": batch.batch_id.bytes,
                "user_id": batch.user_id,
                "product": batch.product,
                "document_count": len(documents),
                "created_at": naive(now),
                "finished_at": None if queued else naive(now),
            },
        )
        passwords = {new.document_id: new.sealed_password for new in batch.documents}
        traces = {new.document_id: batch.trace for new in batch.documents}
        if queued:
            await insert_documents(connection, queued, now, lags, passwords, traces)
        if completed:
            await insert_completed(connection, completed, now, batch.trace)
    except IntegrityError as error:
        if error_number(error) == DUPLICATE_KEY:
            raise _Recorded from error
        raise
    events = [
        DocumentEvent(document.document_id, batch.batch_id, batch.user_id, status, document.attempt)
        for document in documents
        if (status := document.status) is not None
    ]
    finished = () if queued else ((batch.batch_id, batch.user_id),)
    await insert_events(connection, events, finished, now)
    finished_at = None if queued else now
    recorded = Batch(batch.batch_id, batch.user_id, batch.product, len(documents), now, finished_at)
    return recorded, in_request_order(batch, documents)


def _gone(batch: NewBatch, buried: Sequence[Any]) -> dict[UUID, Document]:
    """Those of the documents that were deleted, as they were registered."""
    for row in buried:
        if row.user_id != batch.user_id:
            raise _document_exists(UUID(bytes=row.document_id))
    deleted = {row.document_id: aware(row.deleted_at) for row in buried}
    return {
        document.document_id: replace(document, uploaded_at=deleted[document.document_id.bytes])
        for document in _documents(batch, datetime.now(UTC))
        if document.document_id.bytes in deleted
    }


def _documents(batch: NewBatch, now: datetime) -> list[Document]:
    return [
        Document(
            document_id=new.document_id,
            batch_id=batch.batch_id,
            user_id=batch.user_id,
            product=batch.product,
            status=Status.QUEUED,
            lane=Lane.TEXT,
            priority=batch.priority,
            filename=new.filename,
            content_type=new.content_type,
            size_bytes=new.size_bytes,
            sha256=new.sha256,
            object_key=new.object_key,
            attempt=1,
            uploaded_at=now,
            row_version=1,
            options=new.options,
            metadata_json=batch.metadata_json,
        )
        for new in batch.documents
    ]


def _document_exists(document_id: UUID) -> AlreadyExists:
    return AlreadyExists(
        "DOCUMENT_EXISTS",
        f"the id {document_id} is another document's",
        evidence={"document_id": str(document_id)},
    )
