"""Markdown: kept as it is written, its headings as outline, its front matter as metadata."""

from sheaf_orchestrator.extraction.markup.extractor import extract

__all__ = ["extract"]
