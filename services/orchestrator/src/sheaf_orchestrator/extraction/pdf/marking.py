"""Markdown of a page: its headings, lists and tables by what stands where and how large."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from sheaf_orchestrator.extraction import markdown
from sheaf_orchestrator.extraction.pdf.lines import HYPHEN
from sheaf_orchestrator.extraction.pdf.ordering import Row
from sheaf_orchestrator.extraction.pdf.pagetext import continuation
from sheaf_orchestrator.extraction.pdf.tables import FoundTable

_LARGER: Final = ((1.7, 1), (1.35, 2), (1.15, 3))
"""How many times larger than the page's usual text a heading is, and its level."""
_HEADING_CHARACTERS = 120
_PARTED = 0.7
"""Gap before a new paragraph, in heights of the line."""
_BULLET: Final = re.compile(
    "[\u2022\u25e6\u25aa\u2023\u25cf\u25cb\u25a0\u25a1\u2043\uf0b7\u00b7-]\\s+(?=\\S)"
)
_NUMBER: Final = re.compile(r"(\d{1,3})[.)]\s+(?=\S)")
_SAME_SIZE = 0.15
_INDENT = 3.0
"""Points by which a line is further in."""
_MAX_DEPTH = 6
_TITLE: Final = re.compile(r"\W+")


def mark(
    source: str,
    rows: Sequence[Row],
    text: str,
    tables: Sequence[FoundTable],
    titles: dict[str, int],
) -> str:
    """The Markdown of a page.

    ``rows`` refer to ``source``; ``text`` is the page's text, made of these rows. ``titles``
    are those of the outline that lead to this page, as ``plain`` gives them, with their levels
    from 0.
    """
    lines = text.split("\n")
    begins = _line_begins(source, rows)
    if len(begins) != len(lines):
        return markdown.escape(text)  # a line end inside of a word: nothing stands where it did
    return _Marker(rows, lines, begins, tables, titles).mark()


def plain(title: str) -> str:
    """A title as it is compared with a line."""
    return _TITLE.sub("", title.casefold())


def _line_begins(source: str, rows: Sequence[Row]) -> list[int]:
    """The number of the row that begins each line: a word may go on from row to row."""
    expected = -1
    begins = []
    for number, row in enumerate(rows):
        if row[0].start != expected:
            begins.append(number)
        end = row[-1].end
        expected = continuation(source, end) if source[end : end + 1] == HYPHEN else -1
    return begins


class _Marker:
    """Goes through the lines of a page and collects its blocks."""

    def __init__(
        self,
        rows: Sequence[Row],
        lines: list[str],
        begins: list[int],
        tables: Sequence[FoundTable],
        titles: dict[str, int],
    ) -> None:
        self._rows, self._lines, self._begins = rows, lines, begins
        self._tables = {table.begin: table for table in tables}
        self._titles = titles
        self._title_begins = {title[0] for title in titles}
        """Looked at first: most lines are no titles."""
        self._usual = _usual_size(rows)
        self._blocks: list[str] = []
        self._paragraph: list[str] = []
        self._items: list[str] = []
        self._indents: list[float] = []

    def mark(self) -> str:
        """The Markdown of the page."""
        index = 0
        while index < len(self._lines):
            table = self._tables.get(self._begins[index])
            if table is not None:
                self._close()
                self._blocks.append(markdown.table(table.cells, table.header_rows))
                while index < len(self._lines) and self._begins[index] < table.end:
                    index += 1
                continue
            level = self._heading_level(index)
            if level:
                self._close()
                index = self._add_heading(index, level)
                continue
            self._add_line(index)
            index += 1
        self._close()
        return markdown.join(self._blocks)

    def _heading_level(self, index: int) -> int:
        """The level of the heading that the line is, or 0."""
        row = self._rows[self._begins[index]]
        ratio = row[0].size / self._usual
        line = self._lines[index]
        if ratio < _LARGER[-1][0] and line[:1].casefold() not in self._title_begins:
            return 0
        if len(line) > _HEADING_CHARACTERS or not any(map(str.isalpha, line)):
            return 0
        if self._titles and (level := self._titles.get(plain(line))) is not None:
            return level + 1
        if ratio < _LARGER[-1][0] or not row[0].is_level or any(piece.is_value for piece in row):
            return 0
        return next(level for larger, level in _LARGER if ratio >= larger)

    def _add_heading(self, index: int, level: int) -> int:
        """A heading with the lines in which it goes on; answers the line after them."""
        parts = [self._lines[index]]
        index += 1
        while (
            index < len(self._lines)
            and self._begins[index] not in self._tables
            and self._heading_level(index) == level
            and self._follows(index)
        ):
            parts.append(self._lines[index])
            index += 1
        self._blocks.append(markdown.heading(level, " ".join(parts)))
        return index

    def _add_line(self, index: int) -> None:
        line, left = self._lines[index], self._rows[self._begins[index]][0].left
        bullet = None
        if line[:1].isdigit():
            bullet = _NUMBER.match(line)
        elif not line[:1].isalpha():
            bullet = _BULLET.match(line)
        if bullet:
            self._end_paragraph()
            while self._indents and left < self._indents[-1] - _INDENT:
                self._indents.pop()
            if not self._indents or left > self._indents[-1] + _INDENT:
                self._indents.append(left)
            number = int(bullet[1]) if bullet.re is _NUMBER else None
            depth = min(len(self._indents), _MAX_DEPTH) - 1
            self._items.append(markdown.item(line[bullet.end() :], depth=depth, number=number))
        elif self._items and self._follows(index) and left > self._indents[-1] + _INDENT:
            self._items[-1] += " " + markdown.escape(line)
        else:
            self._end_items()
            if self._paragraph and not self._follows(index):
                self._end_paragraph()
            self._paragraph.append(line)

    def _follows(self, index: int) -> bool:
        """Whether a line goes on from the one above it, without a gap."""
        begin = self._begins[index]
        above, below = self._rows[begin - 1][0], self._rows[begin][0]
        size = above.size
        return (
            -size < below.top - above.bottom < _PARTED * size
            and -_SAME_SIZE * size <= below.size - size <= _SAME_SIZE * size
        )

    def _end_paragraph(self) -> None:
        if self._paragraph:
            self._blocks.append(markdown.escape("\n".join(self._paragraph)))
            self._paragraph = []

    def _end_items(self) -> None:
        if self._items:
            self._blocks.append("\n".join(self._items))
            self._items, self._indents = [], []

    def _close(self) -> None:
        self._end_paragraph()
        self._end_items()


def _usual_size(rows: Sequence[Row]) -> float:
    """The size in which most letters of the page are written."""
    sizes: Counter[int] = Counter()
    for row in rows:
        piece = row[0]
        sizes[int(2 * piece.size)] += piece.end - piece.start
    return max(sizes.most_common(1)[0][0] / 2 if sizes else 1.0, 1.0)
