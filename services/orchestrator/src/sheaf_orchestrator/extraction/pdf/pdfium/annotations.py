"""Annotations and links of a page, as the file has them."""

import ctypes
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import pypdfium2_raw as c  # type: ignore[import-untyped]  # generated ctypes bindings

from sheaf_orchestrator.extraction.pdf.pdfium.library import address, by_address, string

Rect = tuple[float, float, float, float]
"""Left, bottom, right, top in the page's own coordinates: points, y upwards."""

_MAX_URL_BYTES = 4096
_NOWHERE: Final = (0.0, 0.0, 0.0, 0.0)
_POINTER = ctypes.c_void_p

_annotation = by_address(c.FPDFPage_GetAnnot, _POINTER, ctypes.c_int, result=_POINTER)
_subtype = by_address(c.FPDFAnnot_GetSubtype, _POINTER)
_annotation_rect = by_address(c.FPDFAnnot_GetRect, _POINTER, _POINTER)
_close_annotation = by_address(c.FPDFPage_CloseAnnot, _POINTER, result=None)
_link_rect = by_address(c.FPDFLink_GetAnnotRect, _POINTER, _POINTER)

_rect_buffer = bytearray(16)
_rect_at = ctypes.addressof(ctypes.c_char.from_buffer(_rect_buffer))
_rect_numbers = memoryview(_rect_buffer).cast("f")
"""Where pdfium puts a rectangle: left, top, right, bottom. One thread uses pdfium at a time."""

KINDS: Final = {
    c.FPDF_ANNOT_TEXT: "comment",
    c.FPDF_ANNOT_FREETEXT: "free_text",
    c.FPDF_ANNOT_HIGHLIGHT: "highlight",
    c.FPDF_ANNOT_UNDERLINE: "underline",
    c.FPDF_ANNOT_SQUIGGLY: "squiggly",
    c.FPDF_ANNOT_STRIKEOUT: "strikeout",
    c.FPDF_ANNOT_STAMP: "stamp",
    c.FPDF_ANNOT_CARET: "caret",
    c.FPDF_ANNOT_INK: "ink",
    c.FPDF_ANNOT_LINE: "line",
    c.FPDF_ANNOT_SQUARE: "square",
    c.FPDF_ANNOT_CIRCLE: "circle",
    c.FPDF_ANNOT_POLYGON: "polygon",
    c.FPDF_ANNOT_POLYLINE: "polyline",
    c.FPDF_ANNOT_FILEATTACHMENT: "attachment",
    c.FPDF_ANNOT_WIDGET: "widget",
    c.FPDF_ANNOT_LINK: "link",
    c.FPDF_ANNOT_POPUP: "popup",
}
"""Names of the subtypes; ``widget`` is a form field."""


class RawAnnotation(NamedTuple):
    """An annotation; text and author only of what a person wrote."""

    kind: str
    rect: Rect
    """Not read of what never shows text."""
    text: str = ""
    author: str = ""
    marked: tuple[Rect, ...] = ()
    """The lines that a highlight or the like marks."""


class RawLink(NamedTuple):
    """A link; it leads to ``url``, or to the page of index ``page``, or (-1) elsewhere."""

    rect: Rect
    url: str
    page: int


TEXTLESS: Final = frozenset({"link", "popup"})
"""Kinds that never show text of their own."""

_MAX_LINES = 100
_MARKING = frozenset({"highlight", "underline", "squiggly", "strikeout"})
_WITHOUT_TEXT = frozenset({"widget", "other"})


def read_annotations(page: Any, count: int) -> list[RawAnnotation]:
    """The first ``count`` annotations."""
    found = []
    at = address(page)
    for index in range(count):
        annotation = _annotation(at, index)
        if not annotation:
            continue
        kind = KINDS.get(_subtype(annotation), "other")
        if kind in TEXTLESS:
            found.append(RawAnnotation(kind, _NOWHERE))
        elif kind in _WITHOUT_TEXT:
            found.append(RawAnnotation(kind, _rect(_annotation_rect, annotation)))
        else:
            handle = ctypes.cast(annotation, c.FPDF_ANNOTATION)
            found.append(
                RawAnnotation(
                    kind=kind,
                    rect=_rect(_annotation_rect, annotation),
                    text=_value(handle, b"Contents"),
                    author=_value(handle, b"T"),
                    marked=_lines(handle) if kind in _MARKING else (),
                )
            )
        _close_annotation(annotation)
    return found


def annotation_kinds(page: Any, count: int) -> Iterator[str]:
    """The kinds of the first ``count`` annotations."""
    at = address(page)
    for index in range(count):
        if annotation := _annotation(at, index):
            kind = KINDS.get(_subtype(annotation), "other")
            _close_annotation(annotation)
            yield kind


def _lines(annotation: Any) -> tuple[Rect, ...]:
    quad = c.FS_QUADPOINTSF()
    lines = []
    for index in range(min(c.FPDFAnnot_CountAttachmentPoints(annotation), _MAX_LINES)):
        if c.FPDFAnnot_GetAttachmentPoints(annotation, index, ctypes.byref(quad)):
            xs, ys = (quad.x1, quad.x2, quad.x3, quad.x4), (quad.y1, quad.y2, quad.y3, quad.y4)
            lines.append((min(xs), min(ys), max(xs), max(ys)))
    return tuple(lines)


def read_links(document: Any, page: Any, limit: int) -> list[RawLink]:
    """The first ``limit`` links."""
    found: list[RawLink] = []
    position, link = ctypes.c_int(0), c.FPDF_LINK()
    step = ctypes.byref(position), ctypes.byref(link)
    while len(found) < limit and c.FPDFLink_Enumerate(page, *step):
        found.append(
            RawLink(
                rect=_rect(_link_rect, address(link)),
                url=_url(document, link),
                page=_target(document, link),
            )
        )
    return found


def _rect(read: Any, subject: int) -> Rect:
    if not read(subject, _rect_at):
        return _NOWHERE
    left, top, right, bottom = _rect_numbers
    return (min(left, right), min(bottom, top), max(left, right), max(bottom, top))


def _value(annotation: Any, key: bytes) -> str:
    return string(lambda buffer, size: c.FPDFAnnot_GetStringValue(annotation, key, buffer, size))


def _url(document: Any, link: Any) -> str:
    action = c.FPDFLink_GetAction(link)
    if not action or c.FPDFAction_GetType(action) != c.PDFACTION_URI:
        return ""
    size = c.FPDFAction_GetURIPath(document, action, None, 0)
    if not 1 < size <= _MAX_URL_BYTES:
        return ""
    buffer = bytearray(size)
    start = ctypes.byref(ctypes.c_char.from_buffer(buffer))
    c.FPDFAction_GetURIPath(document, action, start, size)
    return buffer[: size - 1].decode("utf-8", "replace")


def _target(document: Any, link: Any) -> int:
    target = c.FPDFLink_GetDest(document, link)
    if not target:
        action = c.FPDFLink_GetAction(link)
        if action and c.FPDFAction_GetType(action) == c.PDFACTION_GOTO:
            target = c.FPDFAction_GetDest(document, action)
    return int(c.FPDFDest_GetDestPageIndex(document, target)) if target else -1
