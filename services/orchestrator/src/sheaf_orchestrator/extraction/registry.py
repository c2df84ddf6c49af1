"""Which extractor reads which content type.

The subprocess is told the name of a module of this shape: ``find_extractor`` and
``library_versions``.
"""

from collections.abc import Callable

from sheaf_orchestrator.extraction import pdf, text
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.result import Extracted

Extractor = Callable[[bytearray, Limits], Extracted]
"""Pure: content and limits in, ``Extracted`` out or ``ExtractionError`` raised."""

_EXTRACTORS: dict[str, Extractor] = {"application/pdf": pdf.extract}
_TEXT_FAMILY = "text/"


def find_extractor(content_type: str) -> Extractor | None:
    """The extractor for a media type (parameters such as ``charset`` are ignored), or None."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.startswith(_TEXT_FAMILY):
        return text.extract
    return _EXTRACTORS.get(media_type)


def library_versions() -> dict[str, str]:
    """The libraries that read documents, for the record."""
    return {"pdfium": pdf.version()}
