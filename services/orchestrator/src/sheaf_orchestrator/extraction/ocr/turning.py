"""Pictures made upright and straight before they are read.

Most are already, so what finds that out must be cheap: the slope of the lines costs about 10 ms,
and a turned page is only looked for when what was read is poor or stands on its side.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sheaf_orchestrator.extraction.ocr.engine import Engine, Line
from sheaf_orchestrator.extraction.ocr.pieces import (
    POOR,
    confidence_of,
    cut,
    read,
    stands_on_side,
)
from sheaf_orchestrator.extraction.result import Box

_LOOKED_AT_PX: Final = 600
_EDGE: Final = 48
"""Shades of 256 between a pixel and the one below that make it an edge of ink."""
_MAX_EDGES: Final = 60_000
_MAX_SLOPE: Final = 15.0
_LEAST_SLOPE: Final = 0.5
"""Degrees; below, rows are told apart all the same."""
_CLEARER: Final = 1.2
"""Times as sharp that rows must become: pictures without rows stay as they are."""

_SURE: Final = 0.05
_SAMPLES: Final = 6
_SIDEWAYS_PIECES: Final = 40
_WORTH_READING: Final = 4
"""Characters of a line on its side; shorter ones are mostly rules and boxes."""


def slope(picture: Image.Image) -> float:
    """Degrees by which its lines of text fall to the right; 0 when they are straight or unclear."""
    rows, columns, height = _edges(picture)
    if len(rows) < _MAX_EDGES // 1_000:
        return 0.0
    straight = _sharpness(rows, columns, height, 0.0)
    best, sharpest = 0.0, straight
    for step in (1.0, 0.25):
        middle, reach = best, _MAX_SLOPE if step == 1.0 else 0.75
        for degrees in np.arange(middle - reach, middle + reach + step / 2, step):
            sharpness = _sharpness(rows, columns, height, float(degrees))
            if sharpness > sharpest:
                best, sharpest = float(degrees), sharpness
    return best if abs(best) >= _LEAST_SLOPE and sharpest > _CLEARER * straight else 0.0


def _edges(picture: Image.Image) -> tuple[NDArray[np.float32], NDArray[np.float32], int]:
    """Rows and columns of the edges of a reduced copy, and its height."""
    factor = max(1, max(picture.size) // _LOOKED_AT_PX)
    shades = np.asarray(picture.reduce(factor), dtype=np.int16)
    rows, columns = np.nonzero(np.abs(np.diff(shades, axis=0)) > _EDGE)
    every = max(1, len(rows) // _MAX_EDGES)
    return (
        rows[::every].astype(np.float32),
        columns[::every].astype(np.float32),
        shades.shape[0],
    )


def _sharpness(
    rows: NDArray[np.float32], columns: NDArray[np.float32], height: int, degrees: float
) -> float:
    """How unevenly edges fall on the rows of the picture, if it were turned by ``degrees``."""
    level = rows - columns * math.tan(math.radians(degrees))
    level -= level.min()
    counts = np.bincount(level.astype(np.int32), minlength=height).astype(np.float64)
    return float((counts * counts).sum())


def straighten(picture: Image.Image, degrees: float) -> Image.Image:
    """The picture on a larger white one, turned so that lines that fell by ``degrees`` do not."""
    return picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)


def slope_back(box: Box, size: tuple[int, int], original: tuple[int, int], degrees: float) -> Box:
    """Where a box of a straightened picture lies in the original: its middle; its size is kept."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    left, top, right, bottom = box
    across, down = (left + right - size[0]) / 2, (top + bottom - size[1]) / 2
    middle_x = across * cosine - down * sine + original[0] / 2
    middle_y = across * sine + down * cosine + original[1] / 2
    half_width, half_height = (right - left) / 2, (bottom - top) / 2
    return (
        middle_x - half_width,
        middle_y - half_height,
        middle_x + half_width,
        middle_y + half_height,
    )


def upright(
    picture: Image.Image, lines: Sequence[Line], engine: Engine, languages: Sequence[str]
) -> int:
    """Degrees clockwise by which the picture must be turned to be read upright.

    Some of the lines are read in the other directions that they may have; only if one of these
    is clearly better is it believed.
    """
    total = sum(len(line.text) for line in lines)
    if not total:
        return 0
    on_side = sum(len(line.text) for line in lines if stands_on_side(line)) > total / 2
    if not on_side and confidence_of(lines) >= POOR:
        return 0
    ways: tuple[int, ...]
    if engine.finds_sideways:
        fitting = [line for line in lines if stands_on_side(line) == on_side]
        longest = sorted(fitting, key=lambda line: len(line.text), reverse=True)[:_SAMPLES]
        pieces, ways = cut(picture, longest), (90, 270) if on_side else (0, 180)
    else:
        pieces, ways = [picture], (0, 90, 180, 270)
    scores = {way: confidence_of(read(pieces, way, engine, languages)) for way in ways}
    best = max(scores, key=lambda degrees: scores[degrees])
    return best if 0 not in scores or scores[best] > scores[0] + _SURE else 0


def read_sideways(
    picture: Image.Image, lines: Sequence[Line], engine: Engine, languages: Sequence[str]
) -> list[Line]:
    """The lines of an upright page, those that stand on their side read again if that is better.

    An engine takes them to run one way, and half of them run the other.
    """
    doubtful = [
        line
        for line in lines
        if stands_on_side(line) and line.confidence < POOR and len(line.text) >= _WORTH_READING
    ][:_SIDEWAYS_PIECES]
    better: dict[Line, Line] = {}
    for degrees in (90, 270):
        doubtful = [line for line in doubtful if better.get(line, line).confidence < POOR]
        again = read(cut(picture, doubtful), degrees, engine, languages)
        for line, found in zip(doubtful, again, strict=True):
            if found is not None and found.confidence > better.get(line, line).confidence:
                better[line] = Line(found.text, line.box, found.confidence)
    return [better.get(line, line) for line in lines]
