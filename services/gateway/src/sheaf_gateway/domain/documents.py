"""Documents as they are recorded, and the batches and workflows that they are in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from sheaf_gateway.options import DEFAULT_OPTIONS, Options, Priority


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
        return self in _TERMINAL


_TERMINAL: Final = frozenset(
    {
        DocumentStatus.COMPLETED,
        DocumentStatus.FAILED,
        DocumentStatus.QUARANTINED,
        DocumentStatus.CANCELLED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document as it is recorded, or the columns of it that were asked for.

    A column that was not asked for has its default here. Times are UTC; `reason` says why it
    did not complete.
    """

    document_id: str
    batch_id: str = ""
    parent_id: str = ""
    depth: int = 0
    workflow_id: str = ""
    product: str = ""
    priority: Priority | None = None
    options: Options = DEFAULT_OPTIONS
    metadata_json: str = field(default="", repr=False)
    filename: str = ""
    status: DocumentStatus | None = None
    attempt: int = 0
    content_type: str = ""
    size_bytes: int = 0
    sha256: bytes = b""
    object_key: str = ""
    result_key: str = ""
    page_count: int = 0
    character_count: int = 0
    pages_done: int = 0
    pages_total: int = 0
    document_class: str = ""
    partial: bool = False
    duplicate_of: str = ""
    reason: str = ""
    reason_detail: str = ""
    uploaded_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def has_ended(self) -> bool:
        """Whether its status, if it was asked for, is terminal."""
        return self.status is not None and self.status.is_terminal

    @property
    def has_pictures(self) -> bool:
        """Whether its pages can be drawn, as far as its content type tells."""
        return self.content_type == "application/pdf" or self.content_type.startswith("image/")


Columns = frozenset[str]
"""Names of columns of `Document`. `document_id` is read whether it is among them or not."""

ALL_COLUMNS: Final[Columns] = frozenset(Document.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch and its documents; `counts` has the statuses that occur."""

    batch_id: str
    product: str
    counts: Mapping[DocumentStatus, int]
    created_at: datetime | None
    finished_at: datetime | None
    documents: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class Workflow:
    """The user's documents that one workflow holds or ended; `counts` as of a batch."""

    workflow_id: str
    counts: Mapping[DocumentStatus, int]
    documents: tuple[Document, ...]
