"""The structures of Word 97-2003 that say what characters and paragraphs are ([MS-DOC])."""

import struct
from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from sheaf_orchestrator.extraction.office.wordstyles import Level, Numbering

PAGE_BYTES: Final = 512
_MAX_RUNS: Final = 500_000
_OPERAND_BYTES: Final = {0: 1, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2, 7: 3}
_TABLE_DEFINITION: Final = 0xD608
_TAB_CHANGES: Final = 0xC615
_DELETED, _HIDDEN, _SPECIAL, _SYMBOL = 0x0800, 0x083C, 0x0855, 0x6A09
_HEADING_STI: Final = range(1, 10)
_TITLE_STI: Final = 62
_CHAIN: Final = 16
_LEVELS: Final = 9
_KINDS: Final = {
    0: "decimal", 1: "upperRoman", 2: "lowerRoman", 3: "upperLetter", 4: "lowerLetter",
    22: "decimalZero", 23: "bullet", 255: "none",
}  # fmt: skip


class Paragraph(NamedTuple):
    """What is known of a paragraph."""

    style: int = 0
    in_table: bool = False
    ends_row: bool = False
    depth: int = 0
    """How deep its table lies in tables."""
    level: int | None = None
    """Depth in its list."""
    list_index: int | None = None
    """Its list, counted from 1; 0 for none in spite of the style."""
    outline: int | None = None
    """Level of a heading from 0; 9 for body text."""


class Characters(NamedTuple):
    """A run of characters that are not simply shown, by places in the file."""

    start: int
    end: int
    deleted: bool
    hidden: bool
    symbol: tuple[int, int] | None
    """Font and code of a symbol."""
    special: bool


