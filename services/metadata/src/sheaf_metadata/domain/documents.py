"""Documents, batches and workflows, as they are recorded."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final
from uuid import UUID

from sheaf_metadata.domain.options import DEFAULTS, Options


class Status(Enum):
    """Where a document stands; the values are what the table holds."""

    AWAITING_UPLOAD = "awaiting_upload"
    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    QUARANTINED = "quarantined"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """Whether nothing follows but a new attempt."""
        return self in TERMINAL


TERMINAL: Final = frozenset({Status.COMPLETED, Status.FAILED, Status.QUARANTINED, Status.CANCELLED})


class Lane(Enum):
    """The kind of work that a document waits for."""

    TEXT = "text"
    OCR = "ocr"


class Priority(Enum):
    """How urgent a document is."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


NIL: Final = UUID(int=0)
"""The id that stands for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document's row, or the columns of it that were asked for.

    A column that was not asked for has its default here, as an absent field has in the
    contract. Times are aware, in UTC, of the database's clock.
    """

    document_id: UUID = NIL
    batch_id: UUID = NIL
    parent_id: UUID | None = None
    user_id: str = ""
    product: str = ""
    status: Status | None = None
    lane: Lane | None = None
    priority: Priority | None = None
    filename: str = ""
    content_type: str = ""
    size_bytes: int = 0
    sha256: bytes = b""
    object_key: str = ""
    result_key: str = ""
    workflow_id: str = ""
    attempt: int = 0
    dispatches: int = 0
    pipeline_version: str = ""
    page_count: int = 0
    character_count: int = 0
    document_class: str = ""
    partial: bool = False
    duplicate_of: UUID | None = None
    error_code: str = ""
    error_message: str = ""
    uploaded_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    row_version: int = 0
    options: Options = DEFAULTS
    depth: int = 0
    pages_done: int = 0
    pages_total: int = 0
    metadata_json: str = ""


DOCUMENT_FIELDS: Final[tuple[str, ...]] = tuple(Document.__dataclass_fields__)
"""Every field of a document, in the order of the contract."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Documents that were uploaded together."""

    batch_id: UUID
    user_id: str
    product: str
    document_count: int
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch, its documents in ascending id, and how many are in each status."""

    batch: Batch
    documents: Sequence[Document]
    counts: dict[Status, int]


def view_of(batch: Batch, documents: Iterable[Document]) -> BatchView:
    """The view of a batch with its documents, read at least with id and status, in any order."""
    ordered = sorted(documents, key=lambda document: document.document_id)
    counts = Counter(document.status for document in ordered if document.status is not None)
    return BatchView(batch, ordered, dict(counts))


@dataclass(frozen=True, slots=True)
class WorkflowView:
    """The documents that a workflow holds or ended, in ascending id, counted by status."""

    workflow_id: str
    documents: Sequence[Document]
    counts: dict[Status, int]


def counts_of(documents: Iterable[Document]) -> dict[Status, int]:
    """How many of the documents are in each status; their statuses were read."""
    return dict(Counter(each.status for each in documents if each.status is not None))


@dataclass(frozen=True, slots=True)
class LaneBacklog:
    """What waits in a lane, what is worked on, and how fast the lane's queue is worked off."""

    lane: Lane
    queued_documents: int
    oldest_age_s: float
    workflows_in_flight: int
    processing_documents: int
    drained_per_second: float = 0.0


@dataclass(frozen=True, slots=True)
class DocumentReferences:
    """The objects that a document's row names."""

    document_id: UUID
    status: Status
    object_key: str
    result_key: str
    workflow_id: str
