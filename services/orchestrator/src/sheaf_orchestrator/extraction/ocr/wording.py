"""Words with places, of engines that know only those of lines."""

from typing import Final

from sheaf_orchestrator.extraction.ocr.engine import Line
from sheaf_orchestrator.extraction.result import Word

_NARROW: Final = frozenset(" !'(),.:;I[]fijlrt|")
_WIDE: Final = frozenset("%@GMOQWmw")
_CAPITAL: Final = 1.25
_WIDTHS: Final = (0.55, 1.0, 1.5)


def words_of(line: Line) -> list[Word]:
    """The words of a line, each with its share of the width: about where it stands.

    Letters of most faces are narrow, wide or neither; good to about the width of one.
    """
    left, top, right, bottom = line.box
    edges = [0.0]
    for character in line.text:
        edges.append(edges[-1] + _width(character))
    unit = (right - left) / edges[-1]
    words, at = [], 0
    for text in line.text.split():
        at = line.text.index(text, at)
        end = at + len(text)
        box = (left + edges[at] * unit, top, left + edges[end] * unit, bottom)
        words.append(Word(text, box, round(line.confidence, 4)))
        at = end
    return words


def _width(character: str) -> float:
    if character in _NARROW:
        return _WIDTHS[0]
    if character in _WIDE:
        return _WIDTHS[2]
    if character.isupper():
        return _CAPITAL
    # Characters of East Asia fill a square.
    return _WIDTHS[1] if character < "\u2e80" else 2.0
