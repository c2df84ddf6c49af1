"""Excel (xlsx, xlsm and templates): a page for each sheet, values as they are shown."""

from typing import Final

from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.office import drawingml, opc, printed
from sheaf_orchestrator.extraction.office.formats import BUILT_IN, general, show
from sheaf_orchestrator.extraction.office.grid import Grid, place
from sheaf_orchestrator.extraction.office.opc import R, Relationships
from sheaf_orchestrator.extraction.office.package import Package
from sheaf_orchestrator.extraction.office.reading import HIDDEN, Reading
from sheaf_orchestrator.extraction.office.wordstyles import number
from sheaf_orchestrator.extraction.office.xml import Element, Stream, local, parse
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import Extracted

S: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_BINARY: Final = "xl/workbook.bin"
_MAX_STYLES: Final = 100_000
_KEPT_CHARACTERS: Final = 32_767
_EDGES: Final = ("oddHeader", "evenHeader", "firstHeader", "oddFooter", "evenFooter", "firstFooter")


def extract(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """The sheets in order; of formulas the values that were computed last.

    Raises ExtractionError: EMPTY, ENCRYPTED, DAMAGED, UNSUPPORTED_FORMAT (xlsb),
    TOO_MANY_PAGES, ARCHIVE_LIMIT, MEMORY_LIMIT.
    """
    reading = Reading(limits, options.pages)
    with Package(content, limits) as package:
        return _Workbook(package, reading).read()


class _Workbook:
    def __init__(self, package: Package, reading: Reading) -> None:
        self._package, self._reading = package, reading
        if _BINARY in package:
            message = "Binary Excel workbooks (xlsb) cannot be read."
            raise ExtractionError(Reason.UNSUPPORTED_FORMAT, message)
        self._main = opc.main_part(package, "xl/workbook.xml")
        self._relations = opc.relationships(package, self._main)
        self._strings: list[str] = []
        self._strings_cut = False
        self._formats: list[str | None] = []
        self._date1904 = False

    def read(self) -> Extracted:
        root = parse(self._package, self._main)
        properties = root.find(S + "workbookPr")
        self._date1904 = properties is not None and properties.get("date1904") in {"1", "true"}
        sheets = root.findall(f"{S}sheets/{S}sheet")
        self._reading.check_pages(len(sheets), "sheets")
        self._read_strings()
        self._read_formats()
        metadata = opc.properties(self._package, self._reading)
        for sheet in sheets:
            if self._reading.passes_over():
                continue
            name = sheet.get("name")
            if sheet.get("state", "visible") != "visible":
                self._reading.notes.warn(HIDDEN, f"The sheet {(name or '')[:100]!r} is hidden.")
            self._reading.composer.begin(name)
            relation = self._relations.get(sheet.get(R + "id", ""))
            if relation is not None and relation.target in self._package:
                self._sheet(relation.target)
            elif relation is not None:
                self._reading.damaged(relation.target)
            if self._reading.done:
                break
        return self._reading.finish("sheet", metadata, len(sheets))

    def _read_strings(self) -> None:
        parts = opc.of_kind(self._relations, "sharedStrings")
        if not parts or parts[0] not in self._package:
            return
        left, most = self._reading.limits.characters, self._reading.limits.table_cells
        stream = Stream(self._package.open(parts[0]), (S + "si",))
        for event, element in stream:
            if event == "end":
                text = _rich_text(element)
                left -= len(text)
                self._strings.append(text)
                stream.drop(element)
                if len(self._strings) >= most or left <= 0 or self._reading.done:
                    self._strings_cut = True
                    break

    def _read_formats(self) -> None:
        """The format of each style of cells; None for general."""
        parts = opc.of_kind(self._relations, "styles")
        root = opc.optional(self._package, parts[0], self._reading) if parts else None
        if root is None:
            return
        codes = dict(BUILT_IN)
        for element in root.iterfind(f"{S}numFmts/{S}numFmt"):
            codes[number(element.get("numFmtId"), -1)] = element.get("formatCode", "")
        for element in root.findall(f"{S}cellXfs/{S}xf")[:_MAX_STYLES]:
            self._formats.append(codes.get(number(element.get("numFmtId"))))

    def _sheet(self, part: str) -> None:
        relations = opc.relationships(self._package, part)
        grid = Grid(self._reading)
        edges: list[str] = []
        tags = (S + "row", S + "hyperlink", *(S + edge for edge in _EDGES))
        stream = Stream(self._package.open(part), tags)
        row = -1
        for event, element in stream:
            if event == "start":
                continue
            name = local(element)
            if name == "row":
                given = number(element.get("r"), 0) - 1
                row = given if given >= 0 else row + 1
                self._row(element, row, grid)
            elif name == "hyperlink":
                relation = relations.get(element.get(R + "id", ""))
                if relation is not None and relation.external:
                    self._reading.composer.link(relation.target, element.get("display"))
            elif element.text:
                edges += printed.edge_texts(element.text)
            stream.drop(element)
            if self._reading.done or grid.full:
                break
        grid.compose()
        for text in dict.fromkeys(edges):
            self._reading.composer.paragraph(text)
        self._drawn(relations)
        self._comments(relations)
        opc.attach_embedded(self._package, relations, self._reading)

    def _row(self, element: Element, row: int, grid: Grid) -> None:
        column = -1
        for cell in element.iterchildren(S + "c"):
            at = place(cell.get("r"))
            row, column = at or (row, column + 1)
            text, is_text = self._value(cell)
            grid.put(row, column, text, is_text=is_text)

    def _value(self, cell: Element) -> tuple[str, bool]:
        """The cell as shown, and whether it is a text."""
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            inline = cell.find(S + "is")
            return ("" if inline is None else _rich_text(inline)), True
        value = cell.findtext(S + "v") or ""
        if kind == "s":
            index = number(value, -1)
            if index >= len(self._strings) and self._strings_cut:
                self._reading.short("Not all texts of the workbook were kept.")
            return (self._strings[index] if 0 <= index < len(self._strings) else ""), True
        if kind == "b":
            return "TRUE" if value.strip() == "1" else "FALSE" if value else "", False
        if kind != "n":  # str, e, d: as written
            return value[:_KEPT_CHARACTERS], kind == "str"
        return self._number(value.strip()[:64], cell.get("s")), False

    def _number(self, text: str, style: str | None) -> str:
        try:
            value = float(text)
        except ValueError:
            return text
        index = number(style)
        form = self._formats[index] if 0 <= index < len(self._formats) else None
        return show(value, form, date1904=self._date1904) if form else general(value)

    def _drawn(self, relations: Relationships) -> None:
        """Text boxes and charts that lie over the cells."""
        for part in opc.of_kind(relations, "drawing"):
            if self._reading.done:
                return
            root = opc.optional(self._package, part, self._reading)
            for body in root.iter() if root is not None else ():
                if local(body) == "txBody" and (text := drawingml.text_of(body)):
                    self._reading.composer.paragraph(text)
            for chart in opc.of_kind(opc.relationships(self._package, part), "chart"):
                drawingml.compose("chart", self._package, chart, self._reading)

    def _comments(self, relations: Relationships) -> None:
        """Those in threads, else the older ones, which repeat them."""
        threaded = opc.of_kind(relations, "threadedComment")
        persons = _persons(self._package, self._relations, self._reading) if threaded else {}
        for part in threaded:
            root = opc.optional(self._package, part, self._reading)
            for comment in root if root is not None else ():
                text = "".join(each.text or "" for each in comment if local(each) == "text")
                author = persons.get(comment.get("personId", ""))
                self._reading.composer.annotation("comment", text, author)
        for part in opc.of_kind(relations, "comments") if not threaded else ():
            root = opc.optional(self._package, part, self._reading)
            if root is None:
                continue
            authors = [each.text for each in root.iterfind(f"{S}authors/{S}author")]
            for comment in root.iterfind(f"{S}commentList/{S}comment"):
                text = "".join(_rich_text(each) for each in comment.iterchildren(S + "text"))
                index = number(comment.get("authorId"), -1)
                author = authors[index] if 0 <= index < len(authors) else None
                self._reading.composer.annotation("comment", text, author)


def _rich_text(element: Element) -> str:
    """The runs of a text, without phonetic ones."""
    texts = []
    for child in element:
        if child.tag == S + "t":
            texts.append(child.text or "")
        elif child.tag == S + "r":
            texts.append(child.findtext(S + "t") or "")
    return "".join(texts)[:_KEPT_CHARACTERS].replace("_x000D_", "")


def _persons(package: Package, relations: Relationships, reading: Reading) -> dict[str, str]:
    names: dict[str, str] = {}
    for part in opc.of_kind(relations, "person"):
        root = opc.optional(package, part, reading)
        for person in root if root is not None else ():
            names[person.get("id", "")] = person.get("displayName", "")
    return names
