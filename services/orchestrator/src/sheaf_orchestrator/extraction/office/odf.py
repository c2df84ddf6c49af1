"""What the OpenDocument formats share: parts, metadata, styles, the text of a paragraph."""

from typing import Final, NamedTuple

from sheaf_orchestrator.extraction import markdown
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.office import opc
from sheaf_orchestrator.extraction.office.inline import Inline
from sheaf_orchestrator.extraction.office.package import ENCRYPTED_MESSAGE, Package
from sheaf_orchestrator.extraction.office.reading import Reading
from sheaf_orchestrator.extraction.office.wordstyles import number
from sheaf_orchestrator.extraction.office.xml import Element, local, parse
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import Metadata

_BASE: Final = "{urn:oasis:names:tc:opendocument:xmlns:"
TEXT: Final = _BASE + "text:1.0}"
TABLE: Final = _BASE + "table:1.0}"
OFFICE: Final = _BASE + "office:1.0}"
STYLE: Final = _BASE + "style:1.0}"
DRAW: Final = _BASE + "drawing:1.0}"
SVG: Final = _BASE + "svg-compatible:1.0}"
PRESENTATION: Final = _BASE + "presentation:1.0}"
FO: Final = _BASE + "xsl-fo-compatible:1.0}"
XLINK: Final = "{http://www.w3.org/1999/xlink}"

CONTENT: Final = "content.xml"
PARAGRAPHS: Final = (TEXT + "p", TEXT + "h")
_SKIPPED: Final = frozenset(
    {"tracked-changes", "annotation-end", "ruby-text", "title", "desc", "note-citation",
     "bookmark", "event-listeners", "forms", "dde-connection-decls", "image", "plugin"}
)  # fmt: skip
_MAX_SPACES: Final = 1_000
_MAX_STYLES: Final = 50_000
_CHAIN: Final = 16
_MAX_REPEATED: Final = 1_000


def open_parts(package: Package) -> None:
    """Raises ExtractionError: ENCRYPTED, or DAMAGED when there is no content."""
    manifest = "META-INF/manifest.xml"
    if manifest in package:
        root = parse(package, manifest)
        if any(local(each) == "encryption-data" for each in root.iter()):
            raise ExtractionError(Reason.ENCRYPTED, ENCRYPTED_MESSAGE)
    elif "encrypted-package" in package:
        raise ExtractionError(Reason.ENCRYPTED, ENCRYPTED_MESSAGE)
    if "encrypted-package" in package and CONTENT not in package:
        raise ExtractionError(Reason.ENCRYPTED, ENCRYPTED_MESSAGE)
    if CONTENT not in package:
        message = f"The document is damaged: it has no part {CONTENT!r}."
        raise ExtractionError(Reason.DAMAGED, message)


def properties(package: Package, reading: Reading, language: str | None = None) -> Metadata:
    """What the document says about itself; ``language`` is that of its styles."""
    values: dict[str, str] = {}
    keywords: list[str] = []
    root = opc.optional(package, "meta.xml", reading)
    for element in root.iter() if root is not None else ():
        if local(element) == "keyword" and element.text:
            keywords.append(element.text)
        elif local(element):
            values.setdefault(local(element), element.text or "")
    return Metadata(
        title=opc.tidy(values.get("title")),
        author=opc.tidy(values.get("initial-creator")) or opc.tidy(values.get("creator")),
        subject=opc.tidy(values.get("subject")),
        keywords=opc.tidy(", ".join(keywords)),
        creator=opc.tidy(values.get("generator")),
        created_at=opc.moment(values.get("creation-date")),
        modified_at=opc.moment(values.get("date")),
        language=opc.tidy(values.get("language")) or language,
    )


def default_language(styles: Element | None) -> str | None:
    """The language of the default paragraph style, e.g. ``de-DE``."""
    for style in styles.iter(STYLE + "default-style") if styles is not None else ():
        text = style.find(STYLE + "text-properties")
        language = None if text is None else text.get(FO + "language")
        if language and language != "none":
            country = text.get(FO + "country") if text is not None else None
            return f"{language}-{country}" if country and country != "none" else str(language)
    return None


class _ListStyle(NamedTuple):
    numbered: dict[int, tuple[int, str]]
    """Start and suffix of the levels that count."""


