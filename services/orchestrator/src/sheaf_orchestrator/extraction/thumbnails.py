"""Small pictures of pages, for people who choose among documents."""

import io
from typing import Final

from PIL import Image, WebPImagePlugin  # noqa: F401 # Pillow does not load WebP by itself

from sheaf_orchestrator.extraction import types
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.images.opening import open_picture
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.pdf.opening import open_document
from sheaf_orchestrator.extraction.pdf.rendering import render_to
from sheaf_orchestrator.extraction.reasons import Reason

WIDTHS: Final = (128, 256, 512, 1024)
"""The widths in pixels that there are: each is kept, so their number is bounded."""
_TALLEST: Final = 4
"""Times its width that a thumbnail may be high; a longer page is shown narrower."""
_QUALITY: Final = 75
_EFFORT: Final = 2
"""Of 6; more halves neither bytes nor pays for its time."""


def thumbnail(
    content: bytearray, content_type: str, page_number: int, width_px: int, limits: Limits
) -> bytes:
    """Page ``page_number`` (from 1) as WebP, ``width_px`` wide; a smaller picture stays small.

    Raises ValueError for a width that there is not, and ExtractionError: UNSUPPORTED_FORMAT (it
    has no pages to draw), PAGE_NOT_FOUND, ENCRYPTED, DAMAGED, EMPTY, TOO_MANY_PIXELS, TIME_LIMIT.
    """
    if width_px not in WIDTHS:
        raise ValueError(f"thumbnails are {', '.join(map(str, WIDTHS))} pixels wide")
    picture = _draw(content, content_type, page_number, width_px, limits)
    picture.thumbnail((width_px, _TALLEST * width_px), Image.Resampling.LANCZOS, reducing_gap=2.0)
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=_QUALITY, method=_EFFORT)
    return out.getvalue()


def _draw(
    content: bytearray, content_type: str, page_number: int, width_px: int, limits: Limits
) -> Image.Image:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == types.PDF:
        with open_document(content) as document:
            return render_to(document, page_number, width_px, limits)
    if media_type in types.IMAGES:
        with open_picture(content, limits) as picture:
            picture.go_to(page_number)
            return picture.decode(pixels=_TALLEST * (2 * width_px) ** 2, grey=False)
    if media_type == types.LOCKED:
        raise ExtractionError(Reason.ENCRYPTED, "The document is encrypted; it cannot be drawn.")
    raise ExtractionError(
        Reason.UNSUPPORTED_FORMAT, f"Documents of type {media_type[:100]} cannot be drawn."
    )
