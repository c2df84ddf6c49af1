"""The JSON of the API."""

from datetime import datetime
from typing import Any

import msgspec

from sheaf_gateway.api.problems import Problem, file_problem
from sheaf_gateway.domain import (
    AcceptedFile,
    Batch,
    Document,
    DocumentPage,
    DocumentStatus,
    FileOutcome,
)
from sheaf_gateway.service.intake import TakenBatch


class DocumentBody(msgspec.Struct):
    """A document."""

    id: str
    batch_id: str
    filename: str
    status: DocumentStatus
    reason: str | None
    """Why it did not complete, for programs; null if it did or may."""
    reason_detail: str | None
    """The same for people."""
    pages: int | None
    """How many pages it has; null until it completes."""
    characters: int | None
    """How many characters of text it has; null until it completes."""
    partial: bool
    """Whether something of it could not be read; the result's warnings say what."""
    attempt: int
    content_type: str
    """As recognised from the content."""
    size_bytes: int
    sha256: str
    """Of the content, in hexadecimal."""
    uploaded_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    links: dict[str, str]


class BatchBody(msgspec.Struct):
    """The documents of one upload."""

    id: str
    product: str | None
    counts: dict[str, int]
    """How many documents are in each status; statuses without any are absent."""
    created_at: datetime | None
    finished_at: datetime | None
    """When its last document ended; null until then."""
    documents: list[DocumentBody]
    links: dict[str, str]


class DocumentPageBody(msgspec.Struct):
    """A page of documents, newest first."""

    documents: list[DocumentBody]
    next_cursor: str | None
    """Send it as `cursor` to get the next page; null on the last."""


class AcceptedFileBody(msgspec.Struct):
    """A file that was taken."""

    id: str
    filename: str
    status: DocumentStatus
    size_bytes: int
    sha256: str
    content_type: str


class RejectedFileBody(msgspec.Struct):
    """A file that was not taken."""

    filename: str
    status: str
    """Always `rejected`."""
    problem: Problem


class UploadBody(msgspec.Struct):
    """What became of an upload, file by file in the order of the request."""

    batch_id: str
    documents: list[dict[str, Any]]
    links: dict[str, str]


def upload_body(taken: TakenBatch) -> UploadBody:
    """The answer to an upload."""
    batch_id = str(taken.batch_id)
    statuses = {document.document_id: document.status for document in taken.documents}
    return UploadBody(
        batch_id=batch_id,
        documents=[_file(outcome, statuses) for outcome in taken.outcomes],
        links={"self": batch_path(batch_id), "documents": f"/v1/documents?batch_id={batch_id}"},
    )


def document_body(document: Document) -> DocumentBody:
    """A document as JSON."""
    completed = document.status is DocumentStatus.COMPLETED
    path = f"/v1/documents/{document.document_id}"
    links = {"self": path, "batch": batch_path(document.batch_id), "content": f"{path}/content"}
    if completed:
        links |= {"text": f"{path}/text", "result": f"{path}/result"}
    return DocumentBody(
        id=document.document_id,
        batch_id=document.batch_id,
        filename=document.filename,
        status=document.status,
        reason=document.reason or None,
        reason_detail=document.reason_detail or None,
        pages=document.page_count if completed else None,
        characters=document.character_count if completed else None,
        partial=document.partial,
        attempt=document.attempt,
        content_type=document.content_type,
        size_bytes=document.size_bytes,
        sha256=document.sha256.hex(),
        uploaded_at=document.uploaded_at,
        started_at=document.started_at,
        finished_at=document.finished_at,
        links=links,
    )


def batch_body(batch: Batch) -> BatchBody:
    """A batch as JSON."""
    return BatchBody(
        id=batch.batch_id,
        product=batch.product or None,
        counts={status.value: count for status, count in batch.counts.items()},
        created_at=batch.created_at,
        finished_at=batch.finished_at,
        documents=[document_body(document) for document in batch.documents],
        links={"self": batch_path(batch.batch_id)},
    )


def page_body(page: DocumentPage) -> DocumentPageBody:
    """A page of a listing as JSON."""
    return DocumentPageBody(
        [document_body(document) for document in page.documents], page.next_cursor or None
    )


def batch_path(batch_id: str) -> str:
    """Where a batch is followed."""
    return f"/v1/batches/{batch_id}"


def _file(outcome: FileOutcome, statuses: dict[str, DocumentStatus]) -> dict[str, Any]:
    if not isinstance(outcome, AcceptedFile):
        return file_problem(outcome)
    document_id = str(outcome.document_id)
    return {
        "id": document_id,
        "filename": outcome.filename,
        "status": statuses[document_id],
        "size_bytes": outcome.stored.size_bytes,
        "sha256": outcome.stored.sha256.hex(),
        "content_type": outcome.stored.content_type,
    }
