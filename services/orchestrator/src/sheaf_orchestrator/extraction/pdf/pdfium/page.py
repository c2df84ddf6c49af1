"""A loaded page."""

import ctypes
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pypdfium2_raw as c  # type: ignore[import-untyped]  # generated ctypes bindings

from sheaf_orchestrator.extraction.pdf.pdfium.annotations import (
    TEXTLESS,
    RawAnnotation,
    RawLink,
    Rect,
    annotation_kinds,
    read_annotations,
    read_links,
)
from sheaf_orchestrator.extraction.pdf.pdfium.layer import TextLayer
from sheaf_orchestrator.extraction.pdf.pdfium.library import PdfiumError
from sheaf_orchestrator.extraction.pdf.pdfium.objects import PageObjects

_MAX_ANNOTATIONS_LOOKED_AT = 1_000


class OpenPage:
    """A loaded page; ``Document.page`` opens and closes it."""

    flatten_failed = False
    """Whether annotations could not be put into the page, so their text is missing."""

    def __init__(self, document: Any, index: int) -> None:
        self._document, self._index = document, index
        self.raw: Any = None
        self._load()

    def _load(self) -> None:
        self.raw = c.FPDF_LoadPage(self._document, self._index)
        if not self.raw:
            raise PdfiumError(c.FPDF_ERR_PAGE)

    @property
    def annotation_count(self) -> int:
        """Annotations of any kind, form fields and links among them."""
        return int(c.FPDFPage_GetAnnotCount(self.raw))

    def annotations(self, limit: int) -> list[RawAnnotation]:
        """The first ``limit`` annotations; none of those that were flattened."""
        return read_annotations(self.raw, min(self.annotation_count, limit))

    def links(self, limit: int) -> list[RawLink]:
        """The first ``limit`` links."""
        return read_links(self._document, self.raw, limit)

    def flatten(self) -> bool:
        """Draw form values and other annotations into the page, and forget the annotations.

        Does so only when any of them can show text. Answers whether the page changed; its
        content is then parsed anew. Raises PdfiumError.
        """
        if not self._shows_annotations():
            return False
        outcome = c.FPDFPage_Flatten(self.raw, c.FLAT_NORMALDISPLAY)
        self.flatten_failed = outcome == c.FLATTEN_FAIL
        if outcome != c.FLATTEN_SUCCESS:
            return False
        self.close()
        self._load()
        return True

    def _shows_annotations(self) -> bool:
        """Whether any annotation can show text; links and popups cannot."""
        count = self.annotation_count
        if count > _MAX_ANNOTATIONS_LOOKED_AT:
            return True
        return any(kind not in TEXTLESS for kind in annotation_kinds(self.raw, count))

    def close(self) -> None:
        """Give its memory back; harmless when done twice."""
        if self.raw:
            c.FPDF_ClosePage(self.raw)
            self.raw = None

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in points as displayed; 0 for what is not a finite number."""
        width = float(c.FPDF_GetPageWidthF(self.raw))
        height = float(c.FPDF_GetPageHeightF(self.raw))
        return (
            round(width, 2) if math.isfinite(width) else 0.0,
            round(height, 2) if math.isfinite(height) else 0.0,
        )

    @property
    def rotation(self) -> int:
        """Degrees clockwise."""
        return int(c.FPDFPage_GetRotation(self.raw)) % 4 * 90

    @property
    def bounds(self) -> Rect:
        """Left, bottom, right, top of what is displayed, in the page's own coordinates."""
        box = c.FS_RECTF()
        if not c.FPDF_GetPageBoundingBox(self.raw, ctypes.byref(box)):
            return (0.0, 0.0, *self.size)
        return (box.left, box.bottom, box.right, box.top)

    @contextmanager
    def layer(self) -> Iterator[TextLayer]:
        """The page's text. Raises PdfiumError."""
        raw = c.FPDFText_LoadPage(self.raw)
        if not raw:
            raise PdfiumError(c.FPDF_ERR_PAGE)
        try:
            yield TextLayer(raw)
        finally:
            c.FPDFText_ClosePage(raw)

    @property
    def objects(self) -> PageObjects:
        """What is drawn on the page."""
        return PageObjects(self.raw)
