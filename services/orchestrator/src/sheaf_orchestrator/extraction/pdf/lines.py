"""The words of a page where they stand, and the pieces of lines that they make.

A piece is a run of words beside one another without a wide gap: a line of a column, a cell of
a table, a label. Pieces come in the order of the page's text.
"""

import re
from collections.abc import Sequence
from functools import partial
from operator import ge, gt
from typing import Final, NamedTuple

from sheaf_orchestrator.extraction.pdf.geometry import View
from sheaf_orchestrator.extraction.pdf.pdfium import TextLayer
from sheaf_orchestrator.extraction.result import Box

HYPHEN: Final = "\ufffe"
"""What pdfium puts in place of a hyphen at a line's end, and of the break after it."""

_WORDS: Final = re.compile("\\.(?: \\.)+(?=\\s)|[^\\s\ufffe]+")
"""Words; dots that lead from one to a number, as in a table of contents, are one."""
_GAP = 1.2
"""Widest gap between words of one piece, in heights of the line."""
_SHORT = 2
"""Characters that may stand upright in a level line."""
_OVERLAP = 1.0
"""How far a word may reach back into the one before it, in heights of the line."""


class Placed(NamedTuple):
    """A word (characters ``start`` to ``end`` of the page's text) in its box as displayed."""

    start: int
    end: int
    left: float
    top: float
    right: float
    bottom: float


class Piece:
    """Words that belong together on one line."""

    __slots__ = ("bottom", "end", "is_value", "left", "right", "size", "start", "top", "words")

    def __init__(self, words: list[Placed]) -> None:
        first, last = words[0], words[-1]
        self.words = words
        self.start, self.end = first.start, last.end
        self.left = min(first.left, last.left)
        self.right = max(first.right, last.right)
        self.top = min(first.top, last.top)
        self.bottom = max(first.bottom, last.bottom)
        self.size = first.bottom - first.top
        """Height of its letters: the font's size, when the text is level."""
        self.is_value = False
        """Whether it is no text of the page itself, but what a form field or a note shows."""

    @property
    def is_level(self) -> bool:
        """Whether its text runs from left to right, not upwards or down."""
        return (
            self.right - self.left >= 0.8 * (self.bottom - self.top)
            or self.end - self.start <= _SHORT
        )

    @property
    def box(self) -> Box:
        """Left, top, right, bottom."""
        return (self.left, self.top, self.right, self.bottom)


def place_words(layer: TextLayer, text: str, view: View) -> list[Placed]:
    """Every word of the text, in its order, where it stands."""
    spans = [match.span() for match in _WORDS.finditer(text)]
    if not spans:
        return []
    starts, ends = zip(*spans, strict=True)
    first = layer.boxes(starts)
    last = layer.boxes([end - 1 for end in ends])
    sides = view.sides(*_around(first, last))
    # Without a call of the class for each word: there are many of them.
    return list(map(partial(tuple.__new__, Placed), zip(starts, ends, *sides, strict=True)))


def place_letters(layer: TextLayer, view: View, word: Placed) -> list[Placed]:
    """The letters of a word, each where it stands."""
    places = range(word.start, word.end)
    numbers = layer.boxes(places)
    sides = view.sides(numbers[0::4], numbers[3::4], numbers[2::4], numbers[1::4])
    return [
        Placed(place, place + 1, *box)
        for place, box in zip(places, zip(*sides, strict=True), strict=True)
    ]


def _around(first: list[float], last: list[float]) -> Sequence[list[float]]:
    """Lefts, bottoms, rights and tops of words, by the boxes of their first and last letters."""
    left, top, right, bottom = (first[side::4] for side in range(4))
    left2, top2, right2, bottom2 = (last[side::4] for side in range(4))
    if any(map(gt, left, right2)) or any(map(ge, bottom, top2)) or any(map(ge, bottom2, top)):
        # Some word runs to the left, upwards or down.
        return (
            list(map(min, left, left2)),
            list(map(min, bottom, bottom2)),
            list(map(max, right, right2)),
            list(map(max, top, top2)),
        )
    return left, bottom, right2, top


def make_pieces(text: str, words: list[Placed]) -> list[Piece]:
    """The words grouped into pieces of lines, in their order."""
    pieces: list[Piece] = []
    run: list[Placed] = []
    end, right, limit = 0, 0.0, 0.0
    for word in words:
        start, stop, left, top, right_edge, bottom = word
        between = text[end:start]
        if run and (
            (between != " " and ("\n" in between or "\r" in between or HYPHEN in between))
            or not -limit * _OVERLAP < left - right < limit * _GAP
        ):
            pieces.append(Piece(run))
            run = []
        run.append(word)
        end, right = stop, right_edge
        limit = (bottom - top) or 1.0
    if run:
        pieces.append(Piece(run))
    return pieces
