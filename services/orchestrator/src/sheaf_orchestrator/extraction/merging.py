"""Recognised pages put into the result of what the document itself held."""

from collections.abc import Sequence

from msgspec import structs

from sheaf_orchestrator.extraction import markdown
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.recognised import Recognised, RecognisedPage
from sheaf_orchestrator.extraction.result import Page, Result


def merge(
    result: Result, recognised: Sequence[Recognised], options: Options, limits: Limits
) -> Result:
    """The result with the text of every recognised page in the place of its own."""
    del limits
    read = {page.number: page for each in recognised for page in each.pages}
    pages = [
        _page(page, found, options) if (found := read.get(page.number)) else page
        for page in result.pages
    ]
    return structs.replace(
        result,
        pages=pages,
        character_count=sum(page.characters for page in pages),
        partial=result.partial or any(page.failed for page in read.values()),
        markdown=markdown.join([result.markdown, *(page.markdown for page in read.values())]),
        warnings=[*result.warnings, *(each for page in read.values() for each in page.warnings)],
        ocr_engine=next((each.engine for each in recognised if each.engine), None),
    )


def _page(page: Page, found: RecognisedPage, options: Options) -> Page:
    if found.failed:
        return page
    return structs.replace(
        page,
        text=found.text,
        characters=len(found.text),
        ocr=True,
        confidence=found.confidence,
        words=found.words if options.words else None,
    )
