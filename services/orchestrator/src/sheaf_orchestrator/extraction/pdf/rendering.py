"""Pages of a PDF drawn as pictures, form values and annotations included.

Drawing stops at intervals to look at the clock: a page may hold millions of strokes. What pdfium
does in one piece (a nested form, one endless path) is only ended from outside.
"""

import ctypes
import math
import time
from typing import Any, Final

import pypdfium2_raw as c  # type: ignore[import-untyped]  # generated ctypes bindings
from PIL import Image

from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.pdf.pdfium import Document, OpenPage, PdfiumError
from sheaf_orchestrator.extraction.reasons import Reason

_WHITE: Final = 0xFFFFFFFF
_POINTS_PER_INCH: Final = 72.0
_NeedToPause = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(c.IFSDK_PAUSE))


Drawn = tuple[Image.Image, tuple[float, float]]
"""A page's picture, and its width and height in points."""


def render_at(document: Document, number: int, dpi: float, limits: Limits) -> Drawn:
    """Page ``number`` (from 1) in shades of grey at ``dpi``, or lower to keep the pixel limit.

    Raises ExtractionError: PAGE_NOT_FOUND, DAMAGED, TIME_LIMIT.
    """
    return _render(document, number, limits, dpi=dpi)


def render_to(document: Document, number: int, width_px: int, limits: Limits) -> Image.Image:
    """Page ``number`` (from 1) in colour, ``width_px`` wide, or less to keep the pixel limit.

    Raises ExtractionError: PAGE_NOT_FOUND, DAMAGED, TIME_LIMIT.
    """
    return _render(document, number, limits, width_px=width_px)[0]


def _render(
    document: Document,
    number: int,
    limits: Limits,
    *,
    dpi: float | None = None,
    width_px: int = 0,
) -> Drawn:
    if not 1 <= number <= document.page_count:
        raise ExtractionError(
            Reason.PAGE_NOT_FOUND, f"The PDF has {document.page_count} pages, but no page {number}."
        )
    try:
        with document.page(number - 1) as page:
            page.flatten()
            width, height = page.size
            if not (width > 0 and height > 0):
                raise ExtractionError(Reason.DAMAGED, f"Page {number} has no size.")
            scale = width_px / width if dpi is None else dpi / _POINTS_PER_INCH
            scale = min(scale, math.sqrt(limits.render_pixels / (width * height)))
            size = (_side(width * scale, limits), _side(height * scale, limits))
            return _draw(page, size, grey=dpi is not None, limits=limits), (width, height)
    except PdfiumError as error:
        raise ExtractionError(Reason.DAMAGED, f"Page {number} cannot be drawn.") from error


def _side(length: float, limits: Limits) -> int:
    """At least one pixel, and no more than leaves one for the other side."""
    return max(1, min(math.floor(length), limits.render_pixels))


def _draw(page: OpenPage, size: tuple[int, int], *, grey: bool, limits: Limits) -> Image.Image:
    kind, mode, raw_mode = (
        (c.FPDFBitmap_Gray, "L", "L") if grey else (c.FPDFBitmap_BGR, "RGB", "BGR")
    )
    stride = -(-size[0] * len(raw_mode) // 4) * 4
    pixels = bytearray(stride * size[1])
    first = ctypes.c_char.from_buffer(pixels)
    bitmap = c.FPDFBitmap_CreateEx(*size, kind, ctypes.byref(first), stride)
    if not bitmap:
        raise PdfiumError(c.FPDF_ERR_UNKNOWN)
    try:
        c.FPDFBitmap_FillRect(bitmap, 0, 0, *size, _WHITE)
        flags = c.FPDF_ANNOT | (c.FPDF_GRAYSCALE if grey else 0)
        _draw_within(limits.render_s, bitmap, page, size, flags)
    finally:
        c.FPDFBitmap_Destroy(bitmap)
    return Image.frombuffer(mode, size, pixels, "raw", raw_mode, stride, 1)


def _draw_within(
    seconds: float, bitmap: Any, page: OpenPage, size: tuple[int, int], flags: int
) -> None:
    """Draw, in as many steps as pdfium likes. Raises ExtractionError: TIME_LIMIT."""
    deadline = time.process_time() + seconds
    late = _NeedToPause(lambda _: int(time.process_time() > deadline))
    pause = c.IFSDK_PAUSE(version=1, NeedToPauseNow=late)
    status = c.FPDF_RenderPageBitmap_Start(
        bitmap, page.raw, 0, 0, *size, 0, flags, ctypes.byref(pause)
    )
    c.FPDF_RenderPage_Close(page.raw)
    if status == c.FPDF_RENDER_TOBECONTINUED:
        raise ExtractionError(
            Reason.TIME_LIMIT, f"Drawing the page took more than {seconds:g} s and was given up."
        )
    if status != c.FPDF_RENDER_DONE:
        raise PdfiumError(c.FPDF_ERR_PAGE)
