"""A stranger's bytes to an open document, or the reason why not."""

import re
from typing import Final

from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.pdf.pdfium import (
    ERROR_PASSWORD,
    ERROR_SECURITY,
    Content,
    Document,
    PdfiumError,
)
from sheaf_orchestrator.extraction.reasons import Reason

_HEADER: Final = b"%PDF-"
_HEADER_WITHIN_BYTES = 1_024
_PAGES_SOMEWHERE = re.compile(rb"/Type\s*/(?:Page\b|ObjStm\b)")


def open_document(content: Content, password: bytes | None = None) -> Document:
    """The document, open, with at least one page.

    Raises ExtractionError: EMPTY, DAMAGED, ENCRYPTED.
    """
    if not len(content):
        raise ExtractionError(Reason.EMPTY, "The file has no bytes.")
    try:
        document = Document(content, password)
    except PdfiumError as error:
        raise _refusal(error, content) from error
    if document.page_count > 0:
        return document
    document.close()
    if _PAGES_SOMEWHERE.search(content):
        raise ExtractionError(Reason.DAMAGED, "The PDF is damaged: its pages cannot be found.")
    raise ExtractionError(Reason.EMPTY, "The PDF has no pages.")


def _refusal(error: PdfiumError, content: Content) -> ExtractionError:
    if error.code == ERROR_PASSWORD:
        return ExtractionError(
            Reason.ENCRYPTED, "The PDF is encrypted; opening it needs a password."
        )
    if error.code == ERROR_SECURITY:
        return ExtractionError(
            Reason.ENCRYPTED, "The PDF is encrypted by a method that is not supported."
        )
    if _HEADER not in bytes(content[:_HEADER_WITHIN_BYTES]):
        return ExtractionError(Reason.DAMAGED, "The file is not a PDF: it has no PDF header.")
    return ExtractionError(Reason.DAMAGED, "The PDF is damaged: its structure cannot be read.")
