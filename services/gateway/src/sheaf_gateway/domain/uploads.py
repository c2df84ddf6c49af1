"""Files on their way in: what is taken, and what became of each."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sheaf_common.errors import SheafError

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
FIXED_CONCURRENCY: Final = 8
"""Files stored at once where the bound does not follow the number of files."""


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


def concurrency_bound(files_seen: int, limit: int, *, fixed: bool) -> int:
    """How many files of one upload may be stored at once."""
    return FIXED_CONCURRENCY if fixed else min(files_seen * 2, limit)
