"""A stranger's bytes to an open document, or the reason why not."""

import re
from importlib import import_module
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
    """The document, open, with at least one page; ``Document.repaired`` tells how it was read.

    What pdfium refuses is repaired first, if it can be. Raises ExtractionError: EMPTY,
    DAMAGED, ENCRYPTED.
    """
    if not len(content):
        raise ExtractionError(Reason.EMPTY, "The file has no bytes.")
    try:
        document = Document(content, password)
    except PdfiumError as error:
        _refuse_locked(error, password)
        return _repaired(content, password)
    if document.page_count > 0:
        return document
    document.close()
    if not _PAGES_SOMEWHERE.search(content):
        raise ExtractionError(Reason.EMPTY, "The PDF has no pages.")
    return _repaired(content, password)


def _refuse_locked(error: PdfiumError, password: bytes | None) -> None:
    if error.code == ERROR_PASSWORD:
        raise locked(password) from error
    if error.code == ERROR_SECURITY:
        raise ExtractionError(
            Reason.ENCRYPTED, "The PDF is encrypted by a method that is not supported."
        ) from error


def locked(password: bytes | None) -> ExtractionError:
    """The refusal of a document that the password, or the lack of one, does not open."""
    if password:
        return ExtractionError(
            Reason.ENCRYPTED, "The PDF is encrypted, and the password given does not open it."
        )
    return ExtractionError(Reason.ENCRYPTED, "The PDF is encrypted; opening it needs a password.")


def _repaired(content: Content, password: bytes | None) -> Document:
    if _HEADER not in bytes(content[:_HEADER_WITHIN_BYTES]):
        raise ExtractionError(Reason.DAMAGED, "The file is not a PDF: it has no PDF header.")
    # Loaded when first needed: most documents are whole, and it costs 60 ms.
    repair = import_module("sheaf_orchestrator.extraction.pdf.repair")
    try:
        whole = repair.repair(content, password)
    except repair.LockedError as error:
        raise locked(password) from error
    if whole is not None:
        try:
            document = Document(whole, password)
        except PdfiumError:
            whole = None
        else:
            document.repaired = True
            if document.page_count > 0:
                return document
            document.close()
    if whole is None:
        raise ExtractionError(Reason.DAMAGED, "The PDF is damaged: its structure cannot be read.")
    raise ExtractionError(Reason.DAMAGED, "The PDF is damaged: its pages cannot be found.")
