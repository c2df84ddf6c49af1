"""Recognised pages put into the result of the text lane; runs in the parent, parses nothing."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from sheaf_orchestrator.extraction import markdown
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.notes import Notes
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.recognised import Recognised, RecognisedPage
from sheaf_orchestrator.extraction.result import Page, Result, ResultWarning

_TEXTLESS: Final = "NO_TEXT"
"""The code that says of a page, or of all, what recognition may put right."""


def merge(
    result: Result, recognised: Sequence[Recognised], options: Options, limits: Limits
) -> Result:
    """The result with the text of every page that was recognised in place of the page's own.

    A page that failed stays as it was, with the warnings that say why, and makes the result
    partial. Words are kept when they were asked for. Of a page that comes more than once, the
    last that did not fail counts; pages that the result does not have are passed over. Over
    ``limits.characters`` or ``limits.words`` the rest is left out: partial (OUTPUT_LIMIT).
    """
    read = _by_number(recognised)
    notes = Notes(limits.warnings)
    parts = _markdown_parts(result)
    keeper = _Keeper(result.pages, read, options, limits)
    pages: list[Page] = []
    for index, page in enumerate(result.pages):
        found = read.get(page.number)
        if found is None or found.failed:
            pages.append(page)
            continue
        pages.append(keeper.put(page, found))
        parts[index] = found.markdown if keeper.whole else markdown.escape(pages[-1].text)
    for warning in _warnings(result, pages, read):
        notes.warn(warning.code, warning.message, warning.page)
    if not keeper.whole:
        notes.cut(Reason.OUTPUT_LIMIT, "Not all of what was recognised was kept.")
    whole, starts = markdown.join_pages(parts)
    return msgspec.structs.replace(
        result,
        pages=pages,
        character_count=sum(page.characters for page in pages),
        markdown=whole,
        markdown_starts=starts,
        warnings=notes.warnings,
        partial=result.partial or notes.partial or any(each.failed for each in read.values()),
        ocr_engine=_engines(recognised) if any(page.ocr for page in pages) else None,
    )


def _by_number(recognised: Iterable[Recognised]) -> dict[int, RecognisedPage]:
    read: dict[int, RecognisedPage] = {}
    for page in (page for each in recognised for page in each.pages):
        if not page.failed or page.number not in read:
            read[page.number] = page
    return read


def _engines(recognised: Sequence[Recognised]) -> str | None:
    """Usually one; that of a request of which no page was read may be empty."""
    return ", ".join(sorted({each.engine for each in recognised if each.engine})) or None


def _markdown_parts(result: Result) -> list[str]:
    """The Markdown of each page."""
    if len(result.markdown_starts) == len(result.pages):
        return markdown.split_pages(result.markdown, result.markdown_starts)
    return [markdown.escape(page.text) for page in result.pages]


def _warnings(
    result: Result, pages: Sequence[Page], read: dict[int, RecognisedPage]
) -> list[ResultWarning]:
    """Those of the text lane that still hold, then those of the pages."""
    recognised = {page.number for page in pages if page.ocr}
    lacking = not any(page.characters for page in pages) or any(
        not page.ocr and not page.characters for page in pages
    )
    kept = [
        warning
        for warning in result.warnings
        if warning.code != _TEXTLESS
        or (warning.page not in recognised if warning.page is not None else lacking)
    ]
    added = [
        msgspec.structs.replace(warning, page=number)
        for number, page in sorted(read.items())
        for warning in page.warnings
    ]
    return kept + added


class _Keeper:
    """Keeps count of what the limits still allow."""

    def __init__(
        self,
        pages: Sequence[Page],
        read: dict[int, RecognisedPage],
        options: Options,
        limits: Limits,
    ) -> None:
        others = [page for page in pages if page.number not in read or read[page.number].failed]
        self._characters = limits.characters - sum(page.characters for page in others)
        self._words = limits.words - sum(len(page.words or ()) for page in others)
        self._with_words = options.words
        self.whole = True

    def put(self, page: Page, found: RecognisedPage) -> Page:
        """The page with what was found on it."""
        text = found.text[: max(self._characters, 0)]
        words = found.words[: max(self._words, 0)] if self._with_words else None
        self._characters -= len(text)
        self._words -= len(words or ())
        if len(text) < len(found.text) or (words is not None and len(words) < len(found.words)):
            self.whole = False
        return msgspec.structs.replace(
            page,
            width=found.width if found.width is not None else page.width,
            height=found.height if found.height is not None else page.height,
            rotation=(page.rotation + found.rotation) % 360,
            text=text,
            characters=len(text),
            ocr=True,
            confidence=found.confidence,
            words=words,
        )
