"""Which extractor reads which content type.

The subprocess is told the name of a module of this shape: ``prepare``, ``warm``, ``detect``,
``find_extractor``, ``finish`` and ``library_versions``; to draw or to recognise, also
``thumbnail`` and ``recognise``. Extractors are loaded when they are first needed: a subprocess
that meets only PDFs pays for no other format.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Final, cast

from sheaf_orchestrator.extraction import pdf, types
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.result import Extracted

Extractor = Callable[[bytearray, Options, Limits], Extracted]
"""Pure: content, options and limits in, ``Extracted`` out or ``ExtractionError`` raised."""

_HOMES: Final[dict[str, str]] = {
    types.PDF: "pdf",
    types.CSV: "tabular",
    types.EML: "mail.eml",
    types.HTML: "html",
    types.MARKDOWN: "markup",
    types.MSG: "mail.msg",
    types.DOCX: "office.docx",
    types.XLSX: "office.xlsx",
    types.PPTX: "office.pptx",
    types.ODT: "office.odt",
    types.ODS: "office.ods",
    types.ODP: "office.odp",
    types.DOC: "office.doc",
    types.XLS: "office.xls",
    types.PPT: "office.ppt",
    types.RTF: "office.rtf",
    types.LOCKED: "office.locked",
    types.TEXT: "text",
    types.TSV: "tabular",
    **dict.fromkeys(types.IMAGES, "images"),
}
"""Content type to the package here whose ``extract`` reads it."""

_TEXT_FAMILY = "text/"


def prepare(limits: Limits) -> None:
    """Load what most documents need, before the first of them; called once in a subprocess."""
    del limits


def warm(limits: Limits) -> None:
    """Load what takes long at its first need; called once, after the subprocess said hello."""
    if limits.detect_language:
        import_module("sheaf_orchestrator.extraction.language").load()


def detect(content: bytearray, declared: str) -> str:
    """The content type by the content itself; ``declared`` is a hint.

    Raises ExtractionError: EMPTY, UNSUPPORTED_FORMAT, DAMAGED.
    """
    if content.startswith(b"%PDF-"):
        return types.PDF  # most documents; they need none of what follows
    detection = import_module("sheaf_orchestrator.extraction.detection")
    return cast("str", detection.detect(content, declared))


def find_extractor(content_type: str) -> Extractor | None:
    """The extractor for a media type (parameters such as ``charset`` are ignored), or None."""
    media_type = content_type.partition(";")[0].strip().lower()
    home = _HOMES.get(media_type)
    if home is None and media_type.startswith(_TEXT_FAMILY):
        home = "text"
    if home is None:
        return None
    module = import_module(f"sheaf_orchestrator.extraction.{home}")
    return cast("Extractor", module.extract)


def finish(extracted: Extracted, limits: Limits) -> Extracted:
    """What is added to the extraction of any format: the language, where it is to be detected."""
    if not limits.detect_language:
        return extracted
    language = import_module("sheaf_orchestrator.extraction.language")
    return cast("Extracted", language.with_language(extracted))


def thumbnail(
    content: bytearray, content_type: str, page_number: int, width_px: int, limits: Limits
) -> bytes:
    """A page as WebP; see ``thumbnails.thumbnail``, which is loaded when first needed."""
    module = import_module("sheaf_orchestrator.extraction.thumbnails")
    picture: bytes = module.thumbnail(content, content_type, page_number, width_px, limits)
    return picture


def library_versions() -> dict[str, str]:
    """The libraries that read documents, for the record."""
    return {"pdfium": pdf.version()}
