"""Whether a page's text is of use, or the page has to be read from its picture."""

import re
import string
from typing import Final
from unicodedata import normalize

from sheaf_orchestrator.extraction.pdf.pdfium import OpenPage, Rect
from sheaf_orchestrator.extraction.pdf.reading import Reading

_SCANT = 100
"""Characters that a scanner or a stamp may put onto the picture of a page."""
_COVERED = 0.6
"""Share of the page under pictures from which scant text is not what the page says."""
_OUTLINES = 8
"""Paths without any text from which a page may show letters drawn as outlines."""
_JUDGED = 40
"""Characters below which a text is too short to be judged."""
_UNMAPPED = 0.3
_STRANGE = 0.2
"""Share of private, unknown and control characters from which a text is none."""
_READABLE = 0.35
_DOUBTED_READABLE = 0.6
"""Least share of letters and digits; of a text that the file does not vouch for."""
_VOWELS = 0.2
_DOUBTED_VOWELS = 0.25
"""Least share of vowels among ASCII letters. Shifted codes (``7KLV LV`` for ``This is``) and
glyph numbers have fewer."""
_LETTERS = 100
"""ASCII letters, and at least half of all, from which vowels are counted."""
_MOJIBAKE = 0.02
_WORDS = 10
"""Plain words from which a page full of signs, such as sheet music, is readable."""
_SAMPLE = 1_000

_LEADERS: Final = re.compile("[._\u2026\u00b7\u2022\u2013\u2014\u2010-\u2012\u2500-\u25ff-]+")
_STRANGERS: Final = re.compile(
    "[\ue000-\uf8ff\ufffd\x80-\x9f\x00-\x08\x0e-\x1f]|[\U000f0000-\U0010ffff]"
)
_VOWEL_LETTERS: Final = b"AEIOUYaeiouy"
_LETTERS_ONLY: Final = frozenset(string.ascii_letters.encode())
_NO_LETTERS: Final = bytes(set(range(256)) - _LETTERS_ONLY)
_NO_LETTERS_OR_DIGITS: Final = bytes(set(_NO_LETTERS) - set(string.digits.encode()))
_FOREIGN_LETTERS: Final = re.compile("[^\\W_\x00-\x7f]|[\u0300-\u036f\u0900-\u109f\u1780-\u17ff]")
"""Letters, and the scripts of India and its neighbours with the signs that are no letters."""
_PLAIN_WORDS: Final = re.compile(r"(?<!\S)[^\W\d_]{3,}(?!\S)")
_DECODED_TWICE: Final = re.compile("[\u00c2\u00c3][\u0080-\u00bf]|\u00e2\u20ac|\u00ef\u00bf\u00bd")


def lacks_usable_text(page: OpenPage, reading: Reading, text: str) -> bool:
    """Whether the page shows more than its text says, or its text says nothing.

    A page on which nothing is drawn lacks nothing.
    """
    if not text.strip():
        return _shows_something(page)
    sample = _sample(text)
    if len(text) < 2 * _SCANT and len("".join(sample.split())) < _SCANT and _is_covered(page):
        return True
    return is_garbage(sample, reading.unmapped)


def _sample(text: str) -> str:
    """A part of the beginning and one of the middle."""
    if len(text) <= 2 * _SAMPLE:
        return text
    middle = len(text) // 2
    return text[:_SAMPLE] + text[middle : middle + _SAMPLE]


def is_garbage(text: str, unmapped: float = 0.0) -> bool:
    """Whether a text is none that a person wrote; at best a sample of 2,000 characters.

    ``unmapped`` is the share of its letters for which the file does not say what they are.
    They are often right all the same, so that the text has to look right as well.
    """
    dense = "".join(text.split())
    written = _LEADERS.sub("", dense)
    if not written.isascii():
        if len(_STRANGERS.findall(dense)) > _STRANGE * len(dense):
            return True
        if len(_DECODED_TWICE.findall(written)) > _MOJIBAKE * len(written):
            return True
    if len(written) < _JUDGED:
        return False
    doubted = unmapped > _UNMAPPED
    plain = written.encode("ascii", "ignore")
    others = 0 if len(plain) == len(written) else len(_FOREIGN_LETTERS.findall(written))
    readable = others + len(plain.translate(None, _NO_LETTERS_OR_DIGITS))
    if readable < (_DOUBTED_READABLE if doubted else _READABLE) * len(written):
        return doubted or len(_PLAIN_WORDS.findall(text)) < _WORDS
    if others:  # accents off: an e is a vowel under any
        plain = normalize("NFKD", written).encode("ascii", "ignore")
    letters = plain.translate(None, _NO_LETTERS)
    vowels = len(letters) - len(letters.translate(None, _VOWEL_LETTERS))
    least = _DOUBTED_VOWELS if doubted else _VOWELS
    return len(letters) >= max(_LETTERS, len(written) / 2) and vowels < least * len(letters)


def _shows_something(page: OpenPage) -> bool:
    objects = page.objects
    return objects.count > 0 and (bool(objects.pictures()) or len(objects.paths()) >= _OUTLINES)


def _is_covered(page: OpenPage) -> bool:
    bounds = page.bounds
    whole = _area(bounds)
    if whole <= 0 or not page.objects.count:
        return False
    return sum(_area(_common(picture, bounds)) for picture in page.objects.pictures()) >= (
        _COVERED * whole
    )


def _common(one: Rect, other: Rect) -> Rect:
    return (
        max(one[0], other[0]),
        max(one[1], other[1]),
        min(one[2], other[2]),
        min(one[3], other[3]),
    )


def _area(rect: Rect) -> float:
    return max(rect[2] - rect[0], 0.0) * max(rect[3] - rect[1], 0.0)
