"""Word (docx, docm and their templates): one part, with headings, lists, tables and notes."""

from typing import Final

from sheaf_orchestrator.extraction import markdown
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.office import drawingml, opc
from sheaf_orchestrator.extraction.office.inline import Inline
from sheaf_orchestrator.extraction.office.package import Package
from sheaf_orchestrator.extraction.office.reading import Reading
from sheaf_orchestrator.extraction.office.rows import Rows
from sheaf_orchestrator.extraction.office.wordruns import Runs
from sheaf_orchestrator.extraction.office.wordstyles import (
    Label,
    Numbering,
    Styles,
    W,
    num_pr,
    number,
    value,
)
from sheaf_orchestrator.extraction.office.xml import Element, Stream, local
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.result import Extracted

_P, _TR, _TBL = W + "p", W + "tr", W + "tbl"
_MAX_SPAN: Final = 64
_FIRST_ROW: Final = 0x20
_NOTE_PARTS: Final = {"footnote": "footnotes", "endnote": "endnotes"}


def extract(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """The text as shown: insertions kept, deletions dropped, results of fields.

    Headers stand before the body, footers after it, footnotes last; comments are annotations.
    Raises ExtractionError: EMPTY, ENCRYPTED, DAMAGED, ARCHIVE_LIMIT, MEMORY_LIMIT.
    """
    del options  # it has neither boxes nor pages to draw
    reading = Reading(limits)
    with Package(content, limits) as package:
        return _Document(package, reading).read()


class _Document:
    def __init__(self, package: Package, reading: Reading) -> None:
        self._package, self._reading = package, reading
        self._composer = reading.composer
        self._main = opc.main_part(package, "word/document.xml")
        self._relations = opc.relationships(package, self._main)
        self._styles = Styles(self._related("styles"))
        self._numbering = Numbering(self._related("numbering"))
        self._runs = Runs(reading, self._relations)
        self._carried: Inline | None = None

    def _related(self, kind: str) -> Element | None:
        parts = opc.of_kind(self._relations, kind)
        return opc.optional(self._package, parts[0], self._reading) if parts else None

    def read(self) -> Extracted:
        metadata = opc.properties(self._package, self._reading, self._styles.language)
        self._composer.begin(metadata.title)
        self._edges("header")
        self._body()
        self._edges("footer")
        self._notes()
        self._comments()
        opc.attach_embedded(self._package, self._relations, self._reading)
        return self._reading.finish("part", metadata)

    def _body(self) -> None:
        """Paragraphs and rows of tables as they end, so that memory holds one at a time."""
        stream = Stream(self._package.open(self._main), (_P, _TR, _TBL))
        in_paragraphs = in_tables = 0
        rows = Rows(self._reading)
        for event, element in stream:
            step = 1 if event == "start" else -1
            if element.tag == _P:
                in_paragraphs += step
                if not in_paragraphs and not in_tables:
                    self._paragraph(element)
                    stream.drop(element)
            elif not in_paragraphs and element.tag == _TBL:
                in_tables += step
                if not in_tables:
                    rows.compose()
                    stream.drop(element)
            elif not in_paragraphs and in_tables == 1 and step < 0:
                head = (
                    _is_head(element)
                    if len(rows)
                    else _first_is_head(next(element.iterancestors(_TBL)))
                )
                if (row := self._row(element)) is not None:
                    rows.add(row, head=head)
                stream.drop(element)
            if self._reading.done:
                break
        rows.compose()

    def _blocks(self, parent: Element) -> None:
        for child in parent:
            if child.tag == _P:
                self._paragraph(child)
            elif child.tag == _TBL:
                rows = Rows(self._reading)
                for element in _through(child, "tr"):
                    if (row := self._row(element)) is not None:
                        rows.add(row, head=not len(rows) and _first_is_head(child))
                rows.compose()
            else:
                self._blocks(child)

    def _paragraph(self, paragraph: Element) -> None:
        properties = paragraph.find(W + "pPr")
        style = value(properties, "pStyle")
        inline = self._carried or Inline()
        self._carried = None
        self._runs.read(paragraph, inline)
        if properties is not None and properties.find(f"{W}rPr/{W}del") is not None:
            self._carried = inline  # its end was deleted: the next paragraph goes on
            return
        level = self._styles.level(style, value(properties, "outlineLvl"))
        label = self._label(properties, style)
        text, marked = inline.text, inline.marked
        if not text.strip():
            pass
        elif level is not None:
            self._reading.heading(level, f"{label.text} {text}" if label else text)
        elif label is None:
            self._composer.paragraph(text.strip(), marked and marked.strip())
        else:
            shown = f"{label.text} {text}" if label.text and label.number is None else text
            self._composer.item(shown, depth=label.depth, number=label.number)
        self._hanging()

    def _label(self, properties: Element | None, style: str | None) -> Label | None:
        listed, of_style = num_pr(properties), self._styles.listed(style)
        if listed is None:
            listed = of_style
        elif listed.list_id is None and of_style is not None:
            listed = of_style._replace(depth=listed.depth)
        elif listed.depth is None and of_style is not None:
            listed = listed._replace(depth=of_style.depth)
        return None if listed is None else self._numbering.label(listed)

    def _hanging(self) -> None:
        """The text boxes, charts and diagrams that hang on the paragraph just read."""
        boxes, self._runs.boxes[:] = list(self._runs.boxes), []
        drawn, self._runs.drawn[:] = list(self._runs.drawn), []
        for box in boxes:
            self._blocks(box)
        for kind, relation_id in drawn:
            relation = self._relations.get(relation_id)
            if relation is not None and not relation.external:
                drawingml.compose(kind, self._package, relation.target, self._reading)

    def _row(self, row: Element) -> list[str] | None:
        properties = row.find(W + "trPr")
        if properties is not None and properties.find(W + "del") is not None:
            return None
        cells = [""] * min(max(number(value(properties, "gridBefore")), 0), _MAX_SPAN)
        for cell in _through(row, "tc"):
            of_cell = cell.find(W + "tcPr")
            merged = None if of_cell is None else of_cell.find(W + "vMerge")
            goes_on = merged is not None and merged.get(W + "val") != "restart"
            cells.append("" if goes_on else self._cell(cell))
            span = min(number(value(of_cell, "gridSpan"), 1), _MAX_SPAN)
            cells += [""] * (span - 1)
        return cells

    def _cell(self, cell: Element) -> str:
        lines: list[str] = []
        self._lines(cell, lines)
        return "\n".join(lines)

    def _lines(self, parent: Element, lines: list[str]) -> None:
        """The lines of text in a cell or a note, with those of tables and boxes in it."""
        for child in parent:
            if child.tag == _P:
                inline = Inline()
                self._runs.read(child, inline)
                properties = child.find(W + "pPr")
                label = self._label(properties, value(properties, "pStyle"))
                text = inline.text
                if text.strip():
                    lines.append(f"{label.text} {text}" if label and label.text else text)
                boxes, self._runs.boxes[:] = list(self._runs.boxes), []
                for box in boxes:
                    self._lines(box, lines)
            elif child.tag == _TR:
                cells = self._row(child) or []
                lines.append(" ".join(cell.replace("\n", " ") for cell in cells if cell))
            else:
                self._lines(child, lines)

    def _edges(self, kind: str) -> None:
        """The headers or footers, each text once."""
        own, said = self._runs, set()
        for part in opc.of_kind(self._relations, kind):
            root = opc.optional(self._package, part, self._reading)
            if root is None or self._reading.done:
                continue
            self._runs = Runs(self._reading, opc.relationships(self._package, part))
            lines: list[str] = []
            self._lines(root, lines)
            for line in lines:
                if line not in said:
                    said.add(line)
                    self._composer.paragraph(line.strip())
        self._runs = own

    def _notes(self) -> None:
        for kind, parts in _NOTE_PARTS.items():
            wanted = {key[1]: label for key, label in self._runs.notes.items() if key[0] == kind}
            root = self._related(parts) if wanted else None
            for note in root if root is not None else ():
                label = wanted.get(note.get(W + "id", ""))
                if label is None:
                    continue
                text = " ".join(self._cell(note).split("\n")).strip()
                marked = f"[^{label}]: {markdown.escape(text)}"
                self._composer.paragraph(f"[{label}] {text}", marked)

    def _comments(self) -> None:
        root = self._related("comments")
        for comment in root if root is not None else ():
            if local(comment) == "comment":
                author = comment.get(W + "author")
                self._composer.annotation("comment", self._cell(comment), author)


def _through(parent: Element, name: str) -> list[Element]:
    """The children of that name, also those inside content controls and insertions."""
    found: list[Element] = []
    for child in parent:
        if local(child) == name:
            found.append(child)
        elif local(child) in {"sdt", "sdtContent", "ins", "customXml", "moveTo"}:
            found += _through(child, name)
    return found


def _is_head(row: Element) -> bool:
    return row.find(f"{W}trPr/{W}tblHeader") is not None


def _first_is_head(table: Element) -> bool:
    """Whether the first row is marked or styled as a heading."""
    first = next(iter(_through(table, "tr")), None)
    if first is not None and _is_head(first):
        return True
    look = table.find(f"{W}tblPr/{W}tblLook")
    if look is None:
        return False
    if (styled := look.get(W + "firstRow")) is not None:
        return styled in {"1", "true", "on"}
    try:
        return bool(int(look.get(W + "val", "0")[:8], 16) & _FIRST_ROW)
    except ValueError:
        return False
