"""PDF: text layer with filled form values in place, page sizes, outline and metadata."""

from sheaf_orchestrator.extraction.pdf.extractor import extract
from sheaf_orchestrator.extraction.pdf.pdfium import version

__all__ = ["extract", "version"]
