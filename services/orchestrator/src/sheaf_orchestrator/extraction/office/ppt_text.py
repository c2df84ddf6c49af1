"""The text of slides of PowerPoint 97-2003: boxes in the order of a reader, with their bullets."""

import struct
from collections.abc import Iterator
from typing import Final

from sheaf_orchestrator.extraction.composing import Composer
from sheaf_orchestrator.extraction.office import ppt_records as records
from sheaf_orchestrator.extraction.office.ppt_records import Record, unsigned

_TITLES: Final = frozenset({0, 6})
_BODIES: Final = frozenset({1, 5, 7, 8})
_NOTES: Final = 2
_SIDE: Final = frozenset({7, 8})
"""Placeholders of the date and the number of a slide."""
_TABLE_PROPERTY: Final = 0x39F
_LINE_UNITS: Final = 144
"""Boxes whose tops differ by less than a quarter inch stand in one line."""
_MAX_BOXES: Final = 10_000
_MAX_DEPTH: Final = 32
_LAST: Final = 1 << 30
_HAS_BULLET: Final = 0x1
_FIELDS: Final = (
    (0x0000000F, 2), (0x80, 2), (0x10, 2), (0x40, 2), (0x20, 4), (0x800, 2), (0x1000, 2),
    (0x2000, 2), (0x4000, 2), (0x100, 2), (0x400, 2), (0x8000, 2),
)  # fmt: skip
"""Masks of the properties of a paragraph, in the order of their values, with the bytes of each."""
_TAB_STOPS, _ALIGNMENT, _WRAPPING, _DIRECTION = 0x100000, 0x10000, 0xE0000, 0x200000


class Box:
    """One text with its kind and, of its paragraphs, depth and bullet."""

    def __init__(self, kind: int | None = None) -> None:
        self.kind = kind
        self.text = ""
        self.top = self.left = _LAST
        self.styles: list[tuple[int, int, bool | None]] = []
        """Characters, depth and bullet (None: as its master has it) of runs of paragraphs."""
        self.rows: list[list[str]] | None = None

    @property
    def is_title(self) -> bool:
        """Whether it is the title of its slide."""
        return self.kind in _TITLES

    @property
    def is_notes(self) -> bool:
        """Whether it holds speaker's notes."""
        return self.kind == _NOTES

    @property
    def is_body(self) -> bool:
        """Whether its paragraphs are items of a list unless they say otherwise."""
        return self.kind in _BODIES

    def take(self, found: Record) -> None:
        """Take what an atom says of the text."""
        if found.kind in {records.TEXT_CHARS, records.TEXT_BYTES} and not self.text:
            self.text = records.string(found)
        elif found.kind == records.TEXT_HEADER:
            self.kind = unsigned(found.content, 0)
        elif found.kind == records.TEXT_STYLE and self.text:
            self.styles = _styles(bytes(found.content), len(self.text) + 1)


def _styles(data: bytes, characters: int) -> list[tuple[int, int, bool | None]]:
    styles: list[tuple[int, int, bool | None]] = []
    at = covered = 0
    while covered < characters and at + 10 <= len(data):
        count, depth, masks = struct.unpack_from("<IHI", data, at)
        at += 10
        bullet: bool | None = None
        for mask, size in _FIELDS:
            if masks & mask:
                if mask & _HAS_BULLET and masks & _HAS_BULLET:
                    bullet = bool(int.from_bytes(data[at : at + 2], "little") & _HAS_BULLET)
                at += size
        if masks & _TAB_STOPS:
            at += 2 + 4 * int.from_bytes(data[at : at + 2], "little")
        at += sum(2 for mask in (_ALIGNMENT, _WRAPPING, _DIRECTION) if masks & mask)
        styles.append((count, depth, bullet))
        covered += max(count, 1)
    return styles


def boxes(content: memoryview, outline: list[Box]) -> list[Box]:
    """The boxes of a slide by line, then from the left; ``outline`` holds texts it refers to."""
    found: list[Box] = []
    for group in records.walk(content, records.GROUP):
        _read_group(group, outline, found, 0)
    found = [box for box in found if box.text.strip() or box.rows]
    found.sort(key=lambda box: box.top)
    ordered: list[Box] = []
    line: list[Box] = []
    for box in found:
        if line and box.top - line[0].top > _LINE_UNITS:
            ordered += sorted(line, key=lambda each: each.left)
            line = []
        line.append(box)
    ordered += sorted(line, key=lambda each: each.left)
    return ordered


