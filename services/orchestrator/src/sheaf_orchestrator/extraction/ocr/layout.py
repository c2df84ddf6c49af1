"""Pieces of lines put in the order in which a person reads them.

Columns are told from the cells of a form by what is in them: a column is a stack of long lines
that leave a gutter free from top to bottom, but for the few that span the page.
"""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from sheaf_orchestrator.extraction import markdown
from sheaf_orchestrator.extraction.ocr.engine import Line
from sheaf_orchestrator.extraction.ocr.pieces import stands_on_side

Row = list[Line]
"""Pieces beside one another, from left to right."""

_MAX_DEPTH: Final = 4
_GUTTERS: Final = 40
"""Places across the page at which a gutter is looked for."""
_SPANNING: Final = 0.2
"""Share of the lines that may cross a gutter."""
_COLUMN_LINES: Final = 4
_COLUMN_WIDTH: Final = 7.0
"""Line heights that the lines of a column are wide, at the median: cells are shorter."""
_COLUMN_FILL: Final = 0.35
"""Share of a column's height that its lines cover."""
_SAME_ROW: Final = 0.5
"""Share of the lower piece's height that two pieces of a row have in common."""
_PARAGRAPH_GAP: Final = 0.9
"""Line heights between the rows of different paragraphs."""
_HEADING: Final = 1.5
"""Times the usual height."""
_HEADING_CHARACTERS: Final = 200


def rows_in_order(lines: Sequence[Line]) -> list[Row]:
    """The lines as rows, those of the first column first; what runs up or down comes last."""
    level = [line for line in lines if not stands_on_side(line)]
    sideways = sorted((line for line in lines if stands_on_side(line)), key=_left)
    return [*_read(level, _MAX_DEPTH), *([line] for line in sideways)]


def text_of(rows: Sequence[Row]) -> str:
    """A line for each row, its pieces parted by a space."""
    return "\n".join(" ".join(piece.text for piece in row) for row in rows)


def markdown_of(rows: Sequence[Row]) -> str:
    """Paragraphs where the rows stand apart, headings where the letters are larger."""
    if not rows:
        return ""
    usual = median(_height(piece) for row in rows for piece in row)
    blocks: list[str] = []
    group: list[Row] = []
    for row in rows:
        if group and not (
            _is_large(row, usual) == _is_large(group[-1], usual) and _follows(row, group[-1])
        ):
            blocks.append(_block(group, usual))
            group = []
        group.append(row)
    blocks.append(_block(group, usual))
    return markdown.join(blocks)


def _block(rows: Sequence[Row], usual: float) -> str:
    """A heading or a paragraph."""
    if _is_large(rows[0], usual):
        title = text_of(rows).replace("\n", " ")
        if len(title) <= _HEADING_CHARACTERS:
            return markdown.heading(2, title)
    return markdown.escape(text_of(rows))


def _is_large(row: Row, usual: float) -> bool:
    if any(map(stands_on_side, row)):
        return False
    return min(map(_height, row)) >= _HEADING * usual


def _follows(row: Row, before: Row) -> bool:
    """Whether no gap parts the rows; a row higher up begins another column."""
    height = min(_bottom(row) - _top(row), _bottom(before) - _top(before))
    return -height <= _top(row) - _bottom(before) <= _PARAGRAPH_GAP * height


def _read(lines: list[Line], depth: int) -> Iterator[Row]:
    gutter = _find_gutter(lines) if depth else None
    if gutter is None:
        yield from _rows(lines)
        return
    left: list[Line] = []
    right: list[Line] = []
    for line in sorted(lines, key=_middle):
        if line.box[2] <= gutter:
            left.append(line)
        elif line.box[0] >= gutter:
            right.append(line)
        else:
            # What spans the columns ends them: all above it is read before it.
            yield from _read(left, depth - 1)
            yield from _read(right, depth - 1)
            left, right = [], []
            yield [line]
    yield from _read(left, depth - 1)
    yield from _read(right, depth - 1)


def _find_gutter(lines: Sequence[Line]) -> float | None:
    """Where two columns are parted, or None if they are not."""
    if len(lines) < 2 * _COLUMN_LINES:
        return None
    start, end = min(line.box[0] for line in lines), max(line.box[2] for line in lines)
    best: tuple[int, float] | None = None
    for step in range(_GUTTERS // 5, _GUTTERS * 4 // 5 + 1):
        place = start + (end - start) * step / _GUTTERS
        left = [line for line in lines if line.box[2] <= place]
        right = [line for line in lines if line.box[0] >= place]
        crossing = len(lines) - len(left) - len(right)
        if crossing > _SPANNING * len(lines) or (best is not None and crossing >= best[0]):
            continue
        if _is_column(left) and _is_column(right):
            best = (crossing, place)
    return best[1] if best is not None else None


def _is_column(lines: Sequence[Line]) -> bool:
    if len(lines) < _COLUMN_LINES:
        return False
    height = median(map(_height, lines))
    extent = max(line.box[3] for line in lines) - min(line.box[1] for line in lines)
    return (
        median(line.box[2] - line.box[0] for line in lines) >= _COLUMN_WIDTH * height
        and sum(map(_height, lines)) >= _COLUMN_FILL * extent
    )


def _rows(lines: Sequence[Line]) -> Iterator[Row]:
    """Rows from the top; a piece belongs to the row that it stands in, not the one it touches."""
    row: Row = []
    top = bottom = 0.0
    for line in sorted(lines, key=_middle):
        common = min(bottom, line.box[3]) - max(top, line.box[1])
        if row and common < _SAME_ROW * min(bottom - top, _height(line)):
            yield sorted(row, key=_left)
            row = []
        if not row:
            top, bottom = line.box[1], line.box[3]
        row.append(line)
    if row:
        yield sorted(row, key=_left)


def _left(line: Line) -> float:
    return line.box[0]


def _middle(line: Line) -> float:
    return (line.box[1] + line.box[3]) / 2


def _height(line: Line) -> float:
    return line.box[3] - line.box[1]


def _top(row: Row) -> float:
    return min(piece.box[1] for piece in row)


def _bottom(row: Row) -> float:
    return max(piece.box[3] for piece in row)
