"""The text of a page from its rows of pieces."""

from sheaf_orchestrator.extraction.cleaning import clean_text
from sheaf_orchestrator.extraction.pdf.lines import HYPHEN, Piece
from sheaf_orchestrator.extraction.pdf.ordering import Row
from sheaf_orchestrator.extraction.result import Word


def drawn_rows(text: str, pieces: list[Piece]) -> list[Row]:
    """The pieces by lines of the text, in the order in which they were drawn."""
    rows: list[Row] = []
    end = -1
    for piece in pieces:
        between = text[end : piece.start]
        if end < 0 or "\n" in between or "\r" in between or HYPHEN in between:
            rows.append([piece])
        else:
            rows[-1].append(piece)
        end = piece.end
    return rows


def compose(text: str, rows: list[Row]) -> str:
    """The rows one under the other; words that the end of a line parts stay marked as such."""
    parts: list[str] = []
    expected = -1
    for row in rows:
        for index, piece in enumerate(row):
            if index or parts:
                parted = piece.start == expected
                parts.append(
                    (HYPHEN if parted else "-\n" if expected >= 0 else "\n")
                    if not index
                    else "- "
                    if expected >= 0
                    else " "
                )
            parts.append(text[piece.start : piece.end])
            end = piece.end
            expected = continuation(text, end) if text[end : end + 1] == HYPHEN else -1
    return "".join(parts)


def continuation(text: str, hyphen: int) -> int:
    """Where a word goes on that is parted by the end of a line at ``hyphen``."""
    begin = hyphen + 1
    while text[begin : begin + 1] in {"\r", "\n"}:
        begin += 1
    return begin


def page_words(text: str, rows: list[Row]) -> list[Word]:
    """The words in reading order. The parts of a word that a line's end parts stand alone."""
    words: list[Word] = []
    for row in rows:
        for piece in row:
            for start, end, left, top, right, bottom in piece.words:
                written = text[start:end]
                if not written.isascii() or not written.isprintable():
                    written = clean_text(written)
                if text[end : end + 1] == HYPHEN:
                    written += "-"
                box = (round(left, 2), round(top, 2), round(right, 2), round(bottom, 2))
                if written:
                    words.append(Word(written, box))
    return words
