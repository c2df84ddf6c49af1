"""OpenDocument text (odt, ott): one part, with headings, lists, tables and notes."""

from typing import Final

from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.office import odf, opc
from sheaf_orchestrator.extraction.office.odf import OFFICE, PARAGRAPHS, STYLE, TABLE, TEXT
from sheaf_orchestrator.extraction.office.package import Package
from sheaf_orchestrator.extraction.office.reading import Reading
from sheaf_orchestrator.extraction.office.rows import Rows
from sheaf_orchestrator.extraction.office.wordstyles import number
from sheaf_orchestrator.extraction.office.xml import Element, Stream, local
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.result import Extracted

_LIST, _ITEM = TEXT + "list", TEXT + "list-item"
_CHANGES: Final = TEXT + "tracked-changes"
_BLOCKS: Final = (
    *PARAGRAPHS,
    _CHANGES,
    TABLE + "table",
    TABLE + "table-row",
    STYLE + "style",
    TEXT + "list-style",
    _LIST,
)


def extract(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """The text as shown; headers before the body, footers after it, footnotes last.

    Raises ExtractionError: EMPTY, ENCRYPTED, DAMAGED, ARCHIVE_LIMIT, MEMORY_LIMIT.
    """
    del options  # it has neither boxes nor pages to draw
    reading = Reading(limits)
    with Package(content, limits) as package:
        odf.open_parts(package)
        return _Document(package, reading).read()


class _Document:
    def __init__(self, package: Package, reading: Reading) -> None:
        self._package, self._reading = package, reading
        self._composer = reading.composer
        self._texts = odf.Texts(reading)
        self._styles = odf.Styles()
        self._counts: dict[tuple[str, int], int] = {}
        self._item: Element | None = None
        self._rows = Rows(reading)
        self._in_paragraphs = self._in_tables = self._in_changes = 0

    def read(self) -> Extracted:
        styles = opc.optional(self._package, "styles.xml", self._reading)
        self._styles.add_all(styles)
        language = odf.default_language(styles)
        metadata = odf.properties(self._package, self._reading, language)
        self._composer.begin(metadata.title)
        self._edges(styles, "header")
        self._body()
        self._edges(styles, "footer")
        self._texts.compose_notes()
        return self._reading.finish("part", metadata)

    def _body(self) -> None:
        """Paragraphs and rows of tables as they end, so that memory holds one at a time."""
        stream = Stream(self._package.open(odf.CONTENT), _BLOCKS)
        for event, element in stream:
            if self._meet(element, 1 if event == "start" else -1):
                stream.drop(element)
            if self._reading.done:
                break
        self._rows.compose()

    def _meet(self, element: Element, step: int) -> bool:
        """An element begins (1) or ends (-1); whether it is done with."""
        if element.tag == _CHANGES:
            self._in_changes += step
            return step < 0
        if self._in_changes:
            return False
        if element.tag in PARAGRAPHS:
            self._in_paragraphs += step
            if self._in_paragraphs or self._in_tables:
                return False
            self._paragraph(element)
            return True
        return not self._in_paragraphs and self._meet_around(element, step)

    def _meet_around(self, element: Element, step: int) -> bool:
        """As ``_meet``, of what is around paragraphs."""
        name = local(element)
        if name == "list":
            if step > 0 and not self._in_tables:
                self._begin_list(element)
            return False
        if name == "table":
            self._in_tables += step
            if self._in_tables:
                return False
            self._rows.compose()
        elif step > 0:
            return False
        elif name != "table-row":
            self._styles.add(element)
        elif self._in_tables == 1:
            row, repeated = self._texts.row(element)
            head = local(element.getparent()) == "table-header-rows"
            self._rows.add(row, head=head, times=repeated)
        else:
            return False
        return True

    def _begin_list(self, element: Element) -> None:
        outer = list(element.iterancestors(_LIST))
        continues = element.get(TEXT + "continue-numbering") == "true" or element.get(
            TEXT + "continue-list"
        )
        style = _list_style(element)
        for key in list(self._counts):
            if key[0] == style and key[1] >= len(outer) and not continues:
                del self._counts[key]

    def _paragraph(self, paragraph: Element) -> None:
        inline = self._texts.read(paragraph)
        text, marked = inline.text, inline.marked
        lists = list(paragraph.iterancestors(_LIST))
        if not text.strip():
            pass
        elif local(paragraph) == "h":
            level = number(paragraph.get(TEXT + "outline-level"), 1)
            self._reading.heading(max(level, 1), text)
        elif self._styles.is_title(paragraph.get(TEXT + "style-name", "")):
            self._reading.heading(1, text)
        elif lists:
            self._list_item(paragraph, lists, text)
        else:
            self._composer.paragraph(text.strip(), marked and marked.strip())
        frames, self._texts.frames = self._texts.frames, []
        for frame in frames:
            self._frame(frame)

    def _list_item(self, paragraph: Element, lists: list[Element], text: str) -> None:
        depth = len(lists) - 1
        item = paragraph.getparent()
        if item is None or local(item) == "list-header" or item is self._item:
            self._composer.paragraph(text.strip())
            return
        self._item = item
        style = _list_style(lists[0])
        start = self._styles.start(style, depth)
        if start is None:
            self._composer.item(text, depth=depth)
            return
        count = self._counts.get((style, depth), start - 1) + 1
        self._counts[style, depth] = count
        self._composer.item(text, depth=depth, number=count)

    def _frame(self, frame: Element) -> None:
        """What is drawn: boxes of text, tables in them."""
        for child in frame:
            if child.tag in PARAGRAPHS:
                self._paragraph(child)
            elif local(child) == "table":
                rows = [self._texts.row(row)[0] for row in child.iter(TABLE + "table-row")]
                self._composer.table(rows)
            elif local(child) not in {"image", "title", "desc", "object", "annotation"}:
                self._frame(child)

    def _edges(self, styles: Element | None, kind: str) -> None:
        """The headers or footers of the page styles, each text once."""
        said: set[str] = set()
        master = None if styles is None else styles.find(OFFICE + "master-styles")
        for element in master.iter() if master is not None else ():
            if local(element) in {kind, f"{kind}-left", f"{kind}-first"}:
                for line in self._texts.lines(element):
                    if line not in said:
                        said.add(line)
                        self._composer.paragraph(line.strip())


def _list_style(element: Element) -> str:
    """The style of a list, which inner lists take from outer ones."""
    for each in (element, *element.iterancestors(_LIST)):
        if name := each.get(TEXT + "style-name"):
            return str(name)
    return ""
