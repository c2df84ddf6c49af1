"""HTML: text, headings, lists, tables and links of what a reader of the page would see."""

from sheaf_orchestrator.extraction.html.extractor import extract

__all__ = ["extract"]
