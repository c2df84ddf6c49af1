"""CSV and TSV: one sheet with its cells, whatever the delimiter and the encoding."""

from sheaf_orchestrator.extraction.tabular.extractor import extract

__all__ = ["extract"]
