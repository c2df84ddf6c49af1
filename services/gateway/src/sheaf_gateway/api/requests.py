"""The JSON that calls take."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from sheaf_common.errors import InvalidInput
from sheaf_gateway import options
from sheaf_gateway.domain.checking import checked_product
from sheaf_gateway.domain.replaying import Replay
from sheaf_gateway.options import OptionChanges
from sheaf_gateway.service.control import Reprocessing

MAX_REPLAYED: Final = 500
DEFAULT_REPLAYED: Final = 100
MAX_ATTEMPT: Final = 2**31 - 1

Whole = int | float | None
"""A whole number as JSON has it: 7.0 is one (JSON Schema 2020-12, validation, section 6.1.1)."""


def whole(value: Whole, field: str, least: int, most: int) -> int | None:
    """The number; None if there is none.

    Raises:
        InvalidInput: `BODY_INVALID`, naming the field: it is not whole, or out of bounds.
    """
    if value is None:
        return None
    if least <= value <= most and value == int(value):
        return int(value)
    raise InvalidInput(
        "BODY_INVALID",
        f"the body is not as described: $.{field} must be a whole number from {least} to {most}",
        evidence={"field": field},
    )


class ReprocessBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How a document is read again; what is not named stays as it was, but for the password."""

    words: bool | None = None
    """Whether the result holds words with their boxes."""
    ocr: str | None = None
    """When pages are recognised: auto, always or never."""
    ocr_language: str | list[str] | None = None
    pages: str | None = None
    """Which pages are read, such as 1-3,7,10-; empty for all."""
    password: str | None = None
    after_attempt: Whole = None

    def __repr__(self) -> str:
        """Without the password."""
        return f"ReprocessBody(words={self.words}, ocr={self.ocr!r})"

    def wanted(self) -> Reprocessing:
        """What it asks for. Raises InvalidInput `OPTION_INVALID`."""
        languages = self.ocr_language
        texts = [languages] if isinstance(languages, str) else languages
        return Reprocessing(
            OptionChanges(
                words=self.words,
                ocr=None if self.ocr is None else options.ocr_mode_of(self.ocr),
                ocr_languages=None if texts is None else options.languages_of(texts),
                pages=None if self.pages is None else options.pages_of(self.pages),
            ),
            password=None if self.password is None else options.password_of(_bytes(self.password)),
            after_attempt=whole(self.after_attempt, "after_attempt", 1, MAX_ATTEMPT) or 0,
        )


class ReplayBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which quarantined documents are queued again."""

    reason: Annotated[str, Meta(max_length=64)] | None = None
    product: str | None = None
    limit: Whole = None

    def wanted(self) -> Replay:
        """What it asks for. Raises InvalidInput `PRODUCT_INVALID`."""
        limit = whole(self.limit, "limit", 1, MAX_REPLAYED) or DEFAULT_REPLAYED
        return Replay(self.reason or "", checked_product(self.product or ""), limit)


def _bytes(text: str) -> bytes:
    """Lone surrogates too, which are then no UTF-8."""
    return text.encode(errors="surrogatepass")
