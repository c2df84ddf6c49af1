"""Pages of a user's API keys: their size, where one ends, and the token that names the next."""

import base64
import binascii
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sheaf_common.errors import InvalidInput
from sheaf_metadata.domain.api_keys import KeyRecord
from sheaf_metadata.domain.paging import DEFAULT_PAGE, MAX_PAGE

_KIND: Final = b"keys1"
"""Tells these tokens from those of other lists."""
_TOKEN_CHARACTERS: Final = 28


def page_size_of(asked: int) -> int:
    """How many keys a page has. Raises InvalidInput: `FIELD_INVALID`."""
    if not 0 <= asked <= MAX_PAGE:
        raise InvalidInput(
            "FIELD_INVALID",
            f"page_size must be 0 to {MAX_PAGE}",
            evidence={"field": "page_size"},
        )
    return asked or DEFAULT_PAGE


def cut_page(found: Sequence[KeyRecord], size: int) -> tuple[Sequence[KeyRecord], str]:
    """At most `size` of the keys found for one more, and the next page's token if any."""
    if len(found) <= size:
        return found, ""
    last = found[size - 1].key_id
    return found[:size], base64.urlsafe_b64encode(_KIND + last.bytes).decode()


def decode_cursor(text: str) -> UUID | None:
    """The last key of the page before; None for the first page.

    Raises:
        InvalidInput: `CURSOR_INVALID`.
    """
    if not text:
        return None
    try:
        if len(text) != _TOKEN_CHARACTERS:
            raise ValueError(text)  # noqa: TRY301 - one place names the error
        token = base64.b64decode(text, altchars=b"-_", validate=True)
        if not token.startswith(_KIND):
            raise ValueError(text)  # noqa: TRY301 - as above
        return UUID(bytes=token[len(_KIND) :])
    except (ValueError, binascii.Error):
        raise InvalidInput(
            "CURSOR_INVALID",
            "page_token is not one that this list gave out",
            evidence={"field": "page_token"},
        ) from None
