"""A picture of a page in, its text with places and confidence out."""

import time
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
from PIL import Image

from sheaf_orchestrator.extraction.cleaning import clean_text
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.ocr.bands import read_lines
from sheaf_orchestrator.extraction.ocr.choosing import Choice
from sheaf_orchestrator.extraction.ocr.engine import Engine, Line
from sheaf_orchestrator.extraction.ocr.layout import markdown_of, rows_in_order, text_of
from sheaf_orchestrator.extraction.ocr.pieces import turn
from sheaf_orchestrator.extraction.ocr.turning import (
    read_sideways,
    slope,
    slope_back,
    straighten,
    upright,
)
from sheaf_orchestrator.extraction.ocr.wording import words_of
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.recognised import RecognisedPage
from sheaf_orchestrator.extraction.result import Box, Word

_NOISE: Final = 0.3
"""Confidence below which a piece is taken for a smudge."""
_FLAT: Final = 8
"""Shades of 256 by which the pixels of an empty page may differ: it is not worth an engine."""
_SIDEWAYS: Final = frozenset({90, 270})


def read_page(
    picture: Image.Image,
    number: int,
    size: tuple[float, float],
    choice: Choice,
    languages: Sequence[str],
    limits: Limits,
) -> RecognisedPage:
    """The page, upright: its size, in points, is that of the picture after it was turned.

    ``picture`` is grey and ``size`` its width and height in points. Raises ExtractionError:
    TIME_LIMIT.
    """
    clock = _Clock(limits.ocr_page_s)
    seen = _see(picture, choice.engine, languages, clock)
    degrees = upright(seen.straight, seen.lines, choice.engine, languages)
    if degrees:
        clock.check()
        picture = turn(picture, degrees)
        seen = _see(picture, choice.engine, languages, clock)
    if degrees in _SIDEWAYS:
        size = (size[1], size[0])
    clock.check()
    lines = read_sideways(seen.straight, seen.lines, choice.engine, languages)
    scale = (size[0] / picture.width, size[1] / picture.height)
    rows = rows_in_order([line for line in lines if line.confidence >= _NOISE])
    pieces = [piece for row in rows for piece in row]
    return RecognisedPage(
        number=number,
        width=size[0],
        height=size[1],
        text=text_of(rows),
        confidence=_mean_confidence(pieces),
        rotation=degrees,
        words=[
            Word(word.text, _scaled(seen.place(word.box), scale), word.confidence)
            for piece in pieces
            for word in piece.words or words_of(piece)
        ],
        markdown=markdown_of(rows),
        warnings=[] if choice.warning is None else [choice.warning],
    )


class _Clock:
    """CPU time, since a page of the slow lane may wait long for its turn."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.process_time() + seconds

    def check(self) -> None:
        if time.process_time() > self._end:
            message = f"Recognising the page took more than {self._seconds:g} s and was given up."
            raise ExtractionError(Reason.TIME_LIMIT, message)


class _Seen(NamedTuple):
    """Lines, with their places in a picture that was straightened to be read."""

    lines: list[Line]
    straight: Image.Image
    leaning: Image.Image
    degrees: float

    def place(self, box: Box) -> Box:
        """Where a box of the straightened picture lies in the one before."""
        if not self.degrees:
            return box
        return slope_back(box, self.straight.size, self.leaning.size, self.degrees)


def _see(picture: Image.Image, engine: Engine, languages: Sequence[str], clock: _Clock) -> _Seen:
    if _is_blank(picture):
        return _Seen([], picture, picture, 0.0)
    degrees = slope(picture)
    straight = straighten(picture, degrees) if degrees else picture
    lines = read_lines(straight, engine, languages, clock.check)
    tidy = [
        msgspec.structs.replace(line, text=text)
        for line in lines
        if (text := clean_text(line.text).strip())
    ]
    return _Seen(tidy, straight, picture, degrees)


def _is_blank(picture: Image.Image) -> bool:
    low, high = picture.getextrema()
    return float(high) - float(low) < _FLAT  # type: ignore[arg-type]  # of one band


def _mean_confidence(pieces: Sequence[Line]) -> float | None:
    characters = sum(len(piece.text) for piece in pieces)
    if not characters:
        return None
    return round(sum(piece.confidence * len(piece.text) for piece in pieces) / characters, 4)


def _scaled(box: Box, scale: tuple[float, float]) -> Box:
    across, down = scale
    return (
        round(box[0] * across, 2),
        round(box[1] * down, 2),
        round(box[2] * across, 2),
        round(box[3] * down, 2),
    )