class Styles:
    """Which paragraphs are titles and which lists count."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}
        self._lists: dict[str, _ListStyle] = {}
        self._list_of: dict[str, str] = {}

    def add(self, style: Element) -> None:
        """A ``style:style`` or ``text:list-style``."""
        name = style.get(STYLE + "name", "")
        if len(self._parents) + len(self._lists) >= _MAX_STYLES:
            return
        if local(style) == "list-style":
            numbered = {}
            for level in style.iterchildren(TEXT + "list-level-style-number"):
                if level.get(STYLE + "num-format"):
                    start = number(level.get(TEXT + "start-value"), 1)
                    numbered[number(level.get(TEXT + "level"), 1) - 1] = (start, "")
            self._lists[name] = _ListStyle(numbered)
        else:
            self._parents[name] = style.get(STYLE + "parent-style-name", "")
            if listed := style.get(STYLE + "list-style-name"):
                self._list_of[name] = listed

    def add_all(self, root: Element | None) -> None:
        """All styles of a part."""
        if root is not None:
            for style in root.iter(STYLE + "style", TEXT + "list-style"):
                self.add(style)

    def is_title(self, name: str) -> bool:
        """Whether the paragraph style is, or goes back to, that of the title."""
        for _ in range(_CHAIN):
            if name == "Title":
                return True
            name = self._parents.get(name, "")
        return False

    def start(self, list_style: str, depth: int) -> int | None:
        """The first number of a list that counts; None for bullets."""
        found = self._lists.get(list_style)
        level = None if found is None else found.numbered.get(depth)
        return None if level is None else level[0]


class Texts:
    """Reads paragraphs; what hangs on them is collected for after them."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self.frames: list[Element] = []
        """Text boxes, tables and objects drawn in the paragraph."""
        self.notes: list[tuple[str, str]] = []
        """Label and text of each footnote and endnote."""

    def read(self, paragraph: Element) -> Inline:
        """The text of a paragraph or heading."""
        inline = Inline()
        self._walk(paragraph, inline)
        return inline

    def _walk(self, element: Element, inline: Inline) -> None:
        _add(inline, element.text)
        for child in element:
            self._child(child, inline)
            _add(inline, child.tail)

    def _child(self, child: Element, inline: Inline) -> None:
        name = local(child)
        if name == "s":
            inline.add(" " * min(max(number(child.get(TEXT + "c"), 1), 0), _MAX_SPACES))
        elif name == "tab":
            inline.add("\t")
        elif name == "line-break":
            inline.add("\n")
        elif name == "a":
            inner = Inline()
            self._walk(child, inner)
            url = child.get(XLINK + "href", "")
            if url.startswith("#"):
                inline.add(inner.text)
            else:
                inline.link(inner.text, url)
                self._reading.composer.link(url, inner.text)
        elif name == "note":
            label = str(len(self.notes) + 1)
            body = child.find(TEXT + "note-body")
            self.notes.append((label, ""))
            text = "" if body is None else " ".join(self.lines(body))
            self.notes[int(label) - 1] = (label, text)
            inline.note(label)
        elif name == "annotation":
            self.comment(child)
        elif name in {"frame", "custom-shape", "rect", "g", "object", "ellipse", "line"}:
            self.frames.append(child)
        elif name not in _SKIPPED:
            self._walk(child, inline)

    def comment(self, annotation: Element) -> None:
        """Keep a comment."""
        author = next((each.text for each in annotation if local(each) == "creator"), None)
        text = "\n".join(self.lines(annotation))
        self._reading.composer.annotation("comment", text, author)

    def lines(self, parent: Element) -> list[str]:
        """The paragraphs below an element, a text each; those of frames in them follow."""
        lines: list[str] = []
        for child in parent:
            if child.tag in PARAGRAPHS:
                lines.append(self.read(child).text)
                frames, self.frames = self.frames, []
                for frame in frames:
                    lines += self.lines(frame)
            elif local(child) == "annotation":
                self.comment(child)
            elif local(child) == "table-row":
                cells, _ = self.row(child)
                lines.append(" ".join(cell.replace("\n", " ") for cell in cells if cell))
            elif local(child) not in _SKIPPED:
                lines += self.lines(child)
        return [line for line in lines if line.strip()]

    def row(self, row: Element) -> tuple[list[str], int]:
        """The cells of a table's row, and how often it stands there; trailing empties cut."""
        cells: list[str] = []
        for cell in row:
            if local(cell) not in {"table-cell", "covered-table-cell"}:
                continue
            covered = local(cell) == "covered-table-cell"
            text = "" if covered else "\n".join(self.lines(cell))
            count = number(cell.get(TABLE + "number-columns-repeated"), 1)
            cells += [text] * min(max(count, 1), _MAX_REPEATED)
            if len(cells) > _MAX_REPEATED:
                break
        repeated = number(row.get(TABLE + "number-rows-repeated"), 1)
        return cells[:_MAX_REPEATED], min(max(repeated, 1), _MAX_REPEATED)

    def compose_notes(self) -> None:
        """The footnotes met so far, as paragraphs."""
        notes, self.notes = self.notes, []
        for label, text in notes:
            self._reading.composer.paragraph(
                f"[{label}] {text}", f"[^{label}]: {markdown.escape(text)}"
            )


def _add(inline: Inline, text: str | None) -> None:
    """White space of the file is one blank; blanks that count are elements of their own."""
    if text:
        if "\n" in text or "\t" in text or "  " in text:
            lead = " " if text[0] in " \n\t\r" else ""
            trail = " " if text[-1] in " \n\t\r" and text.strip() else ""
            text = lead + " ".join(text.split()) + trail
        inline.add(text)
