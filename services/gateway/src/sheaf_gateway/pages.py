"""Which pages of a document are wanted, as a client writes them: `1-3,7,10-`. No I/O."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

MAX_RANGES: Final = 20
MAX_CHARACTERS: Final = 200
MAX_PAGE: Final = 1_000_000
PAGES_ALLOWED: Final = (
    f"numbers and ranges of pages such as 1-3,7,10-, from 1 to {MAX_PAGE}: at most {MAX_RANGES}"
    f" and {MAX_CHARACTERS} characters, once those that meet are joined"
)

_ONE: Final = "([1-9][0-9]{0,5}|1000000)"
_ONE_RANGE: Final = f"{_ONE}(-{_ONE}?)?"
PAGES_PATTERN: Final = f"^({_ONE_RANGE}(,{_ONE_RANGE}){{0,{MAX_RANGES - 1}}})?$"
"""Their form, in an OpenAPI description; that a range does not go backwards is said in words."""

_RANGE: Final = re.compile(r"([1-9][0-9]{0,6})(?:(-)([1-9][0-9]{0,6})?)?")


@dataclass(frozen=True, slots=True, order=True)
class PageRange:
    """Pages that follow each other, from 1; `last` 0 means to the end."""

    first: int
    last: int


def parse_pages(text: str) -> tuple[PageRange, ...]:
    """The ranges in ascending order, those that overlap or meet joined; empty means all pages.

    Space around a range is passed over. Raises ValueError for what is not such a text.
    """
    parts = [part.strip(" \t") for part in text.split(",")]
    if parts == [""]:
        return ()
    ranges = _joined(map(_range, parts))
    if len(ranges) > MAX_RANGES or len(pages_text(ranges)) > MAX_CHARACTERS:
        raise ValueError("too many ranges")
    return () if ranges == (PageRange(1, 0),) else ranges


def pages_text(pages: Sequence[PageRange]) -> str:
    """The ranges as they are shown; empty for all pages."""
    return ",".join(map(_text, pages))


def _range(part: str) -> PageRange:
    found = _RANGE.fullmatch(part)
    if found is None:
        raise ValueError("not a range")
    first = int(found[1])
    last = int(found[3] or 0) if found[2] else first
    if first > MAX_PAGE or last > MAX_PAGE or 0 < last < first:
        raise ValueError("not a range")
    return PageRange(first, last)


def _joined(ranges: Iterable[PageRange]) -> tuple[PageRange, ...]:
    joined: list[PageRange] = []
    for each in sorted(ranges):
        before = joined[-1] if joined else None
        if before is None or (before.last and each.first > before.last + 1):
            joined.append(each)
        elif before.last:
            last = max(before.last, each.last) if each.last else 0
            joined[-1] = PageRange(before.first, last)
    return tuple(joined)


def _text(pages: PageRange) -> str:
    if pages.first == pages.last:
        return str(pages.first)
    return f"{pages.first}-{pages.last or ''}"
