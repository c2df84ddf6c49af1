"""Plain text: any encoding, pages at form feeds."""

from sheaf_orchestrator.extraction.text.extractor import extract

__all__ = ["extract"]
