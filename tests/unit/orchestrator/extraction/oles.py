"""OLE containers, made by hand: small ones, for tests."""

import struct
from collections.abc import Mapping
from typing import Any

_SECTOR = 512
_MINI = 64
_CUTOFF = 4096
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_NONE = 0xFFFFFFFF

Tree = Mapping[str, Any]
"""Names to bytes (a stream) or to another such mapping (a storage)."""


def ole(tree: Tree) -> bytes:
    """A container of version 3 with that content."""
    return _Writer().write(tree)


class _Writer:
    def __init__(self) -> None:
        self._sectors: list[bytes] = []
        self._fat: list[int] = []
        self._mini = bytearray()
        self._mini_fat: list[int] = []
        self._entries: list[list[Any]] = []

    def write(self, tree: Tree) -> bytes:
        self._entries.append(["Root Entry", 5, _NONE, _END, 0, _NONE])
        self._entries[0][5] = self._add(tree)
        self._entries[0][3:5] = self._chain(bytes(self._mini)), len(self._mini)
        mini_fat = struct.pack(f"<{len(self._mini_fat)}I", *self._mini_fat)
        mini_fat_start = self._chain(mini_fat, fill=b"\xff")
        mini_fat_sectors = -(-len(mini_fat) // _SECTOR)
        directory = self._chain(b"".join(map(_entry, self._entries)))
        fat_sectors = 1
        while (len(self._fat) + fat_sectors) * 4 > fat_sectors * _SECTOR:
            fat_sectors += 1
        first = len(self._sectors)
        fat = struct.pack(f"<{len(self._fat)}I", *self._fat) + b"\xfd\xff\xff\xff" * fat_sectors
        fat = fat.ljust(fat_sectors * _SECTOR, b"\xff")
        places = [*range(first, first + fat_sectors)]
        header = struct.pack(
            "<8s16sHHHHH6sIIIIIIIII",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bytes(16), 0x3E, 3, 0xFFFE, 9, 6, bytes(6), 0,
            fat_sectors, directory, 0, _CUTOFF, mini_fat_start, mini_fat_sectors, _END, 0,
        )  # fmt: skip
        header += struct.pack("<109I", *places, *[_FREE] * (109 - len(places)))
        return header + b"".join(self._sectors) + fat

    def _add(self, tree: Tree) -> int:
        """The first of a chain of entries; each is the right neighbour of the one before."""
        first, before = _NONE, None
        for name, content in sorted(tree.items(), key=lambda item: (len(item[0]), item[0].upper())):
            number = len(self._entries)
            entry = [name, 2, _NONE, _END, 0, _NONE]
            self._entries.append(entry)
            if isinstance(content, Mapping):
                entry[1], entry[3] = 1, 0
                entry[5] = self._add(content)
            else:
                entry[3], entry[4] = self._store(content), len(content)
            if before is None:
                first = number
            else:
                before[2] = number
            before = entry
        return first

    def _store(self, content: bytes) -> int:
        if len(content) >= _CUTOFF:
            return self._chain(content)
        if not content:
            return _END
        first = len(self._mini_fat)
        count = -(-len(content) // _MINI)
        self._mini += content.ljust(count * _MINI, b"\0")
        self._mini_fat += [*range(first + 1, first + count), _END]
        return first

    def _chain(self, content: bytes, fill: bytes = b"\0") -> int:
        if not content:
            return _END
        first = len(self._sectors)
        count = -(-len(content) // _SECTOR)
        padded = content.ljust(count * _SECTOR, fill)
        self._sectors += [padded[at : at + _SECTOR] for at in range(0, len(padded), _SECTOR)]
        self._fat += [*range(first + 1, first + count), _END]
        return first


def _entry(entry: list[Any]) -> bytes:
    name, kind, right, start, size, child = entry
    encoded = name.encode("utf-16-le") + b"\0\0"
    return struct.pack(
        "<64sHBBIII16sIQQIQ",
        encoded, len(encoded), kind, 1, _NONE, right, child, bytes(16), 0, 0, 0, start, size,
    )  # fmt: skip


def message(
    texts: Mapping[int, str],
    fixed: Mapping[int, tuple[int, int]] | None = None,
    *,
    binaries: Mapping[int, bytes] | None = None,
    header_bytes: int = 32,
    below: Tree | None = None,
) -> dict[str, Any]:
    """The tree of a message of Outlook: properties by number; ``below`` are its storages."""
    entries = b"".join(
        struct.pack("<HHIQ", kind, number, 6, value)
        for number, (kind, value) in (fixed or {}).items()
    )
    tree: dict[str, Any] = {"__properties_version1.0": bytes(header_bytes) + entries}
    for number, text in texts.items():
        tree[f"__substg1.0_{number:04X}001F"] = text.encode("utf-16-le")
    for number, content in (binaries or {}).items():
        tree[f"__substg1.0_{number:04X}0102"] = content
    return tree | dict(below or {})
