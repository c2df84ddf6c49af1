"""PowerPoint (pptx, pptm, ppsx and templates): a page for each slide, in the order of a reader."""

from typing import Final, NamedTuple

from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.office import drawingml, opc
from sheaf_orchestrator.extraction.office.drawingml import A
from sheaf_orchestrator.extraction.office.opc import R, Relationships
from sheaf_orchestrator.extraction.office.package import Package
from sheaf_orchestrator.extraction.office.reading import HIDDEN, Reading
from sheaf_orchestrator.extraction.office.wordstyles import number
from sheaf_orchestrator.extraction.office.xml import Element, local, parse
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.result import Extracted

P: Final = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_TITLES: Final = frozenset({"title", "ctrTitle"})
_LISTED: Final = frozenset({"body", "obj"})
_SHAPES: Final = frozenset({"sp", "graphicFrame", "grpSp", "cxnSp", "pic", "AlternateContent"})
_LINE_EMU: Final = 228_600
"""Shapes whose tops differ by less than a quarter inch stand in one line."""
_LAST: Final = 1 << 40


class _Holder(NamedTuple):
    """What a shape fills in of its slide's layout."""

    kind: str
    slot: str


def extract(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """The slides in order: title first, then shapes from top to bottom and left to right.

    Speaker's notes and comments are annotations; a hidden slide is read and warned of.
    Raises ExtractionError: EMPTY, ENCRYPTED, DAMAGED, TOO_MANY_PAGES, ARCHIVE_LIMIT.
    """
    reading = Reading(limits, options.pages)
    with Package(content, limits) as package:
        return _Presentation(package, reading).read()


class _Presentation:
    def __init__(self, package: Package, reading: Reading) -> None:
        self._package, self._reading = package, reading
        self._composer = reading.composer
        self._places: dict[str, dict[_Holder, tuple[int, int]]] = {}
        self._footers: set[str] = set()
        self._authors: dict[str, str] = {}
        self._relations: Relationships = {}
        self._page = 0

    def read(self) -> Extracted:
        main = opc.main_part(self._package, "ppt/presentation.xml")
        relations = opc.relationships(self._package, main)
        slides = parse(self._package, main).findall(f"{P}sldIdLst/{P}sldId")
        self._reading.check_pages(len(slides), "slides")
        self._read_authors(relations)
        metadata = opc.properties(self._package, self._reading)
        for slide in slides:
            self._page += 1
            if self._reading.passes_over():
                continue
            relation = relations.get(slide.get(R + "id", ""))
            root = None
            if relation is not None:
                root = opc.optional(self._package, relation.target, self._reading)
            if root is None or relation is None:
                self._composer.begin()
                self._reading.notes.cut("PAGE_FAILED", "The slide cannot be read.", self._page)
            else:
                self._slide(root, relation.target)
            if self._reading.done:
                break
        return self._reading.finish("slide", metadata, len(slides))

    def _read_authors(self, relations: Relationships) -> None:
        for kind in ("commentAuthors", "authors"):
            for part in opc.of_kind(relations, kind):
                root = opc.optional(self._package, part, self._reading)
                for author in root if root is not None else ():
                    self._authors[author.get("id", "")] = author.get("name", "")

    def _slide(self, root: Element, part: str) -> None:
        self._relations = opc.relationships(self._package, part)
        if root.get("show") in {"0", "false"}:
            self._reading.notes.warn(HIDDEN, "The slide is hidden.", self._page)
        tree = root.find(f"{P}cSld/{P}spTree")
        shapes = [] if tree is None else self._ordered(tree)
        title = next((each for each in shapes if _holder(each).kind in _TITLES), None)
        body = None if title is None else title.find(P + "txBody")
        text = "" if body is None else drawingml.text_of(body)
        self._composer.begin(" ".join(text.split()) or None)
        if text.strip():
            self._reading.heading(1, text, self._page)
        for shape in shapes:
            if shape is not title:
                self._shape(shape)
        self._notes()
        self._comments()
        opc.attach_embedded(self._package, self._relations, self._reading)

    def _ordered(self, parent: Element) -> list[Element]:
        """The shapes in reading order: by line, then from the left."""
        shapes = [each for each in parent if local(each) in _SHAPES]
        placed = sorted(((*self._place(each), at) for at, each in enumerate(shapes)))
        ordered: list[Element] = []
        line: list[tuple[int, int, int]] = []
        for each in placed:
            if line and each[0] - line[0][0] > _LINE_EMU:
                ordered += [shapes[at] for _, _, at in sorted(line, key=lambda one: one[1:])]
                line = []
            line.append(each)
        return ordered + [shapes[at] for _, _, at in sorted(line, key=lambda one: one[1:])]

    def _place(self, shape: Element) -> tuple[int, int]:
        """Top and left, of the shape itself or as its layout has it."""
        if local(shape) == "AlternateContent":
            inner = [each for each in shape.iter() if local(each) in _SHAPES - {"AlternateContent"}]
            return self._place(inner[0]) if inner else (_LAST, 0)
        if (own := _offset(shape)) is not None:
            return own
        holder = _holder(shape)
        for part in opc.of_kind(self._relations, "slideLayout"):
            if found := self._layout(part, holder):
                return found
            for master in opc.of_kind(opc.relationships(self._package, part), "slideMaster"):
                if found := self._layout(master, holder):
                    return found
        return (_LAST, 0)

    def _layout(self, part: str, holder: _Holder) -> tuple[int, int] | None:
        if part not in self._places:
            places: dict[_Holder, tuple[int, int]] = {}
            root = opc.optional(self._package, part, self._reading)
            for shape in root.iter(P + "sp") if root is not None else ():
                if (offset := _offset(shape)) is not None:
                    places.setdefault(_holder(shape), offset)
            self._places[part] = places
        places = self._places[part]
        for known, offset in places.items():
            same_slot = holder.slot and known.slot == holder.slot
            if same_slot or (not holder.slot and known.kind == holder.kind):
                return offset
        return next((at for known, at in places.items() if known.kind == holder.kind), None)

    def _shape(self, shape: Element) -> None:
        name, holder = local(shape), _holder(shape)
        if holder.kind in {"sldNum", "dt"} or self._reading.done:
            return
        if name in {"grpSp", "AlternateContent"}:
            group = shape if name == "grpSp" else next(iter(shape), None)
            for each in self._ordered(group) if group is not None else ():
                self._shape(each)
        elif name == "graphicFrame":
            self._frame(shape)
        elif (body := shape.find(P + "txBody")) is not None:
            text = drawingml.text_of(body) if holder.kind == "ftr" else ""
            if not text or text not in self._footers:
                self._footers.add(text)
                self._body(body, listed=holder.kind in _LISTED)

    def _body(self, body: Element, *, listed: bool) -> None:
        """Paragraphs; those of a slide's body are items of a list unless they say otherwise."""
        counts: dict[int, int] = {}
        for element in body.iterchildren(A + "p"):
            inline = drawingml.paragraph(element, self._reading, self._relations)
            text, marked = inline.text, inline.marked
            if not text.strip():
                continue
            properties = element.find(A + "pPr")
            marks = {local(each) for each in properties} if properties is not None else set()
            depth = number(None if properties is None else properties.get("lvl"))
            counts = {at: count for at, count in counts.items() if at <= depth}
            if "buAutoNum" in marks:
                counts[depth] = counts.get(depth, 0) + 1
                self._composer.item(text, depth=depth, number=counts[depth])
                continue
            counts.pop(depth, None)
            if "buNone" not in marks and (listed or marks & {"buChar", "buBlip"}) and not marked:
                self._composer.item(text, depth=depth)
            else:
                self._composer.paragraph(text.strip(), marked and marked.strip())

    def _frame(self, frame: Element) -> None:
        """A table, a chart or a diagram."""
        for element in frame.iter():
            name = local(element)
            relation = None
            if name == "tbl":
                rows, heads = drawingml.table(element)
                self._composer.table(rows, header_rows=heads)
                return
            if name == "chart":
                relation = self._relations.get(element.get(R + "id", ""))
            elif name == "relIds":
                relation = self._relations.get(element.get(R + "dm", ""))
            if relation is not None and not relation.external:
                kind = "chart" if name == "chart" else "diagram"
                drawingml.compose(kind, self._package, relation.target, self._reading)
                return

    def _notes(self) -> None:
        for part in opc.of_kind(self._relations, "notesSlide"):
            root = opc.optional(self._package, part, self._reading)
            for shape in root.iter(P + "sp") if root is not None else ():
                body = shape.find(P + "txBody")
                if body is not None and _holder(shape).kind == "body":
                    self._composer.annotation("notes", drawingml.text_of(body))

    def _comments(self) -> None:
        for part in opc.of_kind(self._relations, "comments"):
            root = opc.optional(self._package, part, self._reading)
            for comment in root.iter() if root is not None else ():
                if local(comment) not in {"cm", "reply"}:
                    continue
                author = self._authors.get(comment.get("authorId", ""))
                texts = [each for each in comment if local(each) in {"text", "txBody"}]
                for each in texts:
                    text = each.text if local(each) == "text" else drawingml.text_of(each)
                    self._composer.annotation("comment", text or "", author)


def _holder(shape: Element) -> _Holder:
    for child in shape:
        if local(child).startswith("nv"):
            holder = child.find(f"{P}nvPr/{P}ph")
            if holder is not None:
                return _Holder(holder.get("type", "obj"), holder.get("idx", ""))
    return _Holder("", "")


def _offset(shape: Element) -> tuple[int, int] | None:
    for path in (f"{P}spPr/{A}xfrm/{A}off", f"{P}xfrm/{A}off", f"{P}grpSpPr/{A}xfrm/{A}off"):
        offset = shape.find(path)
        if offset is not None:
            return number(offset.get("y")), number(offset.get("x"))
    return None
