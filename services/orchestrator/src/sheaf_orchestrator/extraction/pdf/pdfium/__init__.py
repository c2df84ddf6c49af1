"""A narrow door to pdfium: the few calls that extraction needs, with their traps closed.

pdfium is not thread-safe: one thread of a process may use this package. ``init_forms`` is
deliberately absent: with it, some files loop for ever. Buffers are addressed by pointer, not
as ``c_char * n``, because ctypes keeps every array type it has ever made.

Source: the public headers of pdfium (fpdfview.h, fpdf_text.h, fpdf_doc.h, fpdf_annot.h,
fpdf_edit.h, fpdf_flatten.h).
"""

from sheaf_orchestrator.extraction.pdf.pdfium.annotations import (
    TEXTLESS,
    RawAnnotation,
    RawLink,
    Rect,
)
from sheaf_orchestrator.extraction.pdf.pdfium.document import Document
from sheaf_orchestrator.extraction.pdf.pdfium.layer import TextLayer
from sheaf_orchestrator.extraction.pdf.pdfium.library import (
    ERROR_PASSWORD,
    ERROR_SECURITY,
    Content,
    PdfiumError,
    version,
)
from sheaf_orchestrator.extraction.pdf.pdfium.page import OpenPage

__all__ = [
    "ERROR_PASSWORD",
    "ERROR_SECURITY",
    "TEXTLESS",
    "Content",
    "Document",
    "OpenPage",
    "PdfiumError",
    "RawAnnotation",
    "RawLink",
    "Rect",
    "TextLayer",
    "version",
]
