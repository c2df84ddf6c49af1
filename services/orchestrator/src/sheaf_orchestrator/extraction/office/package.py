"""Zip containers of a stranger, bounded by what they declare and by what they really hold."""

import struct
import zipfile
import zlib
from types import TracebackType
from typing import Final, Self

from sheaf_orchestrator.extraction.bytefile import ByteFile
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.limits import MIB, Limits
from sheaf_orchestrator.extraction.office.refusing import locked
from sheaf_orchestrator.extraction.ole import MAGIC as OLE_MAGIC
from sheaf_orchestrator.extraction.reasons import Reason

_ENCRYPTED_PACKAGE: Final = "EncryptedPackage".encode("utf-16-le")
ENCRYPTED_MESSAGE: Final = (
    "The document is encrypted inside; a password opens no document of this format."
)

_END: Final = b"PK\x05\x06"
_END_WITHIN_BYTES: Final = 22 + 65_535
_END_RECORD: Final = struct.Struct("<4x2x2xHHII")
_ZIP64_SIZE, _ZIP64_ENTRIES = 0xFFFFFFFF, 0xFFFF
_MAX_NAME_BYTES: Final = 1_024
_ENTRY_BYTES: Final = 46
_RATIO_FROM_BYTES: Final = 1 * MIB
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_FLAG_ENCRYPTED: Final = 0x1
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    ValueError,
    KeyError,
    IndexError,
    OverflowError,
)


class Member:
    """One member being unpacked; ``read`` counts what it really has."""

    def __init__(self, package: "Package", stream: "zipfile.ZipExtFile", packed: int) -> None:
        self._package, self._stream, self._packed = package, stream, packed
        self._size = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes, unpacked. Raises ExtractionError: ARCHIVE_LIMIT, DAMAGED."""
        try:
            data: bytes = self._stream.read(size)
        except _BROKEN as error:
            raise _damaged("a member cannot be unpacked") from error
        self._size += len(data)
        self._package.count(len(data), self._size, self._packed)
        return data


class Package:
    """The members of a zip container, read as ``with Package(content, limits) as package``."""

    def __init__(self, content: bytearray | bytes, limits: Limits) -> None:
        """Read the directory. Raises ExtractionError: EMPTY, ENCRYPTED, DAMAGED, ARCHIVE_LIMIT."""
        self._limits = limits
        self._unpacked = 0
        if not len(content):
            raise ExtractionError(Reason.EMPTY, "The file has no bytes.")
        if content[:8] == OLE_MAGIC:
            if content.find(_ENCRYPTED_PACKAGE) >= 0:
                raise locked(None)
            raise _damaged("it is no zip container")
        self._check_directory(content)
        try:
            self._zip = zipfile.ZipFile(ByteFile(content))
        except _BROKEN as error:
            raise _damaged("its zip directory cannot be read") from error
        self._check_members()
        self.names: dict[str, str] = {}
        for info in self._zip.infolist():
            name = info.filename.replace("\\", "/").lstrip("/").lower()
            self.names.setdefault(name, info.filename)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()

    def _check_directory(self, content: bytearray | bytes) -> None:
        """A directory of millions of entries is refused before anything is made of it."""
        at = content.rfind(_END, max(0, len(content) - _END_WITHIN_BYTES))
        if at < 0 or at + 22 > len(content):
            raise _damaged("it is no whole zip container")
        _, entries, size, _ = _END_RECORD.unpack_from(content, at)
        if size == _ZIP64_SIZE or entries == _ZIP64_ENTRIES:  # zip64: its directory ends before
            size = at
        members = self._limits.archive_members
        if size > members * (_ENTRY_BYTES + _MAX_NAME_BYTES) or _ZIP64_ENTRIES > entries > members:
            raise _over(f"it has over {members} members")
        starts = content.count(b"PK\x01\x02")
        if starts > 2 * members and size > members * _ENTRY_BYTES:
            raise _over(f"it has over {members} members")

    def _check_members(self) -> None:
        infos = self._zip.infolist()
        if len(infos) > self._limits.archive_members:
            raise _over(f"it has {len(infos)} members")
        total = 0
        for info in infos:
            total += info.file_size
            self._check_sizes(total, info.file_size, info.compress_size)

    def _check_sizes(self, total: int, size: int, packed: int) -> None:
        limits = self._limits
        if total > limits.archive_bytes:
            raise _over(f"it unpacks to over {limits.archive_bytes // MIB} MiB")
        if size > _RATIO_FROM_BYTES and size > limits.archive_ratio * max(packed, 1):
            raise _over(f"a member grows over {limits.archive_ratio} times when unpacked")

    def count(self, read: int, size: int, packed: int) -> None:
        """Count bytes that were really unpacked. Raises ExtractionError: ARCHIVE_LIMIT."""
        self._unpacked += read
        self._check_sizes(self._unpacked, size, packed)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self.names

    def open(self, name: str) -> Member:
        """The member, whatever the case of its name.

        Raises KeyError if there is none, ExtractionError: ENCRYPTED, DAMAGED.
        """
        info = self._zip.getinfo(self.names[name.lower()])
        if info.flag_bits & _FLAG_ENCRYPTED:
            raise ExtractionError(Reason.ENCRYPTED, ENCRYPTED_MESSAGE)
        if info.compress_type not in _METHODS:
            raise _damaged("a member is packed by a method that its format does not know")
        try:
            return Member(self, self._zip.open(info), info.compress_size)  # type: ignore[arg-type]
        except _BROKEN as error:
            raise _damaged("a member cannot be found") from error
        except RuntimeError as error:
            raise ExtractionError(Reason.ENCRYPTED, ENCRYPTED_MESSAGE) from error

    def read(self, name: str, max_bytes: int) -> bytes:
        """A member of at most ``max_bytes``. Raises as ``open``, and MEMORY_LIMIT if it is more."""
        data = self.open(name).read(max_bytes + 1)
        if len(data) > max_bytes:
            message = f"A part of the document has over {max_bytes // MIB} MiB."
            raise ExtractionError(Reason.MEMORY_LIMIT, message)
        return data


def _damaged(what: str) -> ExtractionError:
    return ExtractionError(Reason.DAMAGED, f"The document is damaged: {what}.")


def _over(what: str) -> ExtractionError:
    return ExtractionError(Reason.ARCHIVE_LIMIT, f"The document's container is too large: {what}.")
