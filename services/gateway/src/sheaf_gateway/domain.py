"""What the gateway speaks of: users, files, documents, batches, workflows. No I/O."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sheaf_common.errors import InvalidInput, SheafError
from sheaf_common.ids import new_id
from sheaf_gateway.idempotency import KeyOutcome
from sheaf_gateway.options import DEFAULT_OPTIONS, Options, Priority

_OOXML: Final = "application/vnd.openxmlformats-officedocument"
_ODF: Final = "application/vnd.oasis.opendocument"

ACCEPTED_CONTENT_TYPES: Final = (
    "application/pdf",
    *("image/png", "image/jpeg", "image/webp", "image/tiff", "image/gif", "image/bmp"),
    f"{_OOXML}.wordprocessingml.document",
    f"{_OOXML}.spreadsheetml.sheet",
    f"{_OOXML}.presentationml.presentation",
    *(f"{_ODF}.{kind}" for kind in ("text", "spreadsheet", "presentation")),
    *(f"{_ODF}.{kind}-template" for kind in ("text", "spreadsheet", "presentation")),
    *("application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"),
    *("application/rtf", "application/vnd.ms-outlook", "message/rfc822"),
    "application/x-ole-storage",  # legacy Office or a locked document: extraction looks further
    *("text/*", "application/json", "application/x-ndjson"),
)
"""What may be stored as a document, as sniffed from the content."""

FILENAME_MAX_CHARACTERS: Final = 255
PRODUCT_MAX_CHARACTERS: Final = 64
FIXED_CONCURRENCY: Final = 8
"""Files stored at once where the bound does not follow the number of files."""

_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_RFC_3339: Final = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})[Tt](?P<minute>\d{2}:\d{2}):(?P<second>\d{2})"
    r"(?P<rest>(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2}))"
)
_PRODUCT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}|")


class Scope(StrEnum):
    """What an API key may allow."""

    READ = "documents:read"
    WRITE = "documents:write"
    OPS = "ops"
    KEYS = "keys"


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


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """The user behind an API key and what the key allows; `expires_at` None means never.

    A `rate_limit_per_s` of 0 is the default.
    """

    user_id: str
    scopes: frozenset[str]
    expires_at: datetime | None = None
    rate_limit_per_s: int = 0


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as storage describes it; `sha256` has 32 bytes."""

    key: str
    size_bytes: int
    sha256: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class AcceptedFile:
    """A file whose content is stored."""

    document_id: UUID
    filename: str
    stored: StoredObject


@dataclass(frozen=True, slots=True)
class RejectedFile:
    """A file that was not taken, and why."""

    filename: str
    error: SheafError


FileOutcome = AcceptedFile | RejectedFile


@dataclass(frozen=True, slots=True)
class Reusable:
    """A new document, and the document whose result it can have a copy of."""

    document_id: UUID
    source_id: UUID
    source_result_key: str


@dataclass(frozen=True, slots=True)
class CopiedResult:
    """A copy that was made of another document's result."""

    source_id: UUID
    source_result_key: str
    result_key: str


@dataclass(frozen=True, slots=True)
class NewBatch:
    """Files to be registered together. `sealed_passwords` has those of files that have one.

    `find_reusable` asks for results that can be reused before anything is registered; `copies`
    are such results, by the file's document.
    """

    batch_id: UUID
    product: str
    files: tuple[AcceptedFile, ...]
    priority: Priority = Priority.NORMAL
    options: Options = DEFAULT_OPTIONS
    sealed_passwords: Mapping[UUID, bytes] = field(default_factory=dict, repr=False)
    metadata_json: str = field(default="", repr=False)
    """What the client wrote on all of them, as compact JSON; empty if nothing."""
    idempotency: KeyOutcome | None = None
    find_reusable: bool = False
    copies: Mapping[UUID, CopiedResult] = field(default_factory=dict)


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


@dataclass(frozen=True, slots=True)
class Registered:
    """The recorded documents; or none, and the results that can be reused before they are."""

    documents: tuple[Document, ...]
    reusable: tuple[Reusable, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Replay:
    """Which quarantined documents are queued again; empty means any, `limit` bounds them."""

    reason: str = ""
    product: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Replayed:
    """The documents that are queued again, in ascending id; `more` may follow."""

    document_ids: tuple[str, ...]
    more: bool


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


def object_key(document_id: UUID) -> str:
    """Where a document's original lies."""
    return f"documents/{document_id}/original"


def copied_result_key(document_id: UUID) -> str:
    """A new key for a result that was not made by a workflow; the document's first attempt's."""
    return f"documents/{document_id}/1-{new_id()}/result.json.zst"


def thumbnail_key(document_id: UUID, page: int, width_px: int) -> str:
    """Where the picture of a page is kept."""
    return f"documents/{document_id}/thumb-{page}-{width_px}.webp"


def concurrency_bound(files_seen: int, limit: int, *, fixed: bool) -> int:
    """How many files of one upload may be stored at once."""
    return FIXED_CONCURRENCY if fixed else min(files_seen * 2, limit)


def clean_filename(raw: str | None) -> str:
    """The name to record: the last component of what the client sent (RFC 7578, section 4.2).

    Raises:
        InvalidInput: `FILENAME_MISSING` or `FILENAME_INVALID`.
    """
    name = "" if raw is None else raw.replace("\\", "/").rsplit("/", 1)[-1].strip()
    if not name:
        raise InvalidInput("FILENAME_MISSING", "the file has no name")
    if name in {".", ".."} or _UNPRINTABLE.search(name):
        raise InvalidInput("FILENAME_INVALID", "the file's name has characters that no name has")
    if len(name) > FILENAME_MAX_CHARACTERS:
        raise InvalidInput(
            "FILENAME_INVALID",
            f"the file's name is longer than {FILENAME_MAX_CHARACTERS} characters",
            evidence={"limit": str(FILENAME_MAX_CHARACTERS), "actual": str(len(name))},
        )
    return name


def shown_filename(raw: str | None) -> str:
    """A name that can be shown though it may not be valid."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", raw or "")[:FILENAME_MAX_CHARACTERS]


def checked_product(text: str) -> str:
    """The product label that a client gave; may be empty.

    Raises:
        InvalidInput: `PRODUCT_INVALID`.
    """
    label = text.strip()
    if _PRODUCT.fullmatch(label) is None:
        raise InvalidInput(
            "PRODUCT_INVALID",
            f"product must be at most {PRODUCT_MAX_CHARACTERS} letters, digits and . _ : / -",
            evidence={"field": "product", "limit": str(PRODUCT_MAX_CHARACTERS)},
        )
    return label


def checked_time(text: str | None, field: str) -> datetime | None:
    """A time that a client gave as RFC 3339 has it, in UTC; None if it gave none.

    A leap second counts as the second after it.

    Raises:
        InvalidInput: `FIELD_INVALID`: it is none, has no offset, or lies beyond the calendar.
    """
    if text is None:
        return None
    try:
        if (parts := _RFC_3339.fullmatch(text)) is not None:
            leap = timedelta(seconds=parts["second"] == "60")
            second = "59" if leap else parts["second"]
            moment = datetime.fromisoformat(
                f"{parts['date']}T{parts['minute']}:{second}{parts['rest'].upper()}"
            )
            return moment.astimezone(UTC) + leap
    except (OverflowError, ValueError):
        pass
    raise InvalidInput(
        "FIELD_INVALID",
        f"{field} must be a time of RFC 3339 with its offset, such as 2026-01-02T03:04:05Z",
        evidence={"field": field},
    )
