"""Which documents a listing has, and its pages."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sheaf_gateway.domain.documents import Document, DocumentStatus


@dataclass(frozen=True, slots=True)
class ListFilter:
    """Which documents a listing has; None and empty mean any.

    `content_type` is one, or a family such as `image/*`; the times are aware, and the first
    belongs to the listing, the second does not.
    """

    status: DocumentStatus | None = None
    product: str = ""
    batch_id: UUID | None = None
    workflow_id: str = ""
    document_class: str = ""
    content_type: str = ""
    uploaded_from: datetime | None = None
    uploaded_before: datetime | None = None
    parent_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """A page of a listing, which may be short or empty; `next_cursor` is empty on the last."""

    documents: tuple[Document, ...]
    next_cursor: str
