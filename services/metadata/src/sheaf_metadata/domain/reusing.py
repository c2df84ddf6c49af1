"""When the result of one document may stand for another's."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from uuid import UUID

from sheaf_metadata.domain.documents import Document, Status
from sheaf_metadata.domain.fields import Fields, fields_of
from sheaf_metadata.domain.registration import NewDocument

SOURCE_FIELDS: Final[Fields] = fields_of(
    (
        *("document_id", "user_id", "status", "filename", "content_type", "size_bytes", "sha256"),
        *("result_key", "pipeline_version", "page_count", "character_count", "document_class"),
        *("partial", "duplicate_of", "options", "depth"),
    )
)
"""What is read of a document whose result may be reused."""


@dataclass(frozen=True, slots=True)
class Reusable:
    """A new document, and the document whose result it can have a copy of."""

    document_id: UUID
    source_id: UUID
    source_result_key: str


def is_source(source: Document, user_id: str, new: NewDocument) -> bool:
    """Whether a recorded document, read with `SOURCE_FIELDS`, has the result of a new one.

    What was found inside another may lack what lay deeper, so it is none. The name counts only
    as far as it tells the type: `a.csv` and `a.txt` may have the same bytes.
    """
    return (
        source.status is Status.COMPLETED
        and bool(source.result_key)
        and source.user_id == user_id
        and source.sha256 == new.sha256
        and source.size_bytes == new.size_bytes
        and source.options == new.options
        and source.depth == 0
        and not new.sealed_password
        and (source.content_type == new.content_type or _suffix(source) == _suffix(new))
    )


def _suffix(document: Document | NewDocument) -> str:
    return PurePosixPath(document.filename).suffix.lower()
