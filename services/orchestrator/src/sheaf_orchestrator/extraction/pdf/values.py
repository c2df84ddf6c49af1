"""Form values and other annotations, put where they stand among the text of their page.

Flattening draws them after everything else of the page, so that they end its text.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

from sheaf_orchestrator.extraction.pdf.lines import HYPHEN, Piece, Placed, make_pieces
from sheaf_orchestrator.extraction.pdf.ordering import Row
from sheaf_orchestrator.extraction.result import Box

Letters = Callable[[Placed], list[Placed]]
"""A word parted into its letters."""

_WORDS = re.compile(r"\S+")
_SLACK = 2.0
"""How far a value may reach out of its field, points."""
_SLOTS_TRIED = 300
"""How many slots in a row may have been drawn without a word."""
_REACH = 72.0
"""How far above a value its label is looked for, points."""
_MAX_COMPARISONS = 2_000_000
"""Values times lines; of a page with more, the values stay at its end."""


class Slot(NamedTuple):
    """A place on the page that shows a value of its own."""

    box: Box
    value: str | None = None
    """What the form says that it shows; None if only the drawing knows."""
    drawn: bool = True
    """Whether the drawing is up to date."""


class Parted(NamedTuple):
    """A page's text, its own words, and the lines of each value."""

    text: str
    own: list[Placed]
    values: list[list[Piece]]


def part_values(text: str, words: list[Placed], slots: Sequence[Slot], letters: Letters) -> Parted:
    """Tell the words of the slots, which end the page's text, from those of the page itself.

    Where the form knows better than the drawing, its value is appended to the text and takes
    the place of what was drawn. ``letters`` gives the letters of a word one by one.
    """
    own, shown = _tail(words, slots, letters)
    parts, length = [text], len(text)
    groups: list[list[Placed]] = []
    for index, slot in enumerate(slots):
        drawn = shown.get(index, [])
        if slot.value is not None and _is_better(slot, _written(text, drawn)):
            drawn = _spread(slot.value, slot.box, length + 1)
            parts.append(slot.value)
            length += 1 + len(slot.value)
        if drawn:
            groups.append(drawn)
    text = "\n".join(parts)
    pieces = [make_pieces(text, group) for group in groups]
    for piece in chain.from_iterable(pieces):
        piece.is_value = True
    return Parted(text, own, pieces)


def _tail(
    words: list[Placed], slots: Sequence[Slot], letters: Letters
) -> tuple[list[Placed], dict[int, list[Placed]]]:
    """The page's own words, and those of each slot: both follow one order, read from its end.

    pdfium may take the values of two fields for one word, which is parted then.
    """
    backwards: dict[int, list[Placed]] = {}
    count, last = len(words), len(slots) - 1
    while count:
        word = words[count - 1]
        holder = _holder(slots, last, word)
        whole = holder >= 0 and _fits(slots[holder], word)
        parts = [word] if whole else letters(word)[::-1]
        holders = [_holder(slots, last, part) for part in parts]
        if max(holders) < 0:
            break
        for part, holder in zip(parts, _without_gaps(holders), strict=True):
            last = min(last, holder)
            _add_before(backwards.setdefault(last, []), part)
        count -= 1
    return words[:count], {holder: found[::-1] for holder, found in backwards.items()}


def _without_gaps(holders: list[int]) -> list[int]:
    """Letters that reach out of their field belong to that of the letter before them."""
    known = [holder for holder in holders if holder >= 0]
    filled: list[int] = []
    for holder in holders:
        if holder >= 0:
            known.pop(0)
        filled.append(holder if holder >= 0 else known[0] if known else filled[-1])
    return filled


def _add_before(backwards: list[Placed], part: Placed) -> None:
    """Add a part of a word, grown together with what follows it when nothing lies between."""
    if backwards and backwards[-1].start == part.end:
        after = backwards[-1]
        part = Placed(
            part.start,
            after.end,
            part.left,
            min(part.top, after.top),
            after.right,
            max(part.bottom, after.bottom),
        )
        backwards.pop()
    backwards.append(part)


def _fits(slot: Slot, word: Placed) -> bool:
    left, _, right, _ = slot.box
    return left - _SLACK <= word.left and word.right <= right + _SLACK


def _holder(slots: Sequence[Slot], last: int, word: Placed) -> int:
    """The slot up to ``last`` in which the word stands, the last such; -1 if in none."""
    x, y = (word.left + word.right) / 2, (word.top + word.bottom) / 2
    for index in range(last, max(last - _SLOTS_TRIED, -1), -1):
        left, top, right, bottom = slots[index].box
        if left - _SLACK <= x <= right + _SLACK and top - _SLACK <= y <= bottom + _SLACK:
            return index
    return -1


def _written(text: str, words: list[Placed]) -> str:
    return "".join([text[word.start : word.end] for word in words])


