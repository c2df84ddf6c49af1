"""Word 6 to 2003 (doc, dot): one part, with headings, lists, tables and notes."""

import re
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Final

from sheaf_orchestrator.extraction import markdown
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.office import ole
from sheaf_orchestrator.extraction.office.doc_pieces import Text, joined
from sheaf_orchestrator.extraction.office.doc_properties import (
    Paragraph,
    Paragraphs,
    StyleSheet,
    numbering,
    plex,
    special_characters,
)
from sheaf_orchestrator.extraction.office.inline import Inline
from sheaf_orchestrator.extraction.office.ole import Container
from sheaf_orchestrator.extraction.office.reading import HIDDEN, Reading
from sheaf_orchestrator.extraction.office.symbols import symbol
from sheaf_orchestrator.extraction.office.wordstyles import NumPr
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.result import Extracted

_ENDS: Final = re.compile("[\r\x07\x0c]")
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f]")
_SHOWN: Final = {"\x0b": "\n", "\x0e": "\n", "\x1e": "-"}
_BEGIN, _SEPARATE, _END = "\x13", "\x14", "\x15"
_URL: Final = re.compile(r'^\s*HYPERLINK\s+(?:"([^"]*)"|([^\\"\s]\S*))', re.IGNORECASE)
_MAX_FIELDS: Final = 64
_MAX_INSTRUCTION: Final = 4_096
_SEPARATORS: Final = 6
_FOOTERS: Final = frozenset({2, 3, 5})


