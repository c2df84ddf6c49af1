"""The pages of an open document, one after the other, within the limits."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from sheaf_orchestrator.extraction import markdown
from sheaf_orchestrator.extraction.cleaning import clean_text, join_hyphenated
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.notes import Notes
from sheaf_orchestrator.extraction.options import OcrMode, Options
from sheaf_orchestrator.extraction.pdf.geometry import around
from sheaf_orchestrator.extraction.pdf.marking import mark, plain
from sheaf_orchestrator.extraction.pdf.pagetext import compose, page_words
from sheaf_orchestrator.extraction.pdf.pdfium import Document, PdfiumError
from sheaf_orchestrator.extraction.pdf.reading import Reading, read
from sheaf_orchestrator.extraction.pdf.standing import annotations_of, links_of
from sheaf_orchestrator.extraction.pdf.tables import FoundTable, find_tables
from sheaf_orchestrator.extraction.pdf.usable import lacks_usable_text
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import Annotation, Link, OutlineEntry, Page, Table, Word

if TYPE_CHECKING:
    from sheaf_orchestrator.extraction.pdf.forms import Form


class PageReader:
    """Reads pages until all are read or a limit ends it."""

    def __init__(  # what the pages of a document have in common
        self,
        document: Document,
        form: "Form | None",
        outline: list[OutlineEntry],
        options: Options,
        limits: Limits,
        notes: Notes,
    ) -> None:
        self._document, self._form = document, form
        self._titles: dict[int, dict[str, int]] = {}
        for entry in outline:
            if entry.page is not None and (title := plain(entry.title)):
                self._titles.setdefault(entry.page, {}).setdefault(title, entry.level)
        self._options, self._limits, self._notes = options, limits, notes
        self._characters = limits.characters
        self._words = limits.words
        self._cells = limits.table_cells
        self._links = self._annotations = limits.links
        self.pages: list[Page] = []
        self.markdown: list[str] = []
        self.ocr_pages: list[int] = []
        self.pages_with_files: list[int] = []

    def read(self, numbers: Sequence[int], deadline: float) -> None:
        """Read these pages (from 1). Raises ExtractionError: DAMAGED when none can be read."""
        failed = 0
        for number in numbers:
            if time.monotonic() > deadline:
                message = f"Only the first {len(self.pages)} of {len(numbers)} pages were read."
                self._notes.cut(Reason.TIME_LIMIT, message)
                break
            try:
                page, marked = self._read_page(number)
            except PdfiumError:
                failed += 1
                page, marked = self._unreadable(number), ""
            self.pages.append(page)
            self.markdown.append(marked)
            if page.characters > self._characters:
                self._cut_last()
                break
            self._characters -= page.characters
        if self.pages and failed == len(self.pages):
            raise ExtractionError(
                Reason.DAMAGED,
                f"The PDF is damaged: none of its {len(numbers)} pages can be read.",
            )

    def _read_page(self, number: int) -> tuple[Page, str]:
        index = number - 1
        with self._document.page(index) as opened:
            reading = read(opened, index, self._form, self._characters + 1)
            if opened.flatten_failed:
                self._notes.cut("ANNOTATIONS_FAILED", "Form values could not be read.", number)
            drawn = compose(reading.text, reading.rows) if reading.rows else reading.text.strip()
            text = clean_text(join_hyphenated(drawn))
            if self._options.ocr is OcrMode.ALWAYS or lacks_usable_text(opened, reading, text):
                self.ocr_pages.append(number)
            if any(each.kind == "attachment" for each in reading.annotations):
                self.pages_with_files.append(number)
            tables = find_tables(reading.text, reading.rows)
            width, height = opened.size
            page = Page(
                number=number,
                width=width,
                height=height,
                rotation=reading.view.rotation,
                text=text,
                characters=len(text),
                words=self._words_of(reading) if self._options.words else None,
                tables=self._tables_of(reading, tables),
                links=self._links_of(reading),
                annotations=self._annotations_of(reading),
            )
        if not reading.rows:
            return page, markdown.escape(text)
        titles = self._titles.get(number, {})
        return page, mark(reading.text, reading.rows, text, tables, titles)

    def _tables_of(self, reading: Reading, found: list[FoundTable]) -> list[Table]:
        tables = []
        for each in found:
            self._cells -= len(each.cells) * len(each.cells[0])
            if self._cells < 0:
                message = f"Only {self._limits.table_cells} cells of tables were kept."
                self._notes.cut(Reason.OUTPUT_LIMIT, message)
                break
            pieces = [piece for row in reading.rows[each.begin : each.end] for piece in row]
            tables.append(Table(rows=each.cells, header_rows=each.header_rows, box=around(pieces)))
        return tables

    def _words_of(self, reading: Reading) -> list[Word]:
        words = page_words(reading.text, reading.rows)
        if len(words) > self._words:
            words = words[: self._words]
            message = f"Only {self._limits.words} words with boxes were kept."
            self._notes.cut(Reason.OUTPUT_LIMIT, message)
        self._words -= len(words)
        return words

    def _links_of(self, reading: Reading) -> list[Link]:
        links = links_of(reading, self._links) if reading.links else []
        self._links -= len(links)
        return links

    def _annotations_of(self, reading: Reading) -> list[Annotation]:
        found = annotations_of(reading, self._annotations) if reading.annotations else []
        self._annotations -= len(found)
        return found

    def _cut_last(self) -> None:
        """Keep of the last page only the characters that are still free."""
        page = self.pages[-1]
        text = page.text[: self._characters]
        self.pages[-1] = msgspec.structs.replace(page, text=text, characters=len(text))
        self.markdown[-1] = markdown.escape(text)
        message = f"Only {self._limits.characters} characters were kept."
        self._notes.cut(Reason.OUTPUT_LIMIT, message)

    def _unreadable(self, number: int) -> Page:
        self._notes.cut("PAGE_FAILED", "The page is damaged and was left empty.", number)
        return Page(number=number, width=None, height=None, rotation=0, text="", characters=0)
