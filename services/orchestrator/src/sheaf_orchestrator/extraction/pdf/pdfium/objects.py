"""What is drawn on a page, read in bulk: pictures, and the bounds of lines and rectangles."""

import ctypes
from itertools import repeat
from typing import Any

import pypdfium2_raw as c  # type: ignore[import-untyped]  # generated ctypes bindings

from sheaf_orchestrator.extraction.pdf.pdfium.annotations import Rect
from sheaf_orchestrator.extraction.pdf.pdfium.library import address, by_address

_FORM_DEPTH = 4
_MAX_OBJECTS = 20_000
_POINTER = ctypes.c_void_p

_object = by_address(c.FPDFPage_GetObject, _POINTER, ctypes.c_int, result=_POINTER)
_inner_object = by_address(c.FPDFFormObj_GetObject, _POINTER, ctypes.c_ulong, result=_POINTER)
_inner_count = by_address(c.FPDFFormObj_CountObjects, _POINTER)
_type = by_address(c.FPDFPageObj_GetType, _POINTER)
_bounds = by_address(c.FPDFPageObj_GetBounds, *[_POINTER] * 5)


class PageObjects:
    """The objects of a page, those inside of forms (XObjects) included, to a bound."""

    def __init__(self, page: Any) -> None:
        self._page, self._address = page, address(page)

    @property
    def count(self) -> int:
        """Objects at the outermost level."""
        return int(c.FPDFPage_CountObjects(self._page))

    def bounds(self, *kinds: int) -> list[Rect]:
        """The bounds of every object of these kinds; only of the first 20,000 objects.

        Objects inside of a form are in the form's coordinates.
        """
        found: list[Rect] = []
        count = min(self.count, _MAX_OBJECTS)
        left = _MAX_OBJECTS - count
        pending = [(list(map(_object, repeat(self._address), range(count))), 0)]
        while pending:
            objects, depth = pending.pop()
            for each, kind in zip(objects, map(_type, objects), strict=True):
                if kind in kinds:
                    found.append(_rect(each))
                elif kind == c.FPDF_PAGEOBJ_FORM and depth < _FORM_DEPTH and left > 0:
                    count = min(max(_inner_count(each), 0), left)
                    left -= count
                    inner = list(map(_inner_object, repeat(each), range(count)))
                    pending.append((inner, depth + 1))
        return found

    def pictures(self) -> list[Rect]:
        """The bounds of every picture."""
        return self.bounds(c.FPDF_PAGEOBJ_IMAGE)

    def paths(self) -> list[Rect]:
        """The bounds of every line, rectangle or other path."""
        return self.bounds(c.FPDF_PAGEOBJ_PATH)


def _rect(each: int) -> Rect:
    buffer = bytearray(16)
    at = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
    if not _bounds(each, at, at + 4, at + 8, at + 12):
        return (0.0, 0.0, 0.0, 0.0)
    left, bottom, right, top = memoryview(buffer).cast("f")
    return (left, bottom, right, top)
