"""Pages put together from blocks: their text, their Markdown, their tables and links at once.

For the formats that have no fixed pages (Office, mail, HTML, …)::

    composer = Composer(limits, notes)
    composer.begin("Sheet1")
    composer.heading(1, "Totals")
    composer.paragraph("All in EUR.")
    composer.table([["a", "b"], ["1", "2"]], header_rows=1)
    pages, markdown = composer.finish()

Everything is cleaned, and bounded by the limits: what is over them is left out, once noted.
"""

from collections.abc import Sequence

from sheaf_orchestrator.extraction import markdown
from sheaf_orchestrator.extraction.cleaning import clean_text
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.notes import Notes
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import Annotation, Link, Page, Table

_NAME_CHARACTERS = 1_000


class Composer:
    """Collects the blocks of one page after the other."""

    def __init__(self, limits: Limits, notes: Notes) -> None:
        self._limits, self._notes = limits, notes
        self._pages: list[Page] = []
        self._markdown: list[str] = []
        self._characters = limits.characters
        self._cells = limits.table_cells
        self._links = self._annotations = limits.links
        self._number = 0
        self._open = False
        self._cut = False
        self._reset(None)

    def _reset(self, name: str | None) -> None:
        self._name = name
        self._texts: list[str] = []
        self._marks: list[str] = []
        self._items: list[str] = []
        self._numbered = False
        self._tables: list[Table] = []
        self._page_links: list[Link] = []
        self._page_annotations: list[Annotation] = []

    @property
    def full(self) -> bool:
        """Whether no more text is kept: an extractor may stop."""
        return self._characters <= 0

    def begin(self, name: str | None = None) -> None:
        """Close the page before, if any, and open the next."""
        self.close()
        self._number += 1
        self._open = True
        self._reset(clean_text(name[:_NAME_CHARACTERS]).strip() or None if name else None)

    @property
    def next_number(self) -> int:
        """The number of the page that is begun or skipped next."""
        return self._number + 1

    def skip(self) -> None:
        """Close the page before, if any, and count the next without one."""
        self.close()
        self._number += 1
        self._reset(None)

    def close(self) -> None:
        """Close the page that is open, if one is."""
        if not self._open:
            return
        self._open = False
        text = "\n".join(self._texts)
        self._pages.append(
            Page(
                number=self._number,
                width=None,
                height=None,
                rotation=0,
                text=text,
                characters=len(text),
                name=self._name,
                tables=self._tables,
                links=self._page_links,
                annotations=self._page_annotations,
            )
        )
        self._end_list()
        self._markdown.append(markdown.join(self._marks))

    def finish(self) -> tuple[list[Page], list[str]]:
        """The pages and the Markdown of each."""
        self.close()
        return self._pages, self._markdown

    def heading(self, level: int, text: str) -> None:
        """A heading of ``level`` from 1."""
        if kept := self._keep(text.strip()):
            self._texts.append(kept)
            self._mark(markdown.heading(level, kept))

    def paragraph(self, text: str, marked: str | None = None) -> None:
        """A paragraph; ``marked`` is its Markdown when that is more than its text."""
        if kept := self._keep(text):
            self._texts.append(kept)
            self._mark(markdown.escape(kept) if marked is None else clean_text(marked))

    def item(self, text: str, *, depth: int = 0, number: int | None = None) -> None:
        """An item of a list at ``depth`` from 0."""
        if kept := self._keep(text.strip()):
            self._texts.append(kept)
            # A bullet does not go on with a numbered list, nor the other way round.
            if depth == 0 and self._items and self._numbered != (number is not None):
                self._end_list()
            if depth == 0 or not self._items:
                self._numbered = number is not None
            self._items.append(markdown.item(kept, depth=min(depth, 8), number=number))

    def code(self, text: str) -> None:
        """Preformatted text."""
        if kept := self._keep(text):
            self._texts.append(kept)
            fence = "```"
            while fence in kept:
                fence += "`"
            self._mark(f"{fence}\n{kept}\n{fence}")

    def table(
        self, rows: Sequence[Sequence[str]], *, header_rows: int = 0, name: str | None = None
    ) -> None:
        """A table; its text is a line for each row, cells parted by tabs. Padded to a rectangle."""
        width = max((len(row) for row in rows), default=0)
        kept: list[list[str]] = []
        for row in rows:
            if self._cells < width or self.full:
                self._note_cut()
                break
            self._cells -= width
            cells = [cell if cell.isalnum() else clean_text(cell).strip() for cell in row]
            line = self._keep("\t".join(cells).rstrip("\t"), blank=True)
            self._texts.append(line)
            kept.append(cells + [""] * (width - len(cells)))
        if kept and width:
            self._tables.append(Table(rows=kept, header_rows=header_rows, name=name))
            self._mark(markdown.table(kept, header_rows))

    def link(self, url: str, text: str | None = None) -> None:
        """A link of the page; its text, if any, is given to a paragraph besides."""
        if self._links > 0 and url:
            self._links -= 1
            self._page_links.append(Link(url=clean_text(url[:4096]), text=text))

    def annotation(self, kind: str, text: str, author: str | None = None) -> None:
        """A comment or the like; its text counts, but is not part of the page's."""
        if self._annotations > 0 and (kept := self._keep(text.strip())):
            self._annotations -= 1
            self._page_annotations.append(Annotation(kind=kind, text=kept, author=author))

    def _mark(self, block: str) -> None:
        self._end_list()
        self._marks.append(block)

    def _end_list(self) -> None:
        """Items that follow each other are one list, without blank lines between."""
        if self._items:
            self._marks.append("\n".join(self._items))
            self._items = []

    def _keep(self, text: str, *, blank: bool = False) -> str:
        """The text, cleaned and cut to what may still be kept."""
        text = clean_text(text)
        if not blank and not text.strip():
            return ""
        if len(text) > self._characters:
            text = text[: max(self._characters, 0)]
            self._note_cut()
        self._characters -= len(text) + 1
        return text

    def _note_cut(self) -> None:
        if not self._cut:
            self._cut = True
            self._notes.cut(
                Reason.OUTPUT_LIMIT,
                f"Only {self._limits.characters} characters and {self._limits.table_cells} cells "
                "of tables were kept.",
            )
