"""Which pages of a document its owner wants, and the text that a row keeps of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sheaf_common.errors import InvalidInput

MAX_RANGES: Final = 20
MAX_CHARACTERS: Final = 200
"""Of the text, which stands beside the other options in a column of 255."""
MAX_PAGE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class PageRange:
    """Pages that follow each other, from 1; `last` 0 means to the end."""

    first: int
    last: int


def text_of_pages(pages: Sequence[PageRange]) -> str:
    """The ranges as a person writes them, such as `1-3,7,10-`."""
    return ",".join(map(_text, pages))


def pages_of_text(text: str) -> tuple[PageRange, ...]:
    """The ranges of such a text; empty for an empty one."""
    return tuple(map(_range, text.split(","))) if text else ()


def check_pages(place: str, pages: Sequence[PageRange]) -> None:
    """Raises InvalidInput: `FIELD_INVALID`, if the ranges are too many, out of order or overlap."""
    behind = 0
    in_order = len(pages) <= MAX_RANGES
    for each in pages:
        last = each.last or MAX_PAGE
        in_order = in_order and behind < each.first <= last <= MAX_PAGE
        behind = last if each.last else MAX_PAGE
    if not in_order or len(text_of_pages(pages)) > MAX_CHARACTERS:
        field = f"{place}.pages"
        raise InvalidInput(
            "FIELD_INVALID",
            f"{field} must be at most {MAX_RANGES} ranges in ascending order, of"
            f" {MAX_CHARACTERS} characters as text",
            evidence={"field": field},
        )


def _text(pages: PageRange) -> str:
    if pages.first == pages.last:
        return str(pages.first)
    return f"{pages.first}-{pages.last or ''}"


def _range(text: str) -> PageRange:
    first, dash, last = text.partition("-")
    return PageRange(int(first), int(last or 0) if dash else int(first))
