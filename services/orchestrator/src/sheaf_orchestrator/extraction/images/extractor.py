"""A picture in, its pages out: what they measure, and which of them are worth recognising."""

import time

from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.images.metadata import read_metadata
from sheaf_orchestrator.extraction.images.opening import Picture, open_picture
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.notes import Notes
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import Extracted, Page
from sheaf_orchestrator.extraction.wanted import wanted_numbers

_LOOKED_AT_PIXELS = 250_000
_FLAT = 8
"""Shades of 256 by which the pixels of an empty page may differ."""


def extract(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """The wanted pages of a picture, without text; those that are not blank are to be recognised.

    Every picture is decoded once, so that a damaged one is known here: the whole document fails
    when it is the only one, else its page has a warning and the document is partial, as it is
    when ``limits.soft_s`` ends it early.

    Raises ExtractionError: EMPTY, DAMAGED, TOO_MANY_PAGES, TOO_MANY_PIXELS.
    """
    deadline = time.monotonic() + limits.soft_s
    notes = Notes(limits.warnings)
    pages: list[Page] = []
    readable: list[int] = []
    failure: ExtractionError | None = None
    whole = 0
    with open_picture(content, limits) as picture:
        count = picture.page_count
        metadata = read_metadata(picture.file, notes)
        numbers = wanted_numbers(count, options.pages)
        for number in numbers:
            if time.monotonic() > deadline:
                message = f"Only the first {len(pages)} of {len(numbers)} were read."
                notes.cut(Reason.TIME_LIMIT, message)
                break
            try:
                picture.go_to(number)
                page = _page(picture, number)
                if not _is_blank(picture):
                    readable.append(number)
                whole += 1
            except ExtractionError as error:
                failure = error
                page = Page(number, None, None, 0, "", 0)
                notes.cut("PAGE_FAILED", error.message, number)
            pages.append(page)
    if failure is not None and not whole:
        raise failure
    notes.warn("NO_TEXT", "A picture has no text of its own.")
    return Extracted(
        page_count=count,
        pages=pages,
        metadata=metadata,
        markdown=[""] * len(pages),
        warnings=notes.warnings,
        partial=notes.partial,
        ocr_pages=readable,
    )


def _page(picture: Picture, number: int) -> Page:
    width, height = picture.size
    return Page(number, width, height, picture.rotation, "", 0)


def _is_blank(picture: Picture) -> bool:
    """Whether it shows one colour. Raises ExtractionError: DAMAGED."""
    grey = picture.decode(pixels=_LOOKED_AT_PIXELS, grey=True)
    low, high = grey.getextrema()
    return float(high) - float(low) < _FLAT  # type: ignore[arg-type]  # of one band
