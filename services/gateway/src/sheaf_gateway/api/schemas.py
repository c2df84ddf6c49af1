"""The JSON of the API."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias, TypeVar, cast

import msgspec
from msgspec import UNSET, UnsetType

from sheaf_gateway.api.links import accepted_file_links, batch_links, document_links
from sheaf_gateway.api.problems import Problem, file_problem
from sheaf_gateway.domain.documents import Batch, Document, DocumentStatus, Workflow
from sheaf_gateway.domain.listing import DocumentPage
from sheaf_gateway.domain.replaying import Replayed
from sheaf_gateway.domain.uploads import AcceptedFile, FileOutcome
from sheaf_gateway.options import OcrMode, Options, Priority
from sheaf_gateway.pages import pages_text
from sheaf_gateway.service.answers import TakenBatch

ValueT = TypeVar("ValueT")
Selectable: TypeAlias = ValueT | UnsetType
"""A field that is absent if `?fields=` leaves it out."""


class OptionsBody(msgspec.Struct):
    """What is asked of a document's extraction."""

    words: bool
    """Whether the result holds words with their boxes."""
    ocr: OcrMode
    """When pages are recognised."""
    ocr_languages: list[str]
    """Languages to recognise, most likely first; empty means the engine's default."""
    pages: str | None
    """Which pages are read, such as `1-3,7,10-`, in order; null means all."""


class ProgressBody(msgspec.Struct):
    """How far a document is whose pages are recognised."""

    pages_done: int
    pages_total: int


class DocumentBody(msgspec.Struct):
    """A document; where `fields` was sent, its id and those fields alone."""

    id: str
    batch_id: Selectable[str] = UNSET
    parent_id: Selectable[str | None] = UNSET
    """The document that it was found in, such as a mail; null if it was uploaded."""
    depth: Selectable[int] = UNSET
    """How deep it lies in others; 0 if it was uploaded."""
    workflow_id: Selectable[str | None] = UNSET
    """The workflow that holds it or ended it; null if none did."""
    product: Selectable[str | None] = UNSET
    """The label that came with the upload; null if none did."""
    priority: Selectable[Priority] = UNSET
    options: Selectable[OptionsBody] = UNSET
    metadata: Selectable[dict[str, Any] | None] = UNSET
    """What was written on it at upload, as it was sent; null if nothing was."""
    filename: Selectable[str] = UNSET
    status: Selectable[DocumentStatus] = UNSET
    reason: Selectable[str | None] = UNSET
    """Why it did not complete, for programs; null if it did or may."""
    reason_detail: Selectable[str | None] = UNSET
    """The same for people."""
    pages: Selectable[int | None] = UNSET
    """How many pages it has, wanted or not; null until it completes."""
    characters: Selectable[int | None] = UNSET
    """How many characters of text it has; null until it completes."""
    document_class: Selectable[str | None] = UNSET
    """What it was recognised as; null if it was not, or not yet."""
    partial: Selectable[bool] = UNSET
    """Whether something of it could not be read; the result's warnings say what."""
    duplicate_of: Selectable[str | None] = UNSET
    """The document whose result it has a copy of, which may be deleted since; null if it was
    processed itself."""
    attempt: Selectable[int] = UNSET
    """From 1; reprocessing begins the next."""
    progress: Selectable[ProgressBody | None] = UNSET
    """Null where pages are not read one by one."""
    content_type: Selectable[str] = UNSET
    """As recognised from the content."""
    size_bytes: Selectable[int] = UNSET
    sha256: Selectable[str] = UNSET
    """Of the content, in hexadecimal."""
    uploaded_at: Selectable[datetime | None] = UNSET
    started_at: Selectable[datetime | None] = UNSET
    finished_at: Selectable[datetime | None] = UNSET
    links: Selectable[dict[str, str]] = UNSET


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


class WorkflowBody(msgspec.Struct):
    """The user's documents that one workflow holds or ended."""

    id: str
    counts: dict[str, int]
    """How many documents are in each status; statuses without any are absent."""
    documents: list[DocumentBody]
    """In ascending order of id."""
    links: dict[str, str]


class DocumentPageBody(msgspec.Struct):
    """A page of documents, newest first. It may be short, or empty, and not be the last."""

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
    links: dict[str, str]
    duplicate_of: str | None
    """The document whose result it has a copy of, and with that is completed; null if none."""


class RejectedFileBody(msgspec.Struct):
    """A file that was not taken."""

    filename: str
    status: str
    """Always `rejected`."""
    problem: Problem


class EventBody(msgspec.Struct):
    """What happened, as `data` of a server-sent event; null does not apply to its type."""

    position: int
    """Its place among all events: the `Last-Event-ID` to go on after it."""
    type: str
    document_id: str | None
    batch_id: str
    status: DocumentStatus | None
    attempt: int | None
    reason: str | None
    created_at: datetime


