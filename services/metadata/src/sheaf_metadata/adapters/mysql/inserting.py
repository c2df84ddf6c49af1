"""Inserting documents: queued, in ascending id, in one statement."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text

from sheaf_common.pools.database_connection import SqlConnection
from sheaf_common.telemetry.trace_context import TraceContext
from sheaf_metadata.adapters.mysql.rows import naive
from sheaf_metadata.domain.documents import Document, Lane, Priority, Status
from sheaf_metadata.domain.options import text_of
from sheaf_metadata.domain.work import priority_shift
from sheaf_metadata.ports.fairness import Lags

# The driver joins the VALUES.
_INSERT: Final = text(
    "INSERT INTO document (id, batch_id, parent_id, user_id, product, status, lane, priority,"
    " claim_at, queued_at, filename, content_type, size_bytes, sha256, object_key, attempt,"
    " dispatches, partial, uploaded_at, row_version, options, depth, sealed_password, traceparent,"
    " client_metadata)"
    " VALUES"
    " (:id, :batch_id, :parent_id, :user_id, :product, :status, :lane, :priority, :claim_at,"
    " :queued_at, :filename, :content_type, :size_bytes, :sha256, :object_key, :attempt,"
    " :dispatches, :partial, :uploaded_at, :row_version, :options, :depth, :sealed_password,"
    " :traceparent, :client_metadata)"
)


async def insert_documents(
    connection: SqlConnection,
    documents: Sequence[Document],
    now: datetime,
    lags: Lags,
    sealed_passwords: Mapping[UUID, bytes],
    traces: Mapping[UUID, TraceContext | None],
) -> None:
    """Inserts whole documents, which come in ascending id, behind their users' others.

    `traces` has what each is traced under.
    """
    rows = [
        _row(
            document,
            now,
            lags,
            sealed_passwords.get(document.document_id),
            traces.get(document.document_id),
        )
        for document in documents
    ]
    await connection.execute(_INSERT, rows)


def claim_at(document: Document, now: datetime, lags: Lags) -> datetime:
    """Its place in line, if it is queued now."""
    priority = document.priority or Priority.NORMAL
    return now + lags.get(document.document_id, timedelta()) + priority_shift(priority)


def _row(
    document: Document,
    now: datetime,
    lags: Lags,
    sealed_password: bytes | None,
    trace: TraceContext | None,
) -> dict[str, object]:
    assert document.uploaded_at is not None  # noqa: S101 - whole documents are inserted
    return {
        "id": document.document_id.bytes,
        "batch_id": document.batch_id.bytes,
        "parent_id": None if document.parent_id is None else document.parent_id.bytes,
        "user_id": document.user_id,
        "product": document.product,
        "status": Status.QUEUED.value,
        "lane": Lane.TEXT.value,
        "priority": (document.priority or Priority.NORMAL).value,
        "claim_at": naive(claim_at(document, now, lags)),
        "queued_at": naive(now),
        "filename": document.filename,
        "content_type": document.content_type,
        "size_bytes": document.size_bytes,
        "sha256": document.sha256,
        "object_key": document.object_key,
        "attempt": document.attempt,
        "dispatches": 0,
        "partial": 0,
        "uploaded_at": naive(document.uploaded_at),
        "row_version": document.row_version,
        "options": text_of(document.options) or None,
        "depth": document.depth,
        "sealed_password": sealed_password or None,
        "traceparent": None if trace is None else trace.packed,
        "client_metadata": document.metadata_json or None,
    }
