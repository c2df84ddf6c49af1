"""Plain text in, pages out."""

from sheaf_orchestrator.extraction import markdown
from sheaf_orchestrator.extraction.cleaning import clean_text
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.notes import Notes
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import Extracted, Metadata, Page
from sheaf_orchestrator.extraction.text.decoding import Content, decode


def extract(content: Content, options: Options, limits: Limits) -> Extracted:
    """The text, one page for each form feed and one more; a form feed at the end opens none.

    Raises ExtractionError: EMPTY, UNSUPPORTED_FORMAT (the content is binary), TOO_MANY_PAGES.
    """
    del options  # a text has neither boxes nor pictures nor passwords
    if not len(content):
        raise ExtractionError(Reason.EMPTY, "The file has no bytes.")
    decoded = decode(content)
    if decoded is None:
        raise ExtractionError(Reason.UNSUPPORTED_FORMAT, "The file is binary, not text.")
    notes = Notes(limits.warnings)
    if decoded.replaced:
        message = f"{decoded.replaced} characters could not be read as {decoded.encoding}."
        notes.warn("UNDECODABLE_BYTES", message)
    text = decoded.text
    if len(text) > limits.characters:
        text = text[: limits.characters]
        notes.cut(Reason.OUTPUT_LIMIT, f"Only {limits.characters} characters were kept.")
    count = text.count("\f") + 1 - text.endswith("\f")
    if count > limits.pages:
        raise ExtractionError(
            Reason.TOO_MANY_PAGES, f"The text has {count} pages; at most {limits.pages} are read."
        )
    pages = [_page(number, part) for number, part in enumerate(text.split("\f")[:count], start=1)]
    if not any(page.text.strip() for page in pages):
        notes.warn("NO_TEXT", "The text holds nothing but white space.")
    return Extracted(
        page_count=count,
        pages=pages,
        markdown=[markdown.escape(page.text) for page in pages],
        metadata=Metadata(encoding=decoded.encoding),
        warnings=notes.warnings,
        partial=notes.partial,
    )


def _page(number: int, text: str) -> Page:
    text = clean_text(text)
    return Page(number=number, width=None, height=None, rotation=0, text=text, characters=len(text))
