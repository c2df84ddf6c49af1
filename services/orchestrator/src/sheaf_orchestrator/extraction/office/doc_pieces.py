"""The text of Word 97-2003, put together from its pieces ([MS-DOC] 2.4.1)."""

import struct
from array import array
from bisect import bisect_right
from importlib import import_module
from typing import Final

from sheaf_orchestrator.extraction.office.doc_properties import plex
from sheaf_orchestrator.extraction.office.ole import Container, damaged
from sheaf_orchestrator.extraction.office.refusing import locked, unsupported

_MAGIC: Final = (0xA5EC, 0xA5DC)
_WORD_97: Final = 0xC1
_ENCRYPTED, _TABLE_1 = 0x0100, 0x0200
_COMPRESSED: Final = 0x40000000
_SUBDOCUMENTS: Final = ("body", "footnotes", "headers", "macros", "comments", "endnotes", "boxes")


class Text:
    """The characters of a document, one for each position, with their places in the file."""

    def __init__(self, container: Container, password: bytes | None = None) -> None:
        """Raises ExtractionError: DAMAGED, ENCRYPTED."""
        self.document = document = container.read("WordDocument")
        if len(document) < 68 or int.from_bytes(document[:2], "little") not in _MAGIC:  # noqa: PLR2004 # FibBase
            raise damaged("its main stream is none of Word's")
        version, flags = struct.unpack_from("<2xH6xH", document)
        self.encrypted = bool(flags & _ENCRYPTED)
        self.characters = ""
        self._starts: list[int] = []
        self._places: list[tuple[int, int]] = []
        self.ranges: dict[str, tuple[int, int]] = {}
        self._pairs: tuple[int, ...] = ()
        self._table = b""
        if version < _WORD_97:
            if self.encrypted:
                raise unsupported() if password else locked(None)
            self._read_old()
            return
        self._table = container.read("1Table" if flags & _TABLE_1 else "0Table")
        if self.encrypted:
            # Loaded when first needed: few documents are locked.
            locks = import_module("sheaf_orchestrator.extraction.office.legacy_locks")
            self.document, self._table = locks.word(document, self._table, password)
        try:
            self._read_header()
            self._read_pieces(self.part(33))
        except (struct.error, IndexError) as error:
            raise damaged("its pieces of text cannot be found") from error

    def _read_old(self) -> None:
        """Word 6 and 95 keep their text in one place."""
        start, end = struct.unpack_from("<24xII", self.document)
        data = self.document[start:end]
        if not data:
            raise damaged("it holds no text of its version")
        self.characters = data.decode("cp1252", "replace")
        self._starts, self._places = [0], [(start, 1)]
        self.ranges["body"] = (0, len(self.characters))

    def _read_header(self) -> None:
        at = 34 + 2 * int.from_bytes(self.document[32:34], "little")
        longs = int.from_bytes(self.document[at : at + 2], "little")
        values = struct.unpack_from(f"<{min(longs, 11)}I", self.document, at + 2)
        counts = (*values[3:10],)
        start = 0
        for name, count in zip(_SUBDOCUMENTS, counts, strict=False):
            self.ranges[name] = (start, start + count)
            start += count
        at += 2 + 4 * longs
        pairs = min(int.from_bytes(self.document[at : at + 2], "little"), 200)
        self._pairs = struct.unpack_from(f"<{2 * pairs}I", self.document, at + 2)

    def part(self, index: int, *, beyond: bool = False) -> bytes:
        """A structure of the table stream by its number; ``beyond``: what comes after it."""
        if 2 * index + 1 >= len(self._pairs):
            return b""
        start, size = self._pairs[2 * index : 2 * index + 2]
        return self._table[start + size :] if beyond and size else self._table[start : start + size]

    def _read_pieces(self, clx: bytes) -> None:
        at = 0
        while at < len(clx) and clx[at] == 1:
            at += 3 + int.from_bytes(clx[at + 1 : at + 3], "little")
        if at >= len(clx) or clx[at] != 2:  # noqa: PLR2004 # Pcdt
            raise damaged("its pieces of text cannot be found")
        size = int.from_bytes(clx[at + 1 : at + 5], "little")
        positions, pieces = plex(clx[at + 5 : at + 5 + size], 8)
        texts, length, left = [], 0, 2 * len(self.document)
        for start, end, piece in zip(positions, positions[1:], pieces, strict=False):
            count = end - start
            if start != length or count < 0 or count > left:
                raise damaged("its pieces of text do not fit together")
            place = int.from_bytes(piece[2:6], "little")
            width = 1 if place & _COMPRESSED else 2
            place = (place & ~_COMPRESSED & 0x7FFFFFFF) // (3 - width)
            data = self.document[place : place + count * width]
            text = data.decode("cp1252", "replace") if width == 1 else _units(data)
            texts.append(text.ljust(count, "\0"))
            self._starts.append(start)
            self._places.append((place, width))
            length, left = end, left - count
        self.characters = "".join(texts)

    def place(self, position: int) -> int:
        """Where in the file the character at a position stands."""
        index = bisect_right(self._starts, position) - 1
        if index < 0:
            return 0
        start, width = self._places[index]
        return start + (position - self._starts[index]) * width

    def pieces(self) -> list[tuple[int, int, int, int]]:
        """Position, end, place in the file and width of characters of each piece."""
        ends = [*self._starts[1:], len(self.characters)]
        return [
            (start, end, *place)
            for start, end, place in zip(self._starts, ends, self._places, strict=True)
        ]


def _units(data: bytes) -> str:
    """A character for each unit of UTF-16, so that positions hold; pairs are joined later."""
    units = array("H")
    units.frombytes(data[: len(data) // 2 * 2])
    return "".join(map(chr, units))


def joined(text: str) -> str:
    """The text with its surrogate pairs as characters."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
