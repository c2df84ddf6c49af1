"""Pictures: PNG, JPEG, WebP, TIFF (a page for each of its pictures), GIF and BMP, by Pillow."""

from sheaf_orchestrator.extraction.images.extractor import extract
from sheaf_orchestrator.extraction.images.opening import version

__all__ = ["extract", "version"]
