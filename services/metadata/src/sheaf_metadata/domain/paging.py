"""Pages: where one ends, and the token that names the next."""

import base64
import binascii
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from sheaf_common.errors import InvalidInput
from sheaf_metadata.domain.documents import Document
from sheaf_metadata.domain.listing import ListFilter, plan_of

MAX_PAGE: Final = 200
DEFAULT_PAGE: Final = 50
_MAX_TOKEN: Final = 256


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a list: a document's; `uploaded_at` is None where the list goes by id."""

    document_id: UUID
    uploaded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found; `examined_to` is where the search ends at the latest.

    It is None where the list has nothing beyond what the search may look at.
    """

    documents: Sequence[Document]
    examined_to: Position | None = None


def position_fields(wanted: ListFilter) -> tuple[str, ...]:
    """The fields that say where in a list a document is."""
    return ("document_id", "uploaded_at") if plan_of(wanted).by_time else ("document_id",)


def cut_page(wanted: ListFilter, scan: Scan, size: int) -> tuple[Sequence[Document], str]:
    """At most `size` documents of a scan for one more, and the next page's token if any.

    A page that ends where the search did may be short, or empty, and still have a next.
    """
    if len(scan.documents) > size:
        page = scan.documents[:size]
        moment = page[-1].uploaded_at if plan_of(wanted).by_time else None
        return page, encode_cursor(wanted, Position(page[-1].document_id, moment))
    next_page = "" if scan.examined_to is None else encode_cursor(wanted, scan.examined_to)
    return scan.documents, next_page


class _Token(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    version: int
    filters: int
    document_id: bytes
    uploaded_at: datetime | None


_VERSION: Final = 2
_decoder: Final = msgspec.msgpack.Decoder(_Token)


def encode_cursor(wanted: ListFilter, last: Position) -> str:
    """The token of the page that begins after a position."""
    token = _Token(_VERSION, _fingerprint(wanted), last.document_id.bytes, last.uploaded_at)
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
