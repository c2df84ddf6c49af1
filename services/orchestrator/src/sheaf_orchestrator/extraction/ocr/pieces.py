"""Lines cut out of a picture, to be read again in another direction."""

from collections.abc import Sequence
from typing import Final

import msgspec
from PIL import Image

from sheaf_orchestrator.extraction.ocr.engine import Engine, Line

POOR: Final = 0.8
"""Confidence below which a line may have been read the wrong way up."""
_ON_SIDE: Final = 1.5
"""Times its width that a line's box is high when it stands on its side."""
_MARGIN: Final = 0.2
_TRANSPOSE: Final = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}
"""Degrees clockwise to Pillow's, which turns the other way."""


def turn(picture: Image.Image, degrees: int) -> Image.Image:
    """The picture, turned clockwise by 0, 90, 180 or 270 degrees."""
    return picture.transpose(_TRANSPOSE[degrees]) if degrees else picture


def stands_on_side(line: Line) -> bool:
    """Whether it runs up or down the page; a single character does not tell."""
    left, top, right, bottom = line.box
    return len(line.text) > 1 and bottom - top > _ON_SIDE * (right - left)


def confidence_of(lines: Sequence[Line | None]) -> float:
    """The mean over the characters of the lines; 0 when there are none."""
    found = [line for line in lines if line is not None]
    characters = sum(len(line.text) for line in found)
    weighted = sum(line.confidence * len(line.text) for line in found)
    return weighted / characters if characters else 0.0


def cut(picture: Image.Image, lines: Sequence[Line]) -> list[Image.Image]:
    """Each line with a little of what is around it."""
    pieces = []
    for line in lines:
        left, top, right, bottom = line.box
        room = min(right - left, bottom - top) * _MARGIN
        box = (
            max(0, int(left - room)),
            max(0, int(top - room)),
            min(picture.width, int(right + room) + 1),
            min(picture.height, int(bottom + room) + 1),
        )
        pieces.append(picture.crop(box))
    return pieces


def read(
    pieces: Sequence[Image.Image], degrees: int, engine: Engine, languages: Sequence[str]
) -> list[Line | None]:
    """What each piece says when turned by ``degrees``; None where nothing was read.

    They are put under one another on white, and read at once.
    """
    turned = [turn(piece, degrees) for piece in pieces]
    if not turned:
        return []
    gap = max(piece.height for piece in turned) // 2 + 8
    width = max(piece.width for piece in turned) + 2 * gap
    sheet = Image.new("L", (width, sum(piece.height + gap for piece in turned) + gap), 255)
    tops, down = [], gap
    for piece in turned:
        sheet.paste(piece, (gap, down))
        tops.append(down - gap / 2)
        down += piece.height + gap
    found: list[list[Line]] = [[] for _ in turned]
    for line in engine.recognise(sheet, languages):
        middle = (line.box[1] + line.box[3]) / 2
        found[max(0, sum(top <= middle for top in tops) - 1)].append(line)
    return [_joined(lines) for lines in found]


def _joined(lines: list[Line]) -> Line | None:
    if not lines:
        return None
    lines.sort(key=lambda line: (line.box[1], line.box[0]))
    return msgspec.structs.replace(
        lines[0],
        text=" ".join(line.text for line in lines),
        confidence=confidence_of(lines),
        words=(),
    )
