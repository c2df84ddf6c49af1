"""Lists: what they are filtered by, in which order they go, and where a page ends.

A list is newest first, by a key that an index gives: the upload time and the id, or the id
alone, whose UUIDv7 time is that of its making. Which of them depends on the filters only,
so it is the same for every page of a list.
"""

import base64
import binascii
import zlib
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final
from uuid import UUID

import msgspec

from sheaf_common.errors import InvalidInput
from sheaf_metadata.domain.documents import Document, Status

MAX_PAGE: Final = 200
DEFAULT_PAGE: Final = 50
_MAX_TOKEN: Final = 256


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What a list holds; None and empty mean any. `user_id` is None for internal callers."""

    user_id: str | None = None
    status: Status | None = None
    product: str = ""
    batch_id: UUID | None = None
    workflow_id: str = ""


class ScanPlan(Enum):
    """The index that a list goes along."""

    BATCH = "batch_idx"
    WORKFLOW = "workflow_id_idx"
    USER_STATUS = "user_status_idx"
    USER_TIME = "user_time_idx"
    PRODUCT_STATUS = "product_status_idx"
    STATUS_TIME = "status_time_idx"
    ALL = "PRIMARY"

    @property
    def by_time(self) -> bool:
        """Whether the list goes by upload time and id, not by id alone."""
        return self in (ScanPlan.USER_TIME, ScanPlan.STATUS_TIME)


def plan_of(wanted: ListFilter) -> ScanPlan:
    """The index that gives the list in order with the fewest rows examined."""
    if wanted.batch_id is not None:
        return ScanPlan.BATCH
    if wanted.workflow_id:
        return ScanPlan.WORKFLOW
    if wanted.user_id is not None:
        return ScanPlan.USER_TIME if wanted.status is None else ScanPlan.USER_STATUS
    if wanted.status is not None:
        return ScanPlan.PRODUCT_STATUS if wanted.product else ScanPlan.STATUS_TIME
    return ScanPlan.ALL


@dataclass(frozen=True, slots=True)
class Position:
    """The last document of a page; `uploaded_at` is None where the list goes by id."""

    document_id: UUID
    uploaded_at: datetime | None


class _Token(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    version: int
    filters: int
    document_id: bytes
    uploaded_at: datetime | None


_VERSION: Final = 1
_decoder: Final = msgspec.msgpack.Decoder(_Token)


def encode_cursor(wanted: ListFilter, last: Document) -> str:
    """The token of the page after the one that `last` ends."""
    moment = last.uploaded_at if plan_of(wanted).by_time else None
    token = _Token(_VERSION, _fingerprint(wanted), last.document_id.bytes, moment)
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(token)).rstrip(b"=").decode()


def decode_cursor(wanted: ListFilter, text: str) -> Position | None:
    """Where the page before ended; None for the first page.

    Raises:
        InvalidInput: `CURSOR_INVALID`: not a token, or one of another list.
    """
    if not text:
        return None
    try:
        if len(text) > _MAX_TOKEN:
            raise ValueError(text)  # noqa: TRY301 - one place names the error
        padded = text + "=" * (-len(text) % 4)
        token = _decoder.decode(base64.b64decode(padded, altchars=b"-_", validate=True))
        document_id = UUID(bytes=token.document_id)
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise _invalid() from None
    moment = token.uploaded_at
    if (
        token.version != _VERSION
        or token.filters != _fingerprint(wanted)
        or plan_of(wanted).by_time != (moment is not None)
        or (moment is not None and moment.tzinfo is None)
    ):
        raise _invalid()
    return Position(document_id, moment)


def _fingerprint(wanted: ListFilter) -> int:
    """Tells a token of another list; no secret, since the user is checked on every row."""
    return zlib.crc32(repr(wanted).encode())


def _invalid() -> InvalidInput:
    return InvalidInput(
        "CURSOR_INVALID",
        "page_token is not one that this list gave out",
        evidence={"field": "page_token"},
    )
