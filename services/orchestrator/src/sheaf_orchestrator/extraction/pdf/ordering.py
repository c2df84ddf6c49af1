"""The order in which a page is read.

pdfium gives text in the order in which it was drawn, which most programs make the order of
reading. Only where the places of the pieces contradict it are they put in order here: in rows
from top to bottom, and columns of prose one after the other.
"""

from itertools import pairwise
from typing import Final

from sheaf_orchestrator.extraction.pdf.lines import Piece

Row = list[Piece]
"""Pieces beside one another, from left to right."""

_MAX_PIECES: Final = 20_000
_MAX_DEPTH: Final = 8
_MIN_GUTTER = 5.0
"""Narrowest gap between columns, points."""
_MAX_GUTTERS = 12
_COLUMN_ROWS = 3
_COLUMN_CHARACTERS = 18
_COLUMN_FILL = 0.5
_CELLS = 0.75
"""How much of a line each piece of prose should be: several short ones are cells of a table."""
_LONG_ROWS = 5
_LONG_CHARACTERS = 30
_CHANGES = 0.25
_SIDE_BY_SIDE = 3


def is_scattered(pieces: list[Piece], rows: list[Row]) -> bool:
    """Whether the order of drawing cannot be that of reading; ``rows`` are the lines drawn."""
    if len(pieces) > _MAX_PIECES:
        return False
    level = [piece for piece in pieces if piece.is_level]
    return _jumps(level) or _side_by_side(rows) >= max(_SIDE_BY_SIDE, len(rows) / 2)


def arrange(pieces: list[Piece]) -> list[Row]:
    """The pieces in rows as they are read; what is turned comes last, as it was drawn."""
    level = [piece for piece in pieces if piece.is_level]
    return _order(level, 0) + [[piece] for piece in pieces if not piece.is_level]


def _jumps(pieces: list[Piece]) -> bool:
    """Whether drawing ever went upwards other than to the next column."""
    begin = 0
    for index in range(1, len(pieces)):
        last, piece = pieces[index - 1], pieces[index]
        if piece.bottom > last.top + 0.3 * last.size:
            continue
        for other in pieces[begin:index]:
            if other.bottom > piece.top + 1 and other.right > piece.left + 1:
                return True
        begin = index
    return False


def _side_by_side(rows: list[Row]) -> int:
    """How many rows hold two runs of prose: columns, perhaps, that were drawn row by row."""
    return sum(
        sum(piece.end - piece.start >= _COLUMN_CHARACTERS for piece in row) > 1 for row in rows
    )


def make_rows(pieces: list[Piece]) -> list[Row]:
    """The pieces by rows from top to bottom, each from left to right."""
    rows: list[Row] = []
    limit = 0.0
    for piece in sorted(pieces, key=lambda each: each.top + each.bottom):
        if rows and (piece.top + piece.bottom) / 2 < limit:
            rows[-1].append(piece)
            continue
        rows.append([piece])
        limit = piece.bottom - 0.25 * (piece.bottom - piece.top)
    for row in rows:
        row.sort(key=lambda each: each.left)
    return rows


def _order(pieces: list[Piece], depth: int) -> list[Row]:
    rows = make_rows(pieces)
    if depth >= _MAX_DEPTH:
        return rows
    ordered: list[Row] = []
    index = 0
    while index < len(rows):
        if len(rows[index]) < 2:  # noqa: PLR2004 # no gap, no columns
            ordered.append(rows[index])
            index += 1
            continue
        end, gutter = _columns(rows, index)
        run = rows[index:end]
        if gutter is None:
            ordered += run
        else:
            for side in _sides(run, gutter):
                ordered += _order(side, depth + 1)
        index = end
    return ordered


def _columns(rows: list[Row], begin: int) -> tuple[int, tuple[float, float] | None]:
    """Where the rows from ``begin`` end that share a gap, and that gap if columns lie around it."""
    first = rows[begin]
    gutters = [
        (left.right, right.left)
        for left, right in pairwise(first)
        if right.left - left.right >= _MIN_GUTTER
    ]
    if not gutters:
        return begin + 1, None
    if len(gutters) > _MAX_GUTTERS:
        return begin + 1, None  # a table of many columns
    index = begin + 1
    while index < len(rows):
        kept = _without(gutters, rows[index])
        if len(kept) < len(gutters):
            lost = [g for g in gutters if not any(g[0] <= k[0] and k[1] <= g[1] for k in kept)]
            for gutter in lost:
                if _is_prose(rows[begin:index], gutter):
                    return index, gutter
        if not kept:
            break
        gutters = kept
        index += 1
    best = max(
        (gutter for gutter in gutters if _is_prose(rows[begin:index], gutter)),
        key=lambda gutter: gutter[1] - gutter[0],
        default=None,
    )
    return index, best


def _without(gutters: list[tuple[float, float]], row: Row) -> list[tuple[float, float]]:
    """What of the gutters the row leaves free."""
    for piece in row:
        left, right = piece.left, piece.right
        kept = []
        for low, high in gutters:
            if right <= low or left >= high:
                kept.append((low, high))
                continue
            if left - low >= _MIN_GUTTER:
                kept.append((low, left))
            if high - right >= _MIN_GUTTER:
                kept.append((right, high))
        gutters = kept[:_MAX_GUTTERS]
    return gutters


def _sides(run: list[Row], gutter: tuple[float, float]) -> tuple[list[Piece], list[Piece]]:
    middle = (gutter[0] + gutter[1]) / 2
    left = [piece for row in run for piece in row if piece.left < middle]
    right = [piece for row in run for piece in row if piece.left >= middle]
    return left, right


def _is_prose(run: list[Row], gutter: tuple[float, float]) -> bool:
    """Whether there are columns on both sides, rather than labels, values or cells.

    Both are prose; or one is, and what stands beside it, such as a figure, was drawn apart.
    """
    left, right = _sides(run, gutter)
    if _is_column(left, _COLUMN_CHARACTERS) and _is_column(right, _COLUMN_CHARACTERS):
        return True
    return (
        len(run) >= _LONG_ROWS
        and (_is_column(left, _LONG_CHARACTERS) or _is_column(right, _LONG_CHARACTERS))
        and _changes(left, right) <= _CHANGES * len(run)
    )


def _changes(left: list[Piece], right: list[Piece]) -> int:
    """How often drawing went from one side to the other."""
    drawn = sorted([(piece.start, 0) for piece in left] + [(piece.start, 1) for piece in right])
    return sum(one[1] != other[1] for one, other in pairwise(drawn))


def _is_column(pieces: list[Piece], row_characters: int) -> bool:
    if len(pieces) < _COLUMN_ROWS:
        return False
    tops = sorted(piece.top for piece in pieces)
    count, last = 0, -1e9
    for top in tops:
        if top - last > 2:  # noqa: PLR2004 # points: another row
            count, last = count + 1, top
    characters = sum(piece.end - piece.start for piece in pieces)
    left = min(piece.left for piece in pieces)
    right = max(piece.right for piece in pieces)
    filled = sum(piece.right - piece.left for piece in pieces)
    return (
        count >= _COLUMN_ROWS
        and characters >= row_characters * max(count, _CELLS * len(pieces))
        and filled >= _COLUMN_FILL * (right - left) * count
    )