def _read_group(group: Record, outline: list[Box], found: list[Box], depth: int) -> None:
    inner: list[Box] = []
    table = False
    own = Box()
    for index, each in enumerate(records.children(group.content)):
        if len(found) + len(inner) >= _MAX_BOXES:
            break
        if each.kind == records.GROUP and depth < _MAX_DEPTH:
            _read_group(each, outline, inner, depth + 1)
        elif each.kind == records.SHAPE:
            if index == 0:
                table = _is_table(each)
                _place(own, each)
            elif (box := _read_shape(each, outline)) is not None:
                inner.append(box)
    if table and inner:
        own.rows = _rows(inner)
        found.append(own)
        return
    if depth:  # coordinates inside a group are its own
        inner.sort(key=lambda box: (box.top, box.left))
        for box in inner:
            box.top, box.left = own.top, own.left
    found += inner


def _read_shape(shape: Record, outline: list[Box]) -> Box | None:
    box = Box()
    for each in _atoms(shape):
        if each.kind == records.PLACEHOLDER and bytes(each.content[4:5]):
            if each.content[4] in _SIDE:
                return None
        elif each.kind == records.OUTLINE_REFERENCE:
            index = unsigned(each.content, 0)
            if index < len(outline):
                box.kind, box.text = outline[index].kind, outline[index].text
                box.styles = outline[index].styles
        else:
            box.take(each)
    _place(box, shape)
    return box


def _atoms(shape: Record) -> Iterator[Record]:
    kinds = (
        records.PLACEHOLDER, records.OUTLINE_REFERENCE, records.TEXT_HEADER, records.TEXT_CHARS,
        records.TEXT_BYTES, records.TEXT_STYLE,
    )  # fmt: skip
    for each in records.children(shape.content):
        if each.kind == records.TEXT_BOX or each.container:
            yield from records.walk(each.content, *kinds)


def _place(box: Box, shape: Record) -> None:
    for each in records.children(shape.content):
        try:
            if each.kind == records.ANCHOR and len(each.content) == 8:  # noqa: PLR2004 # SmallRect
                box.top, box.left = struct.unpack_from("<hh", each.content)
            elif each.kind == records.ANCHOR:
                box.top, box.left = struct.unpack_from("<ii", each.content)
            elif each.kind == records.CHILD_ANCHOR:
                box.left, box.top = struct.unpack_from("<ii", each.content)
        except struct.error:
            return


def _is_table(shape: Record) -> bool:
    for each in records.children(shape.content):
        if each.kind == records.MORE_PROPERTIES:
            for index in range(min(each.instance, len(each.content) // 6)):
                head = int.from_bytes(each.content[6 * index : 6 * index + 2], "little")
                if head & 0x3FFF == _TABLE_PROPERTY:
                    return True
    return False


def _rows(cells: list[Box]) -> list[list[str]]:
    """The cells of a table by their places."""
    tops = sorted({cell.top for cell in cells if cell.text})
    lefts = sorted({cell.left for cell in cells if cell.text})
    if len(tops) * len(lefts) > _MAX_BOXES:
        return [[cell.text.replace("\r", "\n")] for cell in cells]
    row_of = {top: at for at, top in enumerate(tops)}
    column_of = {left: at for at, left in enumerate(lefts)}
    rows = [[""] * len(lefts) for _ in tops]
    for cell in cells:
        if cell.text:
            text = cell.text.replace("\r", "\n")
            rows[row_of[cell.top]][column_of[cell.left]] = text
    return rows


def compose_text(box: Box, composer: Composer) -> None:
    """Put the paragraphs of a box, or its table, into the page."""
    if box.rows is not None:
        composer.table(box.rows)
        return
    styles = iter(box.styles)
    left, depth, bullet = 0, 0, None
    for line in box.text.split("\r"):
        while left <= 0 and (style := next(styles, None)) is not None:
            left, depth, bullet = style
        left -= len(line) + 1
        text = line.replace("\x0b", "\n").replace("\u00ad", "")
        if bullet or (bullet is None and box.is_body):
            composer.item(text, depth=depth)
        else:
            composer.paragraph(text.strip())
