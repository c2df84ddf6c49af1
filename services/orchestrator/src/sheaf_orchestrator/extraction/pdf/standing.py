"""Links and notes on a page, with the text that they stand on."""

from collections.abc import Sequence

from sheaf_orchestrator.extraction.cleaning import clean_text
from sheaf_orchestrator.extraction.pdf.geometry import within
from sheaf_orchestrator.extraction.pdf.lines import Piece
from sheaf_orchestrator.extraction.pdf.pdfium import Rect
from sheaf_orchestrator.extraction.pdf.reading import Reading
from sheaf_orchestrator.extraction.result import Annotation, Box, Link

_MAX_COMPARISONS = 500_000
"""Links times pieces of lines; on a page with more, links have no text."""
_MAX_CHARACTERS = 10_000


def links_of(reading: Reading, limit: int) -> list[Link]:
    """The page's links that lead somewhere, at most ``limit``."""
    kept = [each for each in reading.links if each.url or each.page >= 0][:limit]
    covered = _Covered(reading, len(kept))
    return [
        Link(
            url=clean_text(each.url) or None,
            page=each.page + 1 if each.page >= 0 else None,
            text=covered.text([each.rect]) or None,
            box=reading.view.box(each.rect),
        )
        for each in kept
    ]


def annotations_of(reading: Reading, limit: int) -> list[Annotation]:
    """What people wrote on the page or marked in it, at most ``limit`` notes."""
    told = [each for each in reading.annotations if each.text.strip() or each.marked][:limit]
    if not told:
        return []
    covered = _Covered(reading, len(told))
    notes = []
    for each in told:
        text = clean_text(each.text[:_MAX_CHARACTERS]).strip() or covered.text(each.marked)
        if text:
            author = clean_text(each.author[:_MAX_CHARACTERS]).strip() or None
            box = reading.view.box(each.rect)
            notes.append(Annotation(kind=each.kind, text=text, author=author, box=box))
    return notes


class _Covered:
    """The page's words by place."""

    def __init__(self, reading: Reading, subjects: int) -> None:
        self._reading = reading
        self._pieces: list[Piece] = [piece for row in reading.rows for piece in row]
        if subjects * len(self._pieces) > _MAX_COMPARISONS:
            self._pieces = []

    def text(self, rects: Sequence[Rect]) -> str:
        """The words whose middle lies in one of the rectangles."""
        boxes = self._reading.view.boxes(rects)
        return clean_text(" ".join([word for box in boxes for word in self._words(box)]))

    def _words(self, box: Box) -> list[str]:
        left, top, right, bottom = box
        return [
            self._reading.text[word.start : word.end]
            for piece in self._pieces
            if piece.left < right and piece.right > left
            if piece.top < bottom and piece.bottom > top
            for word in piece.words
            if within(word[2:], box)
        ]
