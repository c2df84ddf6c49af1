"""PDF in, pages and metadata out."""

import time

from sheaf_orchestrator.extraction.cleaning import clean_text, join_hyphenated
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.notes import Notes
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.pdf.metadata import read_metadata
from sheaf_orchestrator.extraction.pdf.opening import open_document
from sheaf_orchestrator.extraction.pdf.pdfium import Content, Document, PdfiumError
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import Extracted, OutlineEntry, Page

_OUTLINE_DEPTH = 16
_TITLE_CHARACTERS = 1_000


def extract(content: Content, options: Options, limits: Limits) -> Extracted:
    """The text layer of every page, with what the document says about itself.

    Filled form values stand in the text where they stand on the page. A page that cannot be
    read alone has empty text and a warning; the document is then partial, as it is when
    ``limits.characters`` or ``limits.soft_s`` ends it early. Not thread-safe.

    Raises ExtractionError: EMPTY, DAMAGED, ENCRYPTED, TOO_MANY_PAGES.
    """
    deadline = time.monotonic() + limits.soft_s
    with open_document(content, options.password) as document:
        count = document.page_count
        if count > limits.pages:
            raise ExtractionError(
                Reason.TOO_MANY_PAGES,
                f"The PDF has {count} pages; at most {limits.pages} are read.",
            )
        notes = Notes(limits.warnings)
        metadata = read_metadata(document)
        if document.is_dynamic_xfa:
            notes.warn("XFA_FORM", "The pages are made by an XFA form, whose content is not read.")
        pages = _read_pages(document, count, limits, deadline, notes)
        if not any(page.characters for page in pages):
            notes.warn("NO_TEXT", "No page has a text layer; the document may be a scan.")
        outline = _read_outline(document, limits, deadline)
    return Extracted(
        page_count=count,
        pages=pages,
        metadata=metadata,
        outline=outline,
        warnings=notes.warnings,
        partial=notes.partial,
    )


def _read_pages(
    document: Document, count: int, limits: Limits, deadline: float, notes: Notes
) -> list[Page]:
    pages: list[Page] = []
    left, failed = limits.characters, 0
    for index in range(count):
        if time.monotonic() > deadline:
            notes.cut(Reason.TIME_LIMIT, f"Only the first {index} of {count} pages were read.")
            break
        try:
            page = _read_page(document, index, left + 1, notes)
        except PdfiumError:
            failed += 1
            page = _unreadable(index + 1, notes)
        if page.characters > left:
            pages.append(_page(page, page.text[:left]))
            notes.cut(Reason.OUTPUT_LIMIT, f"Only {limits.characters} characters were kept.")
            break
        left -= page.characters
        pages.append(page)
    if pages and failed == len(pages):
        raise ExtractionError(
            Reason.DAMAGED, f"The PDF is damaged: none of its {count} pages can be read."
        )
    return pages


def _read_page(document: Document, index: int, max_characters: int, notes: Notes) -> Page:
    with document.page(index) as opened:
        opened.flatten()
        text = clean_text(join_hyphenated(opened.text(max_characters)))
        if opened.flatten_failed:
            notes.cut("ANNOTATIONS_FAILED", "Form values could not be read.", index + 1)
        width, height = opened.size
        return Page(
            number=index + 1,
            width=width,
            height=height,
            rotation=opened.rotation,
            text=text,
            characters=len(text),
        )


def _page(page: Page, text: str) -> Page:
    return Page(
        number=page.number,
        width=page.width,
        height=page.height,
        rotation=page.rotation,
        text=text,
        characters=len(text),
    )


def _unreadable(number: int, notes: Notes) -> Page:
    notes.cut("PAGE_FAILED", "The page is damaged and was left empty.", number)
    return Page(number=number, width=None, height=None, rotation=0, text="", characters=0)


def _read_outline(document: Document, limits: Limits, deadline: float) -> list[OutlineEntry]:
    entries: list[OutlineEntry] = []
    for title, level, page in document.bookmarks(_OUTLINE_DEPTH):
        if len(entries) >= limits.outline_entries or time.monotonic() > deadline:
            break
        tidy = clean_text(title[:_TITLE_CHARACTERS]).strip()
        entries.append(OutlineEntry(title=tidy, level=level, page=page + 1 if page >= 0 else None))
    return entries
