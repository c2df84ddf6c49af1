"""What the API answers. Fields that a newer server adds are ignored."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class DocumentStatus(StrEnum):
    """Where a document stands."""

    AWAITING_UPLOAD = "awaiting_upload"
    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    QUARANTINED = "quarantined"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more happens to the document by itself."""
        return self not in {self.AWAITING_UPLOAD, self.QUEUED, self.PROCESSING}


class Priority(StrEnum):
    """How urgent documents are."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class OcrMode(StrEnum):
    """When pages are read by optical character recognition."""

    AUTO = "auto"
    """Where a page has no usable text of its own."""
    ALWAYS = "always"
    NEVER = "never"


class Duplicates(StrEnum):
    """What becomes of content that the user has sent before."""

    REUSE = "reuse"
    """It completes at once with a copy of the result there is."""
    PROCESS = "process"
    """It is extracted like any other."""


class Problem(msgspec.Struct, frozen=True):
    """An error as the server describes it (RFC 9457)."""

    type: str = "about:blank"
    title: str = ""
    status: int = 0
    detail: str = ""
    code: str = ""
    instance: str = ""
    request_id: str = ""
    errors: tuple[Mapping[str, Any], ...] = ()


class UploadedFile(msgspec.Struct, frozen=True):
    """What became of one file of an upload. `id` is None and `problem` is set if rejected."""

    filename: str
    status: str
    id: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    content_type: str | None = None
    duplicate_of: str | None = None
    problem: Problem | None = None

    @property
    def accepted(self) -> bool:
        """Whether the file is a document now, which cannot be lost."""
        return self.id is not None


class Upload(msgspec.Struct, frozen=True):
    """An upload's answer: each file's outcome in the order of the request.

    `is_replayed` says that this upload had been taken before, under the same idempotency key,
    and is answered as it was then.
    """

    batch_id: str
    documents: tuple[UploadedFile, ...]
    is_replayed: bool = False

    @property
    def accepted(self) -> tuple[UploadedFile, ...]:
        """The files that were taken."""
        return tuple(file for file in self.documents if file.accepted)

    @property
    def rejected(self) -> tuple[UploadedFile, ...]:
        """The files that were not."""
        return tuple(file for file in self.documents if not file.accepted)


class Options(msgspec.Struct, frozen=True):
    """What is asked of a document's extraction."""

    words: bool = False
    ocr: OcrMode = OcrMode.AUTO
    ocr_languages: tuple[str, ...] = ()
    pages: str | None = None
    """Such as `1-3,7,10-`; None means all."""


class Progress(msgspec.Struct, frozen=True):
    """How far a document is whose pages are recognised."""

    pages_done: int
    pages_total: int


class Document(msgspec.Struct, frozen=True):
    """A document. `pages` and `characters` are None until it completes.

    `parent_id` is the document that it was found in, such as a mail; None if it was uploaded.
    `duplicate_of` is the document whose result it has a copy of; `metadata` came with the upload.
    """

    id: str
    batch_id: str
    filename: str
    status: DocumentStatus
    attempt: int
    content_type: str
    size_bytes: int
    sha256: str
    workflow_id: str | None = None
    product: str | None = None
    document_class: str | None = None
    reason: str | None = None
    reason_detail: str | None = None
    pages: int | None = None
    characters: int | None = None
    partial: bool = False
    parent_id: str | None = None
    depth: int = 0
    duplicate_of: str | None = None
    metadata: dict[str, Any] | None = None
    priority: Priority = Priority.NORMAL
    options: Options = Options()
    progress: Progress | None = None
    uploaded_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class Batch(msgspec.Struct, frozen=True):
    """The documents of one upload. `finished_at` is None until the last has ended."""

    id: str
    counts: dict[str, int]
    documents: tuple[Document, ...]
    product: str | None = None
    created_at: datetime | None = None
    finished_at: datetime | None = None


class Replayed(msgspec.Struct, frozen=True):
    """Quarantined documents that are queued again; `more` says whether others are left."""

    document_ids: tuple[str, ...]
    more: bool


class Kpi(msgspec.Struct, frozen=True):
    """A target and how it is met: `value`, in `unit`, must stay below `threshold`.

    `value` and `ok` are None where nothing was there to be measured.
    """

    name: str
    text: str
    threshold: float
    unit: str
    value: float | None = None
    ok: bool | None = None


class UnavailablePart(msgspec.Struct, frozen=True):
    """A part of the server that did not answer; its targets have no value."""

    part: str
    reason: str
    detail: str = ""


class Kpis(msgspec.Struct, frozen=True):
    """Every target over the last `window_s` seconds before `at`.

    `ok` is False if one is missed, and None if none is but a part did not answer.
    """

    window_s: int
    at: datetime
    kpis: tuple[Kpi, ...]
    ok: bool | None = None
    unavailable: tuple[UnavailablePart, ...] = ()


class Workflow(msgspec.Struct, frozen=True):
    """The documents that one workflow holds or ended."""

    id: str
    counts: dict[str, int]
    documents: tuple[Document, ...]


class DocumentPage(msgspec.Struct, frozen=True):
    """A page of documents, newest first; it may be short, or empty, and not be the last."""

    documents: tuple[Document, ...]
    next_cursor: str | None = None
