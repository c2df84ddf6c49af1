"""The paragraphs and tables of one flow of RTF: the body, a footnote, a header, a text box."""

import re
from typing import Final, NamedTuple

from sheaf_orchestrator.extraction.office.doc_pieces import joined
from sheaf_orchestrator.extraction.office.inline import Inline
from sheaf_orchestrator.extraction.office.reading import Reading

_NUMBERED: Final = re.compile(r"(\d{1,6})[.)]")
_BULLETS: Final = frozenset("•·▪●○■□◆❖➢✓-\u2013o§")


class Format(NamedTuple):
    """What is set for a paragraph."""

    style: int = 0
    outline: int | None = None
    in_table: bool = False
    depth: int = 0


class Flow:
    """Collects; a flow of the body puts its blocks into the page, another keeps its lines."""

    def __init__(self, reading: Reading, levels: dict[int, int], *, body: bool) -> None:
        self._reading, self._levels, self._body = reading, levels, body
        self.lines: list[str] = []
        self.label = ""
        self._inline = Inline()
        self._links: list[tuple[str, list[str]]] = []
        self._cell: list[str] = []
        self._cells: list[str] = []
        self._rows: list[list[str]] = []
        self._kept_cells = 0
        self._heads = 0

    def add(self, text: str) -> None:
        """Text of the paragraph, or of the link that is open."""
        if self._links:
            self._links[-1][1].append(text)
        else:
            self._inline.add(joined(text))

    def note(self, label: str) -> None:
        """The mark of a footnote."""
        self._inline.note(label)

    def open_link(self, url: str) -> None:
        """What is added from here on leads to the address; it may be empty."""
        self._links.append((url, []))

    def close_link(self) -> None:
        """The end of what was opened last."""
        if self._links:
            url, parts = self._links.pop()
            self._link(url, parts)

    def _link(self, url: str, parts: list[str]) -> None:
        text = joined("".join(parts))
        if not text:
            return
        if self._links:
            self._links[-1][1].append(text)
        else:
            self._inline.link(text, url)
        if url:
            self._reading.composer.link(url, text)

    def _take(self) -> Inline:
        for at, (url, parts) in enumerate(self._links):
            self._links[at] = (url, [])
            text = joined("".join(parts))
            if text:
                self._inline.link(text, url)
        inline, self._inline = self._inline, Inline()
        return inline

    def end_paragraph(self, form: Format) -> None:
        """A paragraph ends."""
        inline, label = self._take(), self.label.strip()
        self.label = ""
        text = inline.text
        if form.in_table or self._cells or self._cell:
            if text.strip():
                self._cell.append(_labelled(label, text))
            return
        if not text.strip():
            return
        self._end_table()
        level = self._levels.get(form.style)
        if form.outline is not None:
            level = form.outline + 1 if form.outline < 9 else None  # noqa: PLR2004 # body text
        if not self._body:
            self.lines.append(_labelled(label, text).strip())
        elif level is not None:
            self._reading.heading(level, _labelled(label, text))
        elif label:
            number = _NUMBERED.fullmatch(label)
            shown = text if number else _labelled(label, text)
            count = int(number[1]) if number else None
            self._reading.composer.item(shown, depth=form.depth, number=count)
        else:
            marked = inline.marked
            self._reading.composer.paragraph(text.strip(), marked and marked.strip())

    def end_cell(self) -> None:
        """A cell of a table ends."""
        text = self._take().text
        if text.strip():
            self._cell.append(_labelled(self.label.strip(), text))
        self.label = ""
        if self._kept_cells <= self._reading.limits.table_cells:
            self._cells.append("\n".join(self._cell))
            self._kept_cells += 1
        self._cell = []

    def end_row(self, *, head: bool) -> None:
        """A row of a table ends."""
        if self._cells:
            if head and self._heads == len(self._rows):
                self._heads += 1
            self._rows.append(self._cells)
        self._cells, self._cell = [], []

    def _end_table(self) -> None:
        if self._rows and self._body:
            self._reading.composer.table(self._rows, header_rows=self._heads)
        elif self._rows:
            self.lines += ["\t".join(row) for row in self._rows]
        self._rows, self._heads, self._kept_cells = [], 0, 0

    def finish(self, form: Format) -> None:
        """The flow ends."""
        if self._cells or self._cell:
            self.end_cell()
            self.end_row(head=False)
        self.end_paragraph(form._replace(in_table=False))
        self._end_table()


def _labelled(label: str, text: str) -> str:
    return f"{label} {text}" if label and label not in _BULLETS else text
