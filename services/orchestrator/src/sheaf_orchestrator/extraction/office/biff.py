"""What lies beside the cells of a BIFF8 workbook: headers, footers, text boxes, charts."""

import struct
from collections.abc import Iterator
from typing import Final

from sheaf_orchestrator.extraction.office import printed

_BOF, _EOF, _CONTINUE, _FILEPASS = 0x0809, 0x000A, 0x003C, 0x002F
_SHEET, _HEADER, _FOOTER = 0x0085, 0x0014, 0x0015
_OBJECT, _BOX_TEXT, _CHART_TEXT = 0x005D, 0x01B6, 0x100D
_TEXTUAL: Final = frozenset({_HEADER, _FOOTER, _OBJECT, _BOX_TEXT, _CHART_TEXT, _CONTINUE})
_CELLS: Final = {
    0x0006: 65_536, 0x00BD: 6, 0x00BE: 2, 0x00D6: 65_536, 0x00FD: 65_536, 0x027E: 65_536,
    0x0201: 65_536, 0x0203: 65_536, 0x0204: 65_536, 0x0205: 65_536,
}  # fmt: skip
"""The records of cells, with the bytes of each cell in those that hold several."""
_NOTE_OBJECT: Final = 0x19
_MAX_RECORDS: Final = 3_000_000
_MAX_TEXTS: Final = 10_000


class Beside:
    """The texts of each sheet that are in none of its cells."""

    def __init__(self, stream: bytes) -> None:
        self.encrypted = False
        self.cells: dict[str, int] = {}
        """How many cells each sheet has."""
        self._texts: dict[str, list[str]] = {}
        self._name = ""
        self._names: dict[int, str] = {}
        self._sheet: list[str] | None = None
        self._depth = 0
        self._left = _MAX_TEXTS
        self._note = self._waiting = False
        for at, kind, data in _records(stream):
            if kind == _FILEPASS:
                self.encrypted = True
                return
            if kind == _SHEET and len(data) > 8:  # noqa: PLR2004 # its place, state, name
                self._names[int.from_bytes(data[:4], "little")] = string(data[6:], 1)
            elif kind == _BOF:
                self._depth += 1
                if self._depth == 1:
                    self._name = self._names.get(at, "")
                    self._sheet = self._texts.setdefault(self._name, []) if self._name else None
            elif kind == _EOF:
                self._depth = max(self._depth - 1, 0)
            elif kind in _CELLS:
                count = max((len(data) - 6) // _CELLS[kind], 1)
                self.cells[self._name] = self.cells.get(self._name, 0) + count
            elif self._sheet is not None and kind in _TEXTUAL and self._left > 0:
                found = [text for text in self._read(kind, data) if text.strip()]
                self._sheet += found
                self._left -= len(found)

    def _read(self, kind: int, data: bytes) -> list[str]:
        waiting, self._waiting = self._waiting, False
        if kind in {_HEADER, _FOOTER}:
            return printed.edge_texts(string(data, 2)) if self._depth == 1 else []
        if kind == _CHART_TEXT:
            return [string(data[2:], 1)]
        if kind == _OBJECT:
            self._note = int.from_bytes(data[4:6], "little") == _NOTE_OBJECT
        elif kind == _BOX_TEXT:
            self._waiting = not self._note
        elif waiting:
            return [_characters(data[1:], wide=data[:1] == b"\x01")]
        return []

    def texts(self, sheet: str) -> list[str]:
        """The texts of a sheet, each once."""
        return list(dict.fromkeys(self._texts.get(sheet, [])))


def _records(stream: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Place, kind and content of each record."""
    at, end = 0, len(stream) - 4
    for _ in range(_MAX_RECORDS):
        if at > end:
            return
        kind, size = struct.unpack_from("<HH", stream, at)
        yield at, kind, stream[at + 4 : at + 4 + size]
        at += 4 + size


def string(data: bytes, size: int) -> str:
    """A string that begins with its length, in ``size`` bytes, and a flag for wide characters."""
    count = int.from_bytes(data[:size], "little")
    wide = data[size : size + 1] == b"\x01"
    return _characters(data[size + 1 : size + 1 + count * (1 + wide)], wide=wide)


def _characters(data: bytes, *, wide: bool) -> str:
    return data.decode("utf-16-le" if wide else "latin-1", "replace")