class ReplayedBody(msgspec.Struct):
    """What is queued again."""

    document_ids: list[str]
    """In ascending order."""
    more: bool
    """Whether more documents are left that the request would take."""


class UploadBody(msgspec.Struct):
    """What became of an upload, file by file in the order of the request."""

    batch_id: str
    documents: list[dict[str, Any]]
    links: dict[str, str]


def upload_body(taken: TakenBatch) -> UploadBody:
    """The answer to an upload."""
    batch_id = str(taken.batch_id)
    documents = {document.document_id: document for document in taken.documents}
    return UploadBody(
        batch_id=batch_id,
        documents=[_file(outcome, documents) for outcome in taken.outcomes],
        links=batch_links(batch_id),
    )


def document_body(document: Document, fields: Sequence[str] | None) -> DocumentBody:
    """A document as JSON; only its id and those fields, unless None means all."""
    completed = document.status is DocumentStatus.COMPLETED
    body = DocumentBody(
        id=document.document_id,
        batch_id=document.batch_id,
        parent_id=document.parent_id or None,
        depth=document.depth,
        workflow_id=document.workflow_id or None,
        product=document.product or None,
        priority=document.priority or Priority.NORMAL,
        options=_options(document.options),
        metadata=_metadata(document.metadata_json),
        filename=document.filename,
        status=document.status or UNSET,
        reason=document.reason or None,
        reason_detail=document.reason_detail or None,
        pages=document.page_count if completed else None,
        characters=document.character_count if completed else None,
        document_class=document.document_class or None,
        partial=document.partial,
        duplicate_of=document.duplicate_of or None,
        attempt=document.attempt,
        progress=_progress(document),
        content_type=document.content_type,
        size_bytes=document.size_bytes,
        sha256=document.sha256.hex(),
        uploaded_at=document.uploaded_at,
        started_at=document.started_at,
        finished_at=document.finished_at,
        links=document_links(document),
    )
    if fields is None:
        return body
    return DocumentBody(body.id, **{name: getattr(body, name) for name in fields if name != "id"})


def _options(options: Options) -> OptionsBody:
    pages = pages_text(options.pages) or None
    return OptionsBody(options.words, options.ocr, list(options.ocr_languages), pages)


def _metadata(text: str) -> dict[str, Any] | None:
    """What is sent, unread: it is the JSON of an object, written when it was taken."""
    return cast("dict[str, Any]", msgspec.Raw(text.encode())) if text else None


def _progress(document: Document) -> ProgressBody | None:
    if not document.pages_total:
        return None
    return ProgressBody(document.pages_done, document.pages_total)


def replayed_body(replayed: Replayed) -> ReplayedBody:
    """The answer to a replay."""
    return ReplayedBody(list(replayed.document_ids), replayed.more)


def batch_body(batch: Batch, fields: Sequence[str] | None) -> BatchBody:
    """A batch as JSON, with those fields of its documents."""
    return BatchBody(
        id=batch.batch_id,
        product=batch.product or None,
        counts=_counts(batch.counts),
        created_at=batch.created_at,
        finished_at=batch.finished_at,
        documents=[document_body(document, fields) for document in batch.documents],
        links=batch_links(batch.batch_id),
    )


def workflow_body(workflow: Workflow, fields: Sequence[str] | None) -> WorkflowBody:
    """A workflow as JSON, with those fields of its documents."""
    return WorkflowBody(
        id=workflow.workflow_id,
        counts=_counts(workflow.counts),
        documents=[document_body(document, fields) for document in workflow.documents],
        links={"self": f"/v1/workflows/{workflow.workflow_id}"},
    )


def page_body(page: DocumentPage, fields: Sequence[str] | None) -> DocumentPageBody:
    """A page of a listing as JSON, with those fields of its documents."""
    return DocumentPageBody(
        [document_body(document, fields) for document in page.documents], page.next_cursor or None
    )


def _counts(counts: Mapping[DocumentStatus, int]) -> dict[str, int]:
    return {status.value: count for status, count in counts.items()}


def _file(outcome: FileOutcome, documents: Mapping[str, Document]) -> dict[str, Any]:
    if not isinstance(outcome, AcceptedFile):
        return file_problem(outcome)
    document_id = str(outcome.document_id)
    return {
        "id": document_id,
        "filename": outcome.filename,
        "status": documents[document_id].status,
        "size_bytes": outcome.stored.size_bytes,
        "sha256": outcome.stored.sha256.hex(),
        "content_type": outcome.stored.content_type,
        "links": accepted_file_links(document_id),
        "duplicate_of": documents[document_id].duplicate_of or None,
    }
