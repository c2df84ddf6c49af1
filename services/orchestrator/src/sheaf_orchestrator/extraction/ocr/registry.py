"""What a subprocess of the OCR lane loads: the text lane's registry, and an engine besides."""

from collections.abc import Sequence

from sheaf_orchestrator.extraction import registry
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.images import version as pillow_version
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.ocr.choosing import Choice, choose, load, loaded
from sheaf_orchestrator.extraction.ocr.drawing import DrawPage, open_pages
from sheaf_orchestrator.extraction.ocr.recogniser import read_page
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.recognised import Recognised, RecognisedPage
from sheaf_orchestrator.extraction.registry import detect, find_extractor, finish, thumbnail, warm
from sheaf_orchestrator.extraction.result import ResultWarning

__all__ = [
    "detect",
    "find_extractor",
    "finish",
    "library_versions",
    "prepare",
    "recognise",
    "thumbnail",
    "warm",
]


def prepare(limits: Limits) -> None:
    """Load the configured engine."""
    load(limits.ocr_engine)


def library_versions() -> dict[str, str]:
    """The libraries that read documents, and the engines that are loaded."""
    return {**registry.library_versions(), "pillow": pillow_version(), **loaded()}


def recognise(
    content: bytearray,
    content_type: str,
    page_numbers: Sequence[int],
    options: Options,
    limits: Limits,
) -> Recognised:
    """The pages asked for (from 1), in ascending number.

    A page that cannot be drawn or read is there as ``failed`` with its reason, and the others
    go on. Raises ExtractionError when the document cannot be opened: UNSUPPORTED_FORMAT (it has
    no pages to draw), ENCRYPTED, DAMAGED, EMPTY, TOO_MANY_PAGES, TOO_MANY_PIXELS.
    """
    choice = choose(options.ocr_languages, limits)
    with open_pages(content, content_type, options, limits) as draw:
        pages = [
            _read(draw, number, choice, options, limits) for number in sorted(set(page_numbers))
        ]
    return Recognised(engine=choice.engine.name, pages=pages)


def _read(
    draw: DrawPage, number: int, choice: Choice, options: Options, limits: Limits
) -> RecognisedPage:
    try:
        picture, size = draw(number)
        return read_page(picture, number, size, choice, options.ocr_languages, limits)
    except ExtractionError as error:
        warning = ResultWarning(code=error.reason.value, message=error.message, page=number)
        return RecognisedPage(
            number=number,
            width=None,
            height=None,
            text="",
            confidence=None,
            failed=True,
            warnings=[warning],
        )
