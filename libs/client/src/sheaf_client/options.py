"""What callers may ask, by name: the keyword arguments of both clients."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from sheaf_client.models import DocumentStatus, Duplicates, OcrMode, Priority


class ExtractionOptions(TypedDict, total=False):
    """What is asked of an extraction. What is left out, or None, the server decides."""

    words: bool | None
    """Whether the result holds words with their boxes."""
    ocr: OcrMode | None
    """When pages are recognised."""
    ocr_languages: Sequence[str] | None
    """Languages to recognise, most likely first, as ISO 639-3 has them."""
    pages: str | None
    """Only these pages, such as `1-3,7,10-`."""
    password: str | None
    """Opens an encrypted document."""


class UploadOptions(ExtractionOptions, total=False):
    """What holds for all files of an upload."""

    product: str | None
    """A label of yours, to list by."""
    priority: Priority | None
    """How urgent they are."""
    metadata: Mapping[str, Any] | None
    """A JSON object of yours, kept with every document; at most 4,096 bytes."""
    duplicates: Duplicates | None
    """Whether content that was sent before is extracted again."""


class ReprocessOptions(ExtractionOptions, total=False):
    """What is asked anew; what is left out stays as it was."""

    after_attempt: int | None
    """The attempt that has ended: with it, a second call is a ConflictError, not one more."""


class DocumentFilters(TypedDict, total=False):
    """Which documents are listed."""

    status: DocumentStatus | None
    product: str | None
    batch_id: str | None
    parent_id: str | None
    """Only what was found in this document."""
    workflow_id: str | None
    document_class: str | None
    content_type: str | None
    """One, or a family such as `image/*`."""
    uploaded_from: datetime | None
    """Aware. Uploaded then or later."""
    uploaded_before: datetime | None
    """Aware. Uploaded earlier."""
