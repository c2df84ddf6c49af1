"""PDF in, pages and metadata out."""

import time
from importlib import import_module
from typing import TYPE_CHECKING

from sheaf_orchestrator.extraction.attaching import Budget
from sheaf_orchestrator.extraction.cleaning import clean_text
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.notes import Notes
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.pdf.metadata import read_metadata
from sheaf_orchestrator.extraction.pdf.opening import open_document
from sheaf_orchestrator.extraction.pdf.pages import PageReader
from sheaf_orchestrator.extraction.pdf.pdfium import Content, Document
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import AttachedFile, Extracted, OutlineEntry
from sheaf_orchestrator.extraction.wanted import wanted_numbers

if TYPE_CHECKING:
    from sheaf_orchestrator.extraction.pdf.forms import Form

_OUTLINE_DEPTH = 16
_TITLE_CHARACTERS = 1_000


def extract(content: Content, options: Options, limits: Limits) -> Extracted:
    """The text layer of every page that is wanted, with what the document says about itself.

    Filled form values stand in the text where they stand on the page. A page that cannot be
    read alone has empty text and a warning; the document is then partial, as it is when
    ``limits.characters`` or ``limits.soft_s`` ends it early. Embedded files come along: all that
    the document names, and those pinned to pages that are wanted. Not thread-safe.

    Raises ExtractionError: EMPTY, DAMAGED, ENCRYPTED, TOO_MANY_PAGES.
    """
    deadline = time.monotonic() + limits.soft_s
    with open_document(content, options.password) as document:
        count = document.page_count
        numbers = wanted_numbers(count, options.pages)
        if len(numbers) > limits.pages:
            raise ExtractionError(
                Reason.TOO_MANY_PAGES,
                f"The PDF has {count} pages; at most {limits.pages} are read.",
            )
        notes = Notes(limits.warnings)
        if document.repaired:
            notes.warn("REPAIRED", "The PDF is damaged; it was repaired before it was read.")
        if document.is_dynamic_xfa:
            notes.warn("XFA_FORM", "The pages are made by an XFA form, whose content is not read.")
        metadata = read_metadata(document)
        outline = _read_outline(document, limits, deadline)
        form = _open_form(document, options, limits, notes)
        reader = PageReader(document, form, outline, options, limits, notes)
        try:
            reader.read(numbers, deadline)
        finally:
            if form is not None:
                form.close()
        if form is not None and form.failed:
            notes.warn("FORM_FAILED", "Some fields of the form could not be read.")
        if not any(page.characters for page in reader.pages):
            notes.warn("NO_TEXT", "No page has a text layer; the document may be a scan.")
        attachments = _read_files(document, reader, options, Budget(limits, deadline), notes)
    return Extracted(
        page_count=count,
        pages=reader.pages,
        markdown=reader.markdown,
        metadata=metadata,
        outline=outline,
        fields=form.fields if form is not None else [],
        attachments=attachments,
        warnings=notes.warnings,
        partial=notes.partial,
        ocr_pages=reader.ocr_pages,
    )


def _open_form(document: Document, options: Options, limits: Limits, notes: Notes) -> "Form | None":
    """The document's form, if it has one."""
    if not document.has_form:
        return None
    # Loaded when first needed: most documents have no form, and pikepdf costs 0.1 s.
    forms = import_module("sheaf_orchestrator.extraction.pdf.forms")
    form: Form | None = forms.open_form(document.content, options.password, limits.links)
    if form is None:
        notes.warn("FORM_FAILED", "The fields of the form could not be read.")
    return form


def _read_files(
    document: Document, reader: PageReader, options: Options, budget: Budget, notes: Notes
) -> list[AttachedFile]:
    """The files inside the document, if it has any; of pages, those on pages that were read."""
    named, pages = document.attachment_count, reader.pages_with_files
    if not named and not pages:
        return []
    # Loaded when first needed, as for forms.
    embedded = import_module("sheaf_orchestrator.extraction.pdf.embedded")
    places = embedded.Places(named, pages)
    files: list[AttachedFile] = embedded.read_files(
        document.content, options.password, places, budget, notes
    )
    return files


def _read_outline(document: Document, limits: Limits, deadline: float) -> list[OutlineEntry]:
    entries: list[OutlineEntry] = []
    for title, level, page in document.bookmarks(_OUTLINE_DEPTH):
        if len(entries) >= limits.outline_entries or time.monotonic() > deadline:
            break
        tidy = clean_text(title[:_TITLE_CHARACTERS]).strip()
        entries.append(OutlineEntry(title=tidy, level=level, page=page + 1 if page >= 0 else None))
    return entries
