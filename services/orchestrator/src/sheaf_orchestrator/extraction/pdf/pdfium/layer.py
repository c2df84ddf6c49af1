"""The text of a page, with the boxes of its characters read in bulk."""

import ctypes
from collections import deque
from collections.abc import Sequence
from itertools import repeat
from typing import Any

import pypdfium2_raw as c  # type: ignore[import-untyped]  # generated ctypes bindings

from sheaf_orchestrator.extraction.pdf.pdfium.library import address, by_address, decode, units

_loose_box = by_address(c.FPDFText_GetLooseCharBox, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
_to_character = by_address(c.FPDFText_GetCharIndexFromTextIndex, ctypes.c_void_p, ctypes.c_int)
_unmapped = by_address(c.FPDFText_HasUnicodeMapError, ctypes.c_void_p, ctypes.c_int)
_weight = by_address(c.FPDFText_GetFontWeight, ctypes.c_void_p, ctypes.c_int)
_BOX_BYTES = 16


class TextLayer:
    """A page's text; ``OpenPage.layer`` opens and closes it.

    Places in the text are counted in the string that ``text`` gives.
    """

    def __init__(self, raw: Any) -> None:
        self._raw, self._address = raw, address(raw)
        self._count = int(c.FPDFText_CountChars(raw))
        self._is_one_to_one = True

    @property
    def count(self) -> int:
        """Characters as pdfium counts them."""
        return self._count

    def text(self, max_characters: int) -> str:
        """The text, at most about ``max_characters`` of it."""
        count = min(self._count, max_characters)
        if count <= 0:
            return ""
        # A character may take two units; one more ends the string.
        buffer = bytearray(4 * count + 4)
        written = c.FPDFText_GetText(self._raw, 0, count, units(buffer))
        text = decode(buffer, written - 1)
        self._is_one_to_one = len(text) == count == written - 1
        return text

    def boxes(self, places: Sequence[int]) -> list[float]:
        """Four numbers for each place: left, top, right, bottom in the page's coordinates.

        A box is as high as the font and as wide as the character's advance; zeros where there
        is none. 0.4 microseconds each.
        """
        buffer = bytearray(_BOX_BYTES * len(places))
        start = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
        ends = range(start, start + _BOX_BYTES * len(places), _BOX_BYTES)
        _run(map(_loose_box, repeat(self._address), self._indices(places), ends))
        numbers: list[Any] = memoryview(buffer).cast("f").tolist()
        return numbers

    def unmapped(self, places: Sequence[int]) -> int:
        """How many of the characters stand for nothing, as the font does not say what they are."""
        return sum(map((1).__eq__, map(_unmapped, repeat(self._address), self._indices(places))))

    def weight(self, place: int) -> int:
        """The font's weight at a place, 400 for normal; -1 if unknown."""
        return int(_weight(self._address, next(iter(self._indices([place])))))

    def _indices(self, places: Sequence[int]) -> Sequence[int]:
        if self._is_one_to_one:
            return places
        return list(map(_to_character, repeat(self._address), places))


def _run(calls: Any) -> None:
    deque(calls, maxlen=0)
