"""The pages of a document as pictures to be recognised."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sheaf_orchestrator.extraction import types
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.images.opening import open_picture
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.pdf.opening import open_document
from sheaf_orchestrator.extraction.pdf.rendering import Drawn, render_at
from sheaf_orchestrator.extraction.reasons import Reason

DrawPage = Callable[[int], Drawn]
"""Page number (from 1) to its grey picture and its size in points, as displayed.

Raises ExtractionError: PAGE_NOT_FOUND, DAMAGED, TIME_LIMIT, TOO_MANY_PIXELS.
"""


@contextmanager
def open_pages(
    content: bytearray, content_type: str, options: Options, limits: Limits
) -> Iterator[DrawPage]:
    """What draws the document's pages, for as long as it is open.

    Raises ExtractionError: UNSUPPORTED_FORMAT, ENCRYPTED, DAMAGED, EMPTY, TOO_MANY_PAGES,
    TOO_MANY_PIXELS.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == types.PDF:
        with open_document(content, options.password) as document:
            yield lambda number: render_at(document, number, limits.ocr_dpi, limits)
    elif media_type in types.IMAGES:
        with open_picture(content, limits) as picture:

            def draw(number: int) -> Drawn:
                picture.go_to(number)
                return picture.decode(pixels=limits.render_pixels, grey=True), picture.size

            yield draw
    else:
        message = f"Documents of type {media_type[:100]} have no pages to recognise."
        raise ExtractionError(Reason.UNSUPPORTED_FORMAT, message)