def sprms(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The modifications in a list of them: code and operand."""
    at = 0
    while at + 2 <= len(data):
        code = int.from_bytes(data[at : at + 2], "little")
        at += 2
        size = _OPERAND_BYTES.get(code >> 13)
        if size is None:
            if code == _TABLE_DEFINITION:
                size, at = int.from_bytes(data[at : at + 2], "little") - 1, at + 2
            else:
                size, at = data[at] if at < len(data) else 0, at + 1
                if code == _TAB_CHANGES and size == 255:  # noqa: PLR2004 # its own lengths follow
                    return
        yield code, data[at : at + max(size, 0)]
        at += max(size, 0)


def plex(data: bytes, size: int) -> tuple[list[int], list[bytes]]:
    """The positions and the records of ``size`` bytes in a PLC."""
    count = (len(data) - 4) // (4 + size) if len(data) > 4 else 0  # noqa: PLR2004 # one position
    if count <= 0:
        return [], []
    positions = list(struct.unpack_from(f"<{count + 1}I", data))
    base = 4 * (count + 1)
    return positions, [data[base + at * size : base + (at + 1) * size] for at in range(count)]


def _pages(document: bytes, bins: bytes) -> Iterator[tuple[bytes, list[int]]]:
    """Each page of formatted runs with the places where its runs begin."""
    _, numbers = plex(bins, 4)
    runs = 0
    for number in dict.fromkeys(numbers):
        at = (int.from_bytes(number, "little") & 0x3FFFFF) * PAGE_BYTES
        page = document[at : at + PAGE_BYTES]
        if len(page) < PAGE_BYTES or 4 * (page[-1] + 1) > PAGE_BYTES:
            continue
        runs += page[-1]
        if runs > _MAX_RUNS:
            return
        yield page, list(struct.unpack_from(f"<{page[-1] + 1}I", page))


class Paragraphs:
    """The properties of paragraphs by their place in the file."""

    def __init__(self, document: bytes, bins: bytes) -> None:
        found: list[tuple[int, Paragraph]] = []
        for page, places in _pages(document, bins):
            base = 4 * len(places)
            for at, start in enumerate(places[:-1]):
                offset = page[min(base + 13 * at, PAGE_BYTES - 1)] * 2
                found.append((start, _paragraph(page, offset)))
        found.sort(key=lambda each: each[0])
        self._starts = [start for start, _ in found]
        self._found = [paragraph for _, paragraph in found]

    def at(self, place: int) -> Paragraph:
        """Of the paragraph whose mark stands there."""
        index = bisect_right(self._starts, place) - 1
        return self._found[index] if index >= 0 else Paragraph()


def _paragraph(page: bytes, offset: int) -> Paragraph:
    if not offset or offset + 4 > PAGE_BYTES:
        return Paragraph()
    size = page[offset] * 2 - 1
    if size < 0:
        offset, size = offset + 1, page[offset + 1] * 2
    data = page[offset + 1 : offset + 1 + size]
    return read_paragraph(data[2:], int.from_bytes(data[:2], "little"))


def read_paragraph(data: bytes, style: int) -> Paragraph:
    """The properties that a list of modifications gives a paragraph of ``style``."""
    values: dict[int, int] = {}
    for code, operand in sprms(data):
        values[code] = int.from_bytes(operand[:4], "little")
    in_table = bool(values.get(0x2416))
    outline = values.get(0x2640)
    return Paragraph(
        style=values.get(0x4600, style),
        in_table=in_table or values.get(0x6649, 0) > 0,
        ends_row=bool(values.get(0x2417) or values.get(0x244C)),
        depth=values.get(0x6649, int(in_table)),
        level=values.get(0x260A),
        list_index=values.get(0x460B),
        outline=outline,
    )


def special_characters(document: bytes, bins: bytes) -> list[Characters]:
    """The runs that are deleted, hidden, symbols or special, in the order of the file."""
    found: list[Characters] = []
    for page, places in _pages(document, bins):
        base = 4 * len(places)
        for at, (start, end) in enumerate(pairwise(places)):
            offset = page[min(base + at, PAGE_BYTES - 1)] * 2
            if not offset:
                continue
            size = page[offset]
            deleted = hidden = special = False
            symbol = None
            for code, operand in sprms(page[offset + 1 : offset + 1 + size]):
                value = operand[:1] == b"\x01"
                if code == _DELETED:
                    deleted = value
                elif code == _HIDDEN:
                    hidden = value
                elif code == _SPECIAL:
                    special = value
                elif code == _SYMBOL and len(operand) == 4:  # noqa: PLR2004 # two words
                    symbol = struct.unpack("<HH", operand)
            if deleted or hidden or special or symbol:
                found.append(Characters(start, end, deleted, hidden, symbol, special))
    found.sort(key=lambda each: each.start)
    return found


class _Style(NamedTuple):
    sti: int
    base: int
    own: Paragraph


class StyleSheet:
    """Which styles are headings, and the lists that styles put their paragraphs in."""

    def __init__(self, data: bytes) -> None:
        self._styles: dict[int, _Style] = {}
        size = int.from_bytes(data[:2], "little")
        count = int.from_bytes(data[2:4], "little")
        fixed = int.from_bytes(data[4:6], "little")
        at = 2 + size
        for index in range(count):
            length = int.from_bytes(data[at : at + 2], "little")
            entry = data[at + 2 : at + 2 + length]
            at += 2 + length
            if len(entry) < 10:  # noqa: PLR2004 # an empty slot
                continue
            first, second = struct.unpack_from("<HH", entry)
            if second & 0xF == 1:
                self._styles[index] = _Style(first & 0xFFF, second >> 4, _of_style(entry, fixed))

    def _chain(self, index: int) -> Iterator[_Style]:
        for _ in range(_CHAIN):
            if index not in self._styles:
                return
            style = self._styles[index]
            yield style
            index = style.base

    def heading(self, paragraph: Paragraph) -> int | None:
        """The level of a heading from 1; None for other paragraphs."""
        if paragraph.outline is not None:
            return paragraph.outline + 1 if paragraph.outline < _LEVELS else None
        for style in self._chain(paragraph.style):
            if style.sti in _HEADING_STI:
                return style.sti
            if style.sti == _TITLE_STI:
                return 1
            if style.own.outline is not None:
                return style.own.outline + 1 if style.own.outline < _LEVELS else None
        return None

    def listed(self, paragraph: Paragraph) -> tuple[int, int] | None:
        """The list of a paragraph, counted from 1, and its depth; None if it is in none."""
        index, level = paragraph.list_index, paragraph.level
        for style in self._chain(paragraph.style):
            index = style.own.list_index if index is None else index
            level = style.own.level if level is None else level
        if not index or index > 2046:  # noqa: PLR2004 # most lists that Word knows
            return None
        return index, level or 0


def _of_style(entry: bytes, fixed: int) -> Paragraph:
    at = fixed + 2 + 2 * int.from_bytes(entry[fixed : fixed + 2], "little") + 2
    at += at % 2
    size = int.from_bytes(entry[at : at + 2], "little")
    return read_paragraph(entry[at + 4 : at + 2 + size], 0)


def numbering(lists: bytes, levels: bytes, overrides: bytes) -> Numbering:
    """The lists of a document, by their index counted from 1 as text."""
    by_id: dict[int, dict[int, Level]] = {}
    at = 0
    for index in range(int.from_bytes(lists[:2], "little")):
        head = lists[2 + 28 * index : 30 + 28 * index]
        if len(head) < 28:  # noqa: PLR2004 # LSTF
            break
        found = {}
        for level in range(1 if head[26] & 1 else _LEVELS):
            if at + 28 > len(levels):
                break
            start, kind = struct.unpack_from("<iB", levels, at)
            at += 28 + levels[at + 24] + levels[at + 25]
            size = int.from_bytes(levels[at : at + 2], "little")
            text = levels[at + 2 : at + 2 + 2 * size].decode("utf-16-le", "replace")
            at += 2 + 2 * size
            shown = "".join(f"%{ord(x) + 1}" if ord(x) < _LEVELS else x for x in text)
            found[level] = Level(start, _KINDS.get(kind, "decimal"), shown[:100])
        by_id[struct.unpack_from("<i", head)[0]] = found
    result = Numbering(None)
    for index in range(min(int.from_bytes(overrides[:4], "little"), 2046)):
        entry = overrides[4 + 16 * index : 8 + 16 * index]
        if len(entry) == 4:  # noqa: PLR2004 # lsid
            result.add(str(index + 1), by_id.get(struct.unpack("<i", entry)[0], {}))
    return result
