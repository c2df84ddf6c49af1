"""The OLE container of the binary Office formats, its properties and the files inside it."""

import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self

import msgspec
import olefile

from sheaf_orchestrator.extraction.bytefile import ByteFile
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.office.ole_properties import SUMMARY, read_summary
from sheaf_orchestrator.extraction.office.reading import Reading
from sheaf_orchestrator.extraction.office.refusing import locked
from sheaf_orchestrator.extraction.ole import MAGIC as OLE_MAGIC
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import Metadata

PARSING_ERRORS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""What the libraries for binary formats raise on content that they do not expect."""
_WHOLE: Final = {
    "WordDocument": ".doc",
    "Workbook": ".xls",
    "Book": ".xls",
    "PowerPoint Document": ".ppt",
}
NATIVE: Final = "\x01Ole10Native"
_INNER: Final = ("Package", "CONTENTS", "EmbeddedOdf")


class Container:
    """The streams of an OLE file, read as ``with Container(content) as container``."""

    def __init__(self, content: bytearray | bytes) -> None:
        """Read the directory. Raises ExtractionError: EMPTY, DAMAGED, ENCRYPTED."""
        if not len(content):
            raise ExtractionError(Reason.EMPTY, "The file has no bytes.")
        if content[:8] != OLE_MAGIC:
            raise ExtractionError(Reason.DAMAGED, "The document is damaged: it is no OLE file.")
        self._limit = len(content)
        try:
            self._ole: Any = olefile.OleFileIO(ByteFile(content))
            encrypted = self._ole.exists("EncryptedPackage")
        except PARSING_ERRORS as error:
            raise damaged("its OLE directory cannot be read") from error
        if encrypted:
            self._ole.close()
            raise locked(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ole.close()

    def has(self, name: str) -> bool:
        """Whether there is such a stream."""
        return bool(self._ole.exists(name))

    def read(self, name: str) -> bytes:
        """A stream; empty if there is none. Raises ExtractionError: DAMAGED."""
        try:
            if not self._ole.exists(name) or self._ole.get_size(name) > self._limit:
                return b""
            with self._ole.openstream(name) as stream:
                data: bytes = stream.read()
        except PARSING_ERRORS as error:
            raise damaged(f"its stream {name!r} cannot be read") from error
        return data

    def properties(self, *, encrypted: bool = False) -> Metadata:
        """What the document says about itself; unreadable values are null."""
        try:
            metadata = read_summary(self.read(SUMMARY))
        except ExtractionError:  # its stream is damaged: not worth the document
            metadata = Metadata()
        return msgspec.structs.replace(metadata, encrypted=encrypted)

    def streams(self) -> list[list[str]]:
        """The path of each stream."""
        paths: list[list[str]] = self._ole.listdir()
        return paths


def damaged(what: str) -> ExtractionError:
    """The error for content that cannot be what it should be."""
    return ExtractionError(Reason.DAMAGED, f"The document is damaged: {what}.")


def embedded_files(data: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """The files in an embedded object, by name; what is no file (an equation, …) is left out.

    Raises ExtractionError: DAMAGED.
    """
    if data[:8] != OLE_MAGIC:
        return
    stem = name.rpartition(".")[0] or name
    with Container(data) as container:
        native = container.read(NATIVE)
        if native and (file := _native(native)):
            yield file
            return
        for stream in _INNER:
            if content := container.read(stream):
                yield stem + _suffix(content), content
                return
        for stream, suffix in _WHOLE.items():
            if container.has(stream):
                yield stem + suffix, data
                return


def _suffix(content: bytes) -> str:
    if content.startswith(b"%PDF"):
        return ".pdf"
    if content.startswith(b"PK\x03\x04"):
        head = content[:4096]
        for sign, suffix in ((b"word/", ".docx"), (b"xl/", ".xlsx"), (b"ppt/", ".pptx")):
            if sign in head:
                return suffix
        return ".zip"
    return ".bin"


def packaged(data: bytes) -> list[tuple[str, bytes]]:
    """The file in an object of the Packager, if it can be read."""
    file = _native(data, 2)
    return [] if file is None else [file]


def _native(stream: bytes, at: int = 6) -> tuple[str, bytes] | None:
    """The file in a stream of the Packager: label, path, temporary path, then its bytes."""
    try:
        label, at = _terminated(stream, at)
        _, at = _terminated(stream, at)
        at += 8
        _, at = _terminated(stream, at)
        (size,) = struct.unpack_from("<I", stream, at)
    except (struct.error, ValueError):
        return None
    content = stream[at + 4 : at + 4 + size]
    if not content or len(content) < size:
        return None
    return label.replace("\\", "/").rpartition("/")[2], content


def _terminated(stream: bytes, at: int) -> tuple[str, int]:
    end = stream.index(b"\0", at)
    return stream[at:end].decode("cp1252", "replace"), end + 1


def attach_pool(container: Container, reading: Reading) -> None:
    """Keep the files that were embedded into a document of Word or Excel."""
    seen: set[str] = set()
    for path in container.streams():
        if len(path) < 2 or path[-1] not in {NATIVE, *_INNER}:  # noqa: PLR2004 # below a storage
            continue
        data = container.read("/".join(path))
        storage = path[-2]
        if storage in seen or not data:
            continue
        seen.add(storage)
        file = _native(data) if path[-1] == NATIVE else (storage.strip("_") + _suffix(data), data)
        if file is not None:
            reading.attach(*file)
