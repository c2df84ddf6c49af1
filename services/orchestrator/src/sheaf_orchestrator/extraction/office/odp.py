"""OpenDocument presentations (odp, otp): a page for each slide, in the order of a reader."""

import re
from typing import Final

from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.office import odf, opc
from sheaf_orchestrator.extraction.office.odf import DRAW, PARAGRAPHS, PRESENTATION, SVG, TABLE
from sheaf_orchestrator.extraction.office.package import Package
from sheaf_orchestrator.extraction.office.reading import HIDDEN, Reading
from sheaf_orchestrator.extraction.office.xml import Element, Stream, local
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.result import Extracted

_PAGE: Final = DRAW + "page"
_STYLE: Final = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}style"
_LENGTH: Final = re.compile(r"(-?\d{1,6}(?:\.\d{1,6})?)(cm|mm|in|pt|px)?$")
_POINTS: Final = {"cm": 28.35, "mm": 2.835, "in": 72.0, "pt": 1.0, "px": 0.75}
_LINE_POINTS: Final = 18
_SHAPES: Final = frozenset(
    {"frame", "custom-shape", "rect", "ellipse", "circle", "g", "a", "connector", "line",
     "polygon", "polyline", "path", "regular-polygon", "caption", "measure"}
)  # fmt: skip
_SIDE: Final = frozenset({"header", "footer", "date-time", "page-number"})


def extract(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """The slides in order: title first, then shapes from top to bottom and left to right.

    Speaker's notes and comments are annotations.
    Raises ExtractionError: EMPTY, ENCRYPTED, DAMAGED, TOO_MANY_PAGES, ARCHIVE_LIMIT.
    """
    reading = Reading(limits, options.pages)
    with Package(content, limits) as package:
        odf.open_parts(package)
        language = odf.default_language(opc.optional(package, "styles.xml", reading))
        metadata = odf.properties(package, reading, language)
        slides = _Slides(reading)
        stream = Stream(package.open(odf.CONTENT), (_PAGE, _STYLE))
        for event, element in stream:
            if event == "start":
                continue
            if element.tag == _STYLE:
                slides.style(element)
            else:
                slides.read(element)
            stream.drop(element)
            if reading.done:
                break
        return reading.finish("slide", metadata, slides.count)


class _Slides:
    def __init__(self, reading: Reading) -> None:
        self._reading, self._composer = reading, reading.composer
        self._texts = odf.Texts(reading)
        self._hidden: set[str] = set()
        self._page = 0

    @property
    def count(self) -> int:
        """Slides that were met, wanted or not."""
        return self._page

    def style(self, style: Element) -> None:
        """Keep which styles of slides hide them."""
        for properties in style:
            if properties.get(PRESENTATION + "visibility") == "hidden":
                self._hidden.add(style.get("{urn:oasis:names:tc:opendocument:xmlns:style:1.0}name"))

    def read(self, page: Element) -> None:
        """One slide."""
        self._page += 1
        self._reading.check_pages(self._page, "slides or more")
        if self._reading.passes_over():
            return
        shapes = _ordered(page)
        title = next((each for each in shapes if _class(each) == "title"), None)
        text = "" if title is None else "\n".join(self._texts.lines(title))
        self._composer.begin(" ".join(text.split()) or page.get(DRAW + "name"))
        if page.get(DRAW + "style-name") in self._hidden:
            self._reading.notes.warn(HIDDEN, "The slide is hidden.", self._page)
        if text:
            self._reading.heading(1, text, self._page)
        for shape in shapes:
            if shape is not title and _class(shape) not in _SIDE:
                self._shape(shape, listed=_class(shape) == "outline")
        for child in page:
            if local(child) == "notes":
                self._notes(child)
            elif local(child) == "annotation":
                self._texts.comment(child)

    def _notes(self, notes: Element) -> None:
        lines = []
        for shape in notes:
            if _class(shape) not in _SIDE:
                lines += self._texts.lines(shape)
        self._composer.annotation("notes", "\n".join(lines))

    def _shape(self, shape: Element, *, listed: bool, depth: int = -1) -> None:
        if local(shape) == "g":
            for each in _ordered(shape):
                self._shape(each, listed=listed)
            return
        for child in shape:
            name = local(child)
            if child.tag in PARAGRAPHS:
                self._paragraph(child, depth=max(depth, 0) if listed or depth >= 0 else -1)
            elif name == "list":
                self._shape(child, listed=listed, depth=depth + 1)
            elif name == "table":
                rows = [self._texts.row(row)[0] for row in child.iter(TABLE + "table-row")]
                first = child.get(TABLE + "use-first-row-styles") == "true"
                self._composer.table(rows, header_rows=int(first))
            elif name not in {"title", "desc", "object", "image", "event-listeners", "plugin"}:
                self._shape(child, listed=listed, depth=depth)

    def _paragraph(self, paragraph: Element, *, depth: int) -> None:
        inline = self._texts.read(paragraph)
        text, marked = inline.text, inline.marked
        frames, self._texts.frames = self._texts.frames, []
        if not text.strip():
            pass
        elif depth >= 0 and not marked:
            self._composer.item(text, depth=depth)
        else:
            self._composer.paragraph(text.strip(), marked and marked.strip())
        for frame in frames:
            self._shape(frame, listed=False)


def _class(shape: Element) -> str | None:
    found: str | None = shape.get(PRESENTATION + "class")
    return found


def _ordered(parent: Element) -> list[Element]:
    """The shapes in reading order: by line, then from the left; without a place last."""
    shapes = [each for each in parent if local(each) in _SHAPES]
    rows = sorted(shapes, key=lambda each: _length(each.get(SVG + "y")))
    ordered: list[Element] = []
    line: list[Element] = []
    for shape in rows:
        top = _length(line[0].get(SVG + "y")) if line else 0
        if line and _length(shape.get(SVG + "y")) - top > _LINE_POINTS:
            ordered += sorted(line, key=lambda each: _length(each.get(SVG + "x")))
            line = []
        line.append(shape)
    return ordered + sorted(line, key=lambda each: _length(each.get(SVG + "x")))


def _length(text: str | None) -> float:
    match = _LENGTH.match(text or "")
    return float(match[1]) * _POINTS[match[2] or "pt"] if match else 1e6
