"""Long pictures read in bands: a receipt, or a whole web page, has no engine's proportions.

An engine looks for text in a copy of bounded size, in which that of a long picture would vanish.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec
from PIL import Image

from sheaf_orchestrator.extraction.ocr.engine import Engine, Line
from sheaf_orchestrator.extraction.result import Box, Word

_LONG: Final = 3
"""Times its width that a picture may be high, or the reverse, to be read as a whole."""
_BAND: Final = 2
"""Times the short side that a band is long."""
_LEAST_PX: Final = 1_000
_OVERLAP_PX: Final = 100
"""In which two bands both see a line; the one whose share its middle lies in keeps it."""


def read_lines(
    picture: Image.Image, engine: Engine, languages: Sequence[str], check: Callable[[], None]
) -> list[Line]:
    """The lines of a picture of any proportions; ``check`` is called after each reading."""
    lines: list[Line] = []
    across = picture.width > picture.height
    for start, end, first, last in _bands(max(picture.size), min(picture.size)):
        box = (start, 0, end, picture.height) if across else (0, start, picture.width, end)
        whole = end - start == max(picture.size)
        found = engine.recognise(picture if whole else picture.crop(box), languages)
        check()
        for line in found:
            moved = _moved(line, box[0], box[1]) if start else line
            middle = sum(moved.box[0::2] if across else moved.box[1::2]) / 2
            if first <= middle < last:
                lines.append(moved)
    return lines


def _bands(length: int, breadth: int) -> Iterator[tuple[int, int, float, float]]:
    """Start and end of each band, and what share of the length is its alone."""
    band = max(_BAND * breadth, _LEAST_PX)
    if length <= max(_LONG * breadth, band + _OVERLAP_PX):
        yield 0, length, float("-inf"), float("inf")
        return
    start = 0
    while True:
        end = min(start + band, length)
        yield (
            start,
            end,
            start + _OVERLAP_PX / 2 if start else float("-inf"),
            end - _OVERLAP_PX / 2 if end < length else float("inf"),
        )
        if end == length:
            return
        start = end - _OVERLAP_PX


def _moved(line: Line, right: int, down: int) -> Line:
    def move(box: Box) -> Box:
        return (box[0] + right, box[1] + down, box[2] + right, box[3] + down)

    words = tuple(Word(word.text, move(word.box), word.confidence) for word in line.words)
    return msgspec.structs.replace(line, box=move(line.box), words=words)