def _is_better(slot: Slot, drawn: str) -> bool:
    """Whether the form's value is to be believed rather than the drawing.

    It is when nothing is drawn or the drawing is out of date; when both are the same but for
    spaces (the cells of a comb); and when they differ in letters beyond ASCII only, which are
    drawn right and read wrong where a font does not tell its encoding.
    """
    value = "".join((slot.value or "").split())
    if not drawn or not slot.drawn or value == drawn:
        return True
    if value.isascii() or drawn.isascii():
        return False
    plain = [letter for letter in value if letter.isascii()]
    rest = iter(drawn)
    return len(value) <= len(drawn) <= len(value) + (len(value) - len(plain)) and all(
        letter in rest for letter in plain
    )


def _spread(value: str, box: Box, start: int) -> list[Placed]:
    """The words of a value that stands in the text from ``start``, spread over the box."""
    words: list[Placed] = []
    left, top, right, bottom = box
    lines = value.split("\n")
    height = (bottom - top) / len(lines)
    for number, line in enumerate(lines):
        width = min((right - left) / max(len(line), 1), 0.6 * height)
        above, below = top + number * height, top + (number + 1) * height
        for begin, end in [match.span() for match in _WORDS.finditer(line)]:
            sides = (left + begin * width, above, left + end * width, below)
            words.append(Placed(start + begin, start + end, *sides))
        start += len(line) + 1
    return words


def keep_together(rows: list[Row], values: list[list[Piece]]) -> list[Row]:
    """The rows, in which only the first line of each value is, with the others below it."""
    rest = {id(lines[0]): lines[1:] for lines in values if len(lines) > 1}
    if not rest:
        return rows
    whole: list[Row] = []
    for row in rows:
        begin = 0
        for index, piece in enumerate(row):
            if below := rest.get(id(piece)):
                whole += [row[begin : index + 1], *([line] for line in below)]
                begin = index + 1
        if begin < len(row):
            whole.append(row[begin:])
    return whole


def insert_values(text: str, rows: list[Row], pieces: list[Piece]) -> list[Row]:
    """The rows with the pieces among them: behind what stands left of them, else below it."""
    pieces = sorted(pieces, key=lambda each: (each.top, each.left))
    if not rows or len(pieces) * sum(map(len, rows)) > _MAX_COMPARISONS:
        return rows + _lines(pieces)
    spots = sorted(
        (
            (piece.top, number, index)
            for number, row in enumerate(rows)
            for index, piece in enumerate(row)
        )
    )
    tops = [spot[0] for spot in spots]
    behind: dict[tuple[int, int], list[Piece]] = {}
    below: dict[int, list[Piece]] = {}
    for piece in pieces:
        begin = bisect_left(tops, piece.top - _REACH)
        end = bisect_left(tops, piece.bottom)
        near = [(rows[number][index], number, index) for _, number, index in spots[begin:end]]
        spot = _left_of(piece, near) or _above(piece, near)
        if spot is None:
            number = spots[max(begin - 1, 0)][1]
            below.setdefault(number if begin else -1, []).append(piece)
        elif spot[0].bottom > (piece.top + piece.bottom) / 2:
            behind.setdefault(_whole(text, rows, spot[1], spot[2]), []).append(piece)
        else:
            below.setdefault(spot[1], []).append(piece)
    return _merged(rows, behind, below)


_Spot = tuple[Piece, int, int]


def _left_of(piece: Piece, near: list[_Spot]) -> _Spot | None:
    """What ends nearest to the left, on the same line."""
    middle = (piece.top + piece.bottom) / 2
    beside = [
        spot for spot in near if spot[0].top < middle < spot[0].bottom and spot[0].left < piece.left
    ]
    return max(beside, key=lambda spot: spot[0].right, default=None)


def _above(piece: Piece, near: list[_Spot]) -> _Spot | None:
    """What stands nearest above."""
    over = [
        spot
        for spot in near
        if spot[0].top < piece.top and spot[0].left < piece.right and spot[0].right > piece.left
    ]
    higher = over or [spot for spot in near if spot[0].top < piece.top]
    return max(higher, key=lambda spot: spot[0].top, default=None)


def _whole(text: str, rows: list[Row], number: int, index: int) -> tuple[int, int]:
    """The spot, or the end of the next row when a word goes on there."""
    while text[rows[number][index].end : rows[number][index].end + 1] == HYPHEN:
        if number + 1 >= len(rows):
            break
        number, index = number + 1, len(rows[number + 1]) - 1
    return number, index


def _merged(
    rows: list[Row], behind: dict[tuple[int, int], list[Piece]], below: dict[int, list[Piece]]
) -> list[Row]:
    merged = [[piece] for piece in below.get(-1, ())]
    for number, row in enumerate(rows):
        line: Row = []
        for index, piece in enumerate(row):
            line.append(piece)
            line += behind.get((number, index), ())
        merged.append(line)
        merged += _lines(below.get(number, []))
    return merged


def _lines(pieces: list[Piece]) -> list[Row]:
    """Pieces in rows: those whose middles are on one height stand beside one another."""
    rows: list[Row] = []
    for piece in pieces:
        if rows and (piece.top + piece.bottom) / 2 < rows[-1][0].bottom:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    for row in rows:
        row.sort(key=lambda each: each.left)
    return rows
