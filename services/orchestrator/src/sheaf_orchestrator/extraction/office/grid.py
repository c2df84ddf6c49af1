"""The cells of a sheet, laid out without what is empty around and between them."""

import re
from typing import Final

from sheaf_orchestrator.extraction.office.reading import Reading

_REFERENCE: Final = re.compile(r"([A-Z]{1,3})(\d{1,7})$")
_SHOWN_GAP: Final = 1


def place(reference: str | None) -> tuple[int, int] | None:
    """Row and column, counted from 0, of a reference such as ``AB12``; None if it is none."""
    match = _REFERENCE.match(reference or "")
    if match is None:
        return None
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(match[2]) - 1, column - 1


class Grid:
    """Collects the cells of one sheet, whatever their order, at most as many as are kept."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._rows: dict[int, dict[int, str]] = {}
        self._texts: set[tuple[int, int]] = set()
        self._left = reading.limits.table_cells + 1

    @property
    def full(self) -> bool:
        """Whether more cells than are kept were put in."""
        return self._left <= 0

    def put(self, row: int, column: int, text: str, *, is_text: bool) -> None:
        """A cell; an empty one takes no place."""
        text = text.replace("\u00ad", "")
        if text and self._left > 0:
            self._left -= 1
            self._rows.setdefault(row, {})[column] = text
            if is_text and len(self._rows) == 1:
                self._texts.add((row, column))

    def compose(self, name: str | None = None) -> None:
        """Put the table into the page: a run of empty rows or columns is shown as one."""
        if not self._rows:
            return
        columns = _closed_up({column for row in self._rows.values() for column in row})
        places = _closed_up(set(self._rows))
        rows: list[list[str]] = []
        left = self._reading.limits.table_cells
        for at, row in sorted(self._rows.items()):
            while len(rows) < places[at] and left >= 0:
                rows.append([])
                left -= 1
            width = columns[max(row)] + 1
            left -= width
            if left < -width:
                break  # the composer notes that the rest is missing
            cells = [""] * width
            for column, text in row.items():
                cells[columns[column]] = text
            rows.append(cells)
        self._reading.composer.table(rows, header_rows=self._heads(rows), name=name)

    def _heads(self, rows: list[list[str]]) -> int:
        """1 when the first row holds nothing but texts, over all columns."""
        width = max(len(row) for row in rows)
        first = min(self._rows)
        full = len(rows) > 1 and len(rows[0]) == width and all(rows[0])
        return int(full and all((first, column) in self._texts for column in self._rows[first]))


def _closed_up(taken: set[int]) -> dict[int, int]:
    """Where each row or column is shown: gaps are one wide, the first begins at 0."""
    places: dict[int, int] = {}
    at, before = -1, None
    for each in sorted(taken):
        at += 1 if before is None else min(each - before, 1 + _SHOWN_GAP)
        places[each], before = at, each
    return places
