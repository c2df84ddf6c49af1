"""Tables, where the pieces of consecutive rows stand in columns.

Only what is plainly a table is taken for one: prose in columns, labels before values and the
numbered lines of a form are not.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from sheaf_orchestrator.extraction.cleaning import clean_text
from sheaf_orchestrator.extraction.pdf.lines import Piece, Placed
from sheaf_orchestrator.extraction.pdf.ordering import Row

_MIN_ROWS = 3
_MIN_ROWS_OF_TWO: Final = 4
_MAX_COLUMNS = 60
_MAX_CELL_CHARACTERS = 60
_MEAN_CELL_CHARACTERS = 25
_FILLED = 0.6
_NUMBERS = 0.6
_LEADERS: Final = ". . "
_LED = 0.1
_GAP = 2.0
"""Widest gap between rows of a table, in heights of a row."""

_Column = tuple[float, float]


class FoundTable(NamedTuple):
    """A table that takes up rows ``begin`` to ``end`` of the page."""

    begin: int
    end: int
    cells: list[list[str]]
    header_rows: int


def find_tables(text: str, rows: Sequence[Row]) -> list[FoundTable]:
    """The tables of a page, from top to bottom of its rows."""
    found: list[FoundTable] = []
    begin = 0
    for index in range(1, len(rows) + 1):
        if begin < index < len(rows) and _goes_on(rows[index - 1], rows[index]):
            continue
        if index - begin >= _MIN_ROWS and (table := _table(text, rows, begin, index)):
            found.append(table)
        begin = index
    return found


def _goes_on(above: Row, below: Row) -> bool:
    """Whether two rows may be of one table."""
    if len(above) < 2 or len(below) < 2:  # noqa: PLR2004 # a table has two columns or more
        return False
    upper, lower = above[0], below[0]
    height = max(upper.bottom - upper.top, 1.0)
    return -0.5 * height < lower.top - upper.bottom < _GAP * height


def _table(text: str, rows: Sequence[Row], begin: int, end: int) -> FoundTable | None:
    run = [sorted(row, key=lambda piece: piece.left) for row in rows[begin:end]]
    sizes = [piece.end - piece.start for row in run for piece in row]
    if max(sizes) > _MAX_CELL_CHARACTERS or sum(sizes) > _MEAN_CELL_CHARACTERS * len(sizes):
        return None
    columns = _columns(run)
    if columns is None or _has_leaders(text, run, len(sizes)):
        return None
    cells = [_cells(text, row, columns) for row in run]
    filled = sum(1 for row in cells for cell in row if cell)
    if filled < _FILLED * len(cells) * len(columns):
        return None
    numbers = [sum(map(_is_number, column)) for column in zip(*cells, strict=True)]
    if len(columns) == 2 and (  # noqa: PLR2004 # perhaps labels and values
        len(cells) < _MIN_ROWS_OF_TWO or numbers[1] < _NUMBERS * len(cells)
    ):
        return None
    heads = not any(map(_is_number, cells[0])) and max(numbers) >= len(cells) // 2
    return FoundTable(begin, end, cells, int(heads))


def _has_leaders(text: str, run: list[Row], count: int) -> bool:
    """Whether dots lead from words to numbers, as in the lines of a form."""
    led = sum(_LEADERS in text[piece.start : piece.end] for row in run for piece in row)
    return led > _LED * count


def _columns(run: list[Row]) -> list[_Column] | None:
    """The columns, by the rows that have the most usual number of pieces; None if in disorder."""
    usual, _ = Counter(map(len, run)).most_common(1)[0]
    if usual > _MAX_COLUMNS:
        return None
    pieces = sorted((piece.left, piece.right) for row in run if len(row) == usual for piece in row)
    columns: list[_Column] = []
    for left, right in pieces:
        if columns and left < columns[-1][1]:
            columns[-1] = (columns[-1][0], max(columns[-1][1], right))
        else:
            columns.append((left, right))
    return columns if len(columns) == usual else None


def _cells(text: str, row: Row, columns: list[_Column]) -> list[str]:
    """The row's text by columns; a piece that reaches over several is parted at its words."""
    cells: list[list[str]] = [[] for _ in columns]
    for piece in row:
        touched = [
            index
            for index, (left, right) in enumerate(columns)
            if piece.left < right and piece.right > left
        ]
        if len(touched) < 2:  # noqa: PLR2004 # stands in one
            at = touched[0] if touched else _nearest(piece, columns)
            cells[at].append(text[piece.start : piece.end])
            continue
        for word in piece.words:
            cells[_nearest(word, columns)].append(text[word.start : word.end])
    return [clean_text(" ".join(cell)) for cell in cells]


def _nearest(subject: Piece | Placed, columns: list[_Column]) -> int:
    middle = (subject.left + subject.right) / 2
    away = [max(left - middle, middle - right, 0.0) for left, right in columns]
    return away.index(min(away))


def _is_number(cell: str) -> bool:
    digits = sum(map(str.isdigit, cell))
    return digits > 0 and 2 * digits >= sum(map(str.isalnum, cell))
