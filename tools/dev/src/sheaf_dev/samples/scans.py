"""Scans: text drawn to pictures, as a scanner leaves it, in PDFs and in picture files."""

import functools
import io
import textwrap
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import reportlab
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader

from sheaf_dev.samples.generator import sentence
from sheaf_dev.samples.layout import bare_canvas

DPI: Final = 150
_POINTS_PER_INCH: Final = 72
_SIZE_PX: Final = tuple(round(length * DPI / _POINTS_PER_INCH) for length in A4)
_MARGIN_PX: Final = 130
_FONT_PX: Final = 26
_LEADING_PX: Final = 38
_LINE_CHARACTERS: Final = 68
_JPEG_QUALITY: Final = 75
_PAPER: Final = 250
_INK: Final = 25


def scan_pdf(seed: int, pages: int = 1, *, lines: int = 24) -> bytes:
    """A PDF of `pages` pictures of text and no text; equal bytes for equal arguments.

    About 80 ms a page.
    """
    random = Random(f"scan/{seed}/{pages}")  # noqa: S311 # words for a load test, no secret
    texts = []
    for number in range(1, pages + 1):
        prose = " ".join(sentence(random) for _ in range(lines))
        head = f"Scanned claim file {seed:06d}, page {number}"
        texts.append([head, "", *textwrap.wrap(prose, _LINE_CHARACTERS)[:lines]])
    return pdf_of_pictures([picture_of_text(text) for text in texts], title=f"Scan {seed}")


def picture_of_text(lines: Sequence[str]) -> Image.Image:
    """An A4 page in shades of grey at 150 dpi with these lines on it."""
    picture = Image.new("L", (_SIZE_PX[0], _SIZE_PX[1]), _PAPER)
    draw = ImageDraw.Draw(picture)
    for index, line in enumerate(lines):
        place = (_MARGIN_PX, _MARGIN_PX + index * _LEADING_PX)
        draw.text(place, line, fill=_INK, font=_font())
    return picture


def pdf_of_pictures(pictures: Sequence[Image.Image], *, title: str) -> bytes:
    """Each picture as a page, as JPEG."""
    canvas, buffer = bare_canvas(title=title)
    for picture in pictures:
        jpeg = io.BytesIO(encoded(picture, "JPEG", quality=_JPEG_QUALITY))
        canvas.drawImage(ImageReader(jpeg), 0, 0, *A4)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture as a file of a kind that Pillow writes, with its resolution."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, dpi=(DPI, DPI), **options)
    return buffer.getvalue()


@functools.cache
def _font() -> ImageFont.FreeTypeFont:
    """Bitstream Vera, which ships with reportlab."""
    return ImageFont.truetype(Path(reportlab.__file__).parent / "fonts" / "Vera.ttf", _FONT_PX)
