"""Properties of Outlook's messages, as they lie in an OLE container.

Source: [MS-OXMSG] 2.1-2.4, [MS-OXPROPS].
"""

import codecs
import struct
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import olefile

_TYPED: Final = {"001F": "utf-16-le", "001E": ""}
_BINARY: Final = "0102"
_OBJECT: Final = "000D"
_ENTRY: Final = struct.Struct("<HHIQ")
_PROPERTIES: Final = "__properties_version1.0"
_MAX_STREAM_BYTES: Final = 160 * 1024 * 1024
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)
_TIME: Final = 0x0040
_LONG: Final = 0x0003
_BOOLEAN: Final = 0x000B
_CODEPAGES: Final = {20127: "ascii", 28591: "iso8859-1", 65001: "utf-8", 50220: "iso2022_jp",
                     20866: "koi8_r", 51932: "euc_jp", 936: "gb18030"}  # fmt: skip

Path = tuple[str, ...]


class Store:
    """A message, an attachment or a recipient: a folder of properties in the container."""

    def __init__(self, container: olefile.OleFileIO, path: Path, header_bytes: int) -> None:
        """``header_bytes`` come before the first property: 32 at the root, 24 or 8 below."""
        self._container, self.path = container, path
        self._names = {entry.name.upper(): entry.name for entry in _kids(container, path)}
        self._fixed = self._read_fixed(header_bytes)

    def _read_fixed(self, header_bytes: int) -> dict[int, tuple[int, int]]:
        content = self._stream(_PROPERTIES) or b""
        usable = len(content) - (len(content) - header_bytes) % _ENTRY.size
        if usable <= header_bytes:
            return {}
        entries = _ENTRY.iter_unpack(content[header_bytes:usable])
        return {number: (kind, value) for kind, number, _, value in entries}

    def _stream(self, name: str) -> bytes | None:
        """The bytes of a stream, None where there is none or it cannot be read."""
        real = self._names.get(name.upper())
        if real is None:
            return None
        path = [*self.path, real]
        try:
            if self._container.get_size(path) > _MAX_STREAM_BYTES:
                return None
            with self._container.openstream(path) as stream:
                return bytes(stream.read())
        except (OSError, ValueError, IndexError, KeyError, TypeError):
            return None  # damaged, or a storage of that name: as if it were not there

    def text(self, number: int) -> str:
        """A property of text; empty where there is none."""
        for kind, encoding in _TYPED.items():
            content = self._stream(f"__substg1.0_{number:04X}{kind}")
            if content is not None:
                return str(content, encoding or self.encoding, "replace").rstrip("\0")
        return ""

    def binary(self, number: int) -> bytes | None:
        """A property of bytes."""
        return self._stream(f"__substg1.0_{number:04X}{_BINARY}")

    def size_bytes(self, number: int) -> int:
        """The size of a property of bytes, before it is read; 0 where there is none."""
        real = self._names.get(f"__SUBSTG1.0_{number:04X}{_BINARY}")
        try:
            return int(self._container.get_size([*self.path, real])) if real else 0
        except (OSError, TypeError):
            return 0

    def number(self, number: int) -> int | None:
        """A property that is a whole number or true or false."""
        kind, value = self._fixed.get(number, (0, 0))
        if kind == _BOOLEAN:
            return value & 0xFFFF
        return value & 0xFFFFFFFF if kind == _LONG else None

    def moment(self, number: int) -> datetime | None:
        """A property of time."""
        kind, value = self._fixed.get(number, (0, 0))
        if kind != _TIME or not value:
            return None
        try:
            return _EPOCH + timedelta(microseconds=value // 10)
        except OverflowError:
            return None

    @property
    def encoding(self) -> str:
        """Of text that is not Unicode: PidTagMessageCodepage, PidTagInternetCodepage."""
        for number in (0x3FFD, 0x3FDE):
            page = self.number(number)
            name = _CODEPAGES.get(page or 0, f"cp{page}")
            if page and _is_known(name):
                return name
        return "cp1252"

    def inner(self, number: int) -> "Store | None":
        """A message that is a property of this."""
        real = self._names.get(f"__SUBSTG1.0_{number:04X}{_OBJECT}")
        if real is None or not _kids(self._container, (*self.path, real)):
            return None
        return Store(self._container, (*self.path, real), 24)

    def below(self, prefix: str, most: int) -> list["Store"]:
        """The attachments or recipients, in order."""
        real = sorted(name for key, name in self._names.items() if key.startswith(prefix.upper()))
        return [Store(self._container, (*self.path, name), 8) for name in real[:most]]


def _kids(container: olefile.OleFileIO, path: Path) -> list[Any]:
    entry = container.root
    for name in path:
        entry = next((kid for kid in entry.kids if kid.name == name), None)
        if entry is None:
            return []
    return list(entry.kids)


def _is_known(encoding: str) -> bool:
    try:
        codecs.lookup(encoding)
    except LookupError:
        return False
    return True
