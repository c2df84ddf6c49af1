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
    problem: Problem | None = None

    @property
    def accepted(self) -> bool:
        """Whether the file is a document now, which cannot be lost."""
        return self.id is not None


class Upload(msgspec.Struct, frozen=True):
    """An upload's answer: each file's outcome in the order of the request."""

    batch_id: str
    documents: tuple[UploadedFile, ...]

    @property
    def accepted(self) -> tuple[UploadedFile, ...]:
        """The files that were taken."""
        return tuple(file for file in self.documents if file.accepted)

    @property
    def rejected(self) -> tuple[UploadedFile, ...]:
        """The files that were not."""
        return tuple(file for file in self.documents if not file.accepted)


class Document(msgspec.Struct, frozen=True):
    """A document. `pages` and `characters` are None until it completes."""

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


class Workflow(msgspec.Struct, frozen=True):
    """The documents that one workflow holds or ended."""

    id: str
    counts: dict[str, int]
    documents: tuple[Document, ...]


class DocumentPage(msgspec.Struct, frozen=True):
    """A page of documents, newest first; it may be short, or empty, and not be the last."""

    documents: tuple[Document, ...]
    next_cursor: str | None = None