def extract(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """The text as shown: insertions kept, deletions dropped, results of fields.

    Raises ExtractionError: EMPTY, ENCRYPTED, DAMAGED.
    """
    reading = Reading(limits)
    with Container(content) as container:
        text = Text(container, options.password)
        metadata = container.properties(encrypted=text.encrypted)
        reading.composer.begin(metadata.title)
        try:
            _Document(text, reading).read()
        except (struct.error, IndexError) as error:
            raise ole.damaged("its structures cannot be read") from error
        ole.attach_pool(container, reading)
        return reading.finish("part", metadata)


class _Field:
    def __init__(self) -> None:
        self.instruction = ""
        self.shown = False
        self.url: str | None = None
        self.parts: list[str] = []


class _Document:
    def __init__(self, text: Text, reading: Reading) -> None:
        self._text, self._reading = text, reading
        self._composer = reading.composer
        self._paragraphs = Paragraphs(text.document, text.part(13))
        self._styles = StyleSheet(text.part(1))
        self._numbering = numbering(text.part(73), text.part(73, beyond=True), text.part(74))
        self._fields: list[_Field] = []
        self._labels: dict[int, str] = {}
        self._shown = self._apply_characters()

    def read(self) -> None:
        notes = self._notes()
        headers, footers = self._edges()
        for line in headers:
            self._composer.paragraph(line)
        self._blocks("body")
        self._blocks("boxes")
        for line in footers:
            self._composer.paragraph(line)
        for label, text in notes:
            marked = f"[^{label}]: {markdown.escape(text)}"
            self._composer.paragraph(f"[{label}] {text}", marked)
        self._comments()

    def _apply_characters(self) -> str:
        """The characters, deleted ones as NUL, symbols as what they show."""
        special = special_characters(self._text.document, self._text.part(12))
        if not special:
            return self._text.characters
        characters = list(self._text.characters)
        fonts = _fonts(self._text.part(15))
        begins = [run.start for run in special]
        for start, end, place, width in self._text.pieces():
            begin = max(bisect_right(begins, place) - 1, 0)
            stop = bisect_left(begins, place + (end - start) * width)
            for run in special[begin:stop]:
                first = max(start, start + (run.start - place + width - 1) // width)
                last = min(end, start + (run.end - place) // width)
                if first >= last:
                    continue
                if run.hidden:
                    self._reading.once(HIDDEN, "Some text of the document is hidden in it.")
                if run.deleted:
                    characters[first:last] = "\0" * (last - first)
                elif run.symbol:
                    font, code = run.symbol
                    shown = symbol(fonts[font] if font < len(fonts) else "", code)
                    characters[first:last] = (shown or "\0") * (last - first)
        return "".join(characters)

    def _split(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Beginning and mark of each paragraph."""
        for match in _ENDS.finditer(self._shown, start, end):
            yield start, match.start()
            start = match.end()
        if start < end:
            yield start, end

    def _blocks(self, name: str) -> None:
        cells: list[str] = []
        lines: list[str] = []
        rows: list[list[str]] = []
        for start, end in self._split(*self._text.ranges.get(name, (0, 0))):
            if self._reading.done:
                break
            paragraph = self._paragraphs.at(self._text.place(min(end, len(self._shown) - 1)))
            inline = self._inline(start, end)
            in_cell = paragraph.in_table or self._shown[end : end + 1] == "\x07"
            if not in_cell:
                if rows:
                    self._composer.table(rows)
                    rows, cells, lines = [], [], []
                self._paragraph(inline, paragraph)
            elif paragraph.ends_row and paragraph.depth <= 1:
                rows.append(cells)
                cells, lines = [], []
            else:
                text = self._labelled(inline, paragraph)
                if text.strip():
                    lines.append(text)
                if self._shown[end : end + 1] == "\x07" and paragraph.depth <= 1:
                    cells.append("\n".join(lines))
                    lines = []
        if cells:
            rows.append(cells)
        self._composer.table(rows)

    def _labelled(self, inline: Inline, paragraph: Paragraph) -> str:
        listed = self._styles.listed(paragraph)
        label = self._numbering.label(NumPr(str(listed[0]), listed[1])) if listed else None
        return f"{label.text} {inline.text}" if label and label.text else inline.text

    def _paragraph(self, inline: Inline, paragraph: Paragraph) -> None:
        text, marked = inline.text, inline.marked
        level, listed = self._styles.heading(paragraph), self._styles.listed(paragraph)
        if not text.strip():
            return
        label = self._numbering.label(NumPr(str(listed[0]), listed[1])) if listed else None
        if level is not None:
            self._reading.heading(level, f"{label.text} {text}" if label else text)
        elif label is None:
            self._composer.paragraph(text.strip(), marked and marked.strip())
        else:
            shown = f"{label.text} {text}" if label.text and label.number is None else text
            self._composer.item(shown, depth=label.depth, number=label.number)

    def _inline(self, start: int, end: int) -> Inline:
        inline = Inline()
        at = start
        for match in _CONTROL.finditer(self._shown, start, end):
            self._add(inline, joined(self._shown[at : match.start()]))
            at = match.end()
            sign = match[0]
            if sign in _SHOWN:
                self._add(inline, _SHOWN[sign])
            elif sign in {_BEGIN, _SEPARATE, _END}:
                self._field(sign, inline)
            elif match.start() in self._labels and self._visible():
                inline.note(self._labels[match.start()])
        self._add(inline, joined(self._shown[at:end]))
        for field in self._fields:
            self._close(field, inline)
        return inline

    def _visible(self) -> bool:
        return all(field.shown for field in self._fields)

    def _add(self, inline: Inline, text: str) -> None:
        if not text:
            return
        if not self._visible():
            field = self._fields[-1]
            field.instruction = (field.instruction + text)[:_MAX_INSTRUCTION]
            return
        for field in reversed(self._fields):
            if field.url:
                field.parts.append(text)
                return
        inline.add(text)

    def _field(self, sign: str, inline: Inline) -> None:
        if sign == _BEGIN:
            if len(self._fields) < _MAX_FIELDS:
                self._fields.append(_Field())
        elif not self._fields:
            return
        elif sign == _SEPARATE:
            field = self._fields[-1]
            field.shown = True
            if match := _URL.match(field.instruction):
                field.url = (match[1] or match[2]).replace("\\\\", "\\")
        else:
            self._close(self._fields.pop(), inline)

    def _close(self, field: _Field, inline: Inline) -> None:
        text, field.parts = "".join(field.parts), []
        if field.url and text:
            inline.link(text, field.url)
            self._composer.link(field.url, text)

    def _story(self, name: str, start: int, end: int) -> list[str]:
        """The paragraphs in a stretch of a part beside the body."""
        first, last = self._text.ranges.get(name, (0, 0))
        start, end = min(first + start, last), min(first + end, last)
        lines = (self._inline(*each).text.strip() for each in self._split(start, end))
        return [line for line in lines if line]

    def _notes(self) -> list[tuple[str, str]]:
        """Label and text of footnotes and endnotes; their marks in the body get the labels."""
        found: list[tuple[int, str, int, int]] = []
        for name, marks, texts in (("footnotes", 2, 3), ("endnotes", 46, 47)):
            positions, _ = plex(self._text.part(marks), 2)
            bounds, _ = plex(self._text.part(texts), 0)
            stretches = zip(positions, bounds, bounds[1:], strict=False)
            found += [(at, name, start, end) for at, start, end in stretches]
        notes: list[tuple[str, str]] = []
        for at, name, start, end in sorted(found):
            label = str(len(notes) + 1)
            notes.append((label, " ".join(self._story(name, start, end))))
            self._labels[at] = label
        return notes

    def _edges(self) -> tuple[list[str], list[str]]:
        """Headers and footers, each line once."""
        bounds, _ = plex(self._text.part(11), 0)
        headers: dict[str, None] = {}
        footers: dict[str, None] = {}
        for index in range(_SEPARATORS, len(bounds) - 1):
            lines = self._story("headers", bounds[index], bounds[index + 1])
            target = footers if index % _SEPARATORS in _FOOTERS else headers
            target.update(dict.fromkeys(lines))
        return list(headers), list(footers)

    def _comments(self) -> None:
        _, references = plex(self._text.part(4), 30)
        bounds, _ = plex(self._text.part(5), 0)
        authors = _authors(self._text.part(36))
        for reference, start, end in zip(references, bounds, bounds[1:], strict=False):
            index = int.from_bytes(reference[20:22], "little")
            author = authors[index] if index < len(authors) else None
            self._composer.annotation(
                "comment", "\n".join(self._story("comments", start, end)), author
            )


def _authors(data: bytes) -> list[str]:
    authors, at = [], 0
    while at + 2 <= len(data):
        end = at + 2 + 2 * int.from_bytes(data[at : at + 2], "little")
        authors.append(data[at + 2 : end].decode("utf-16-le", "replace"))
        at = end
    return authors


def _fonts(data: bytes) -> list[str]:
    """The names of the fonts, by their index."""
    names, at = [], 4
    for _ in range(int.from_bytes(data[:2], "little")):
        if at >= len(data):
            break
        entry = data[at + 1 : at + 1 + data[at]]
        names.append(entry[39:].decode("utf-16-le", "replace").partition("\0")[0])
        at += 1 + data[at]
    return names
