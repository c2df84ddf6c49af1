"""The files of an upload, read in pieces from wherever they are."""

import asyncio
import io
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, Protocol, TypeAlias, cast

from sheaf_client.errors import FileChanged

PIECE_BYTES: Final = 256 * 1024

Content: TypeAlias = bytes | bytearray | memoryview | os.PathLike[str] | BinaryIO | Iterable[bytes]
AsyncContent: TypeAlias = Content | AsyncIterable[bytes]
File: TypeAlias = str | os.PathLike[str] | tuple[str, Content]
"""A path; or a name with the content: bytes, a path, an open binary file (which stays the
caller's and is read from where it stands), or an iterable of bytes."""
AsyncFile: TypeAlias = str | os.PathLike[str] | tuple[str, AsyncContent]
"""A `File`, or a name with an async iterable of bytes."""


class Source(Protocol):
    """One file of an upload."""

    name: str
    size_bytes: int | None
    """None if it is not known before it is read."""

    @property
    def is_spent(self) -> bool:
        """Whether it has been read, and cannot be read again."""

    def pieces(self) -> Iterator[bytes]:
        """Its bytes from the beginning. Raises OSError, and FileChanged if it became shorter."""

    def pieces_async(self) -> AsyncIterator[bytes]:
        """As `pieces`, without blocking."""


class _Blocking(ABC):
    """A source that is read blocking; in a thread where that must not be."""

    @property
    def is_spent(self) -> bool:
        return False

    @abstractmethod
    def pieces(self) -> Iterator[bytes]: ...

    async def pieces_async(self) -> AsyncIterator[bytes]:
        pieces = self.pieces()
        while piece := await asyncio.to_thread(next, pieces, b""):
            yield piece


class BytesSource(_Blocking):
    """What is in memory already."""

    def __init__(self, name: str, content: bytes | bytearray | memoryview) -> None:
        self.name = name
        self._content = memoryview(content).cast("B")
        self.size_bytes: int | None = len(self._content)

    def pieces(self) -> Iterator[bytes]:
        """See `Source`."""
        for first in range(0, len(self._content), PIECE_BYTES):
            yield bytes(self._content[first : first + PIECE_BYTES])

    async def pieces_async(self) -> AsyncIterator[bytes]:
        """See `Source`: nothing here blocks."""
        for piece in self.pieces():
            yield piece


class PathSource(_Blocking):
    """A file that is opened when it is its turn, anew each time."""

    def __init__(self, name: str, path: Path) -> None:
        """Raises OSError if it is not there or is a folder."""
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(f"{path} is a folder: upload_many() takes those")
        self.name = name
        self._path = path
        self._is_pipe = not stat.S_ISREG(found.st_mode)
        self._is_read = False
        self.size_bytes = None if self._is_pipe else found.st_size

    @property
    def is_spent(self) -> bool:
        """See `Source`."""
        return self._is_pipe and self._is_read

    def pieces(self) -> Iterator[bytes]:
        """See `Source`."""
        self._is_read = True
        with self._path.open("rb", buffering=0) as file:
            yield from _read(file, self.size_bytes, self.name)


class FileSource(_Blocking):
    """An open file, from where it stands; the caller's."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        self.name = name
        self._file = file
        self._first: int | None = None
        self._is_read = False
        self.size_bytes: int | None = None
        if file.seekable():
            self._first = file.tell()
            self.size_bytes = max(0, file.seek(0, io.SEEK_END) - self._first)
            file.seek(self._first)

    @property
    def is_spent(self) -> bool:
        """See `Source`."""
        return self._is_read and self._first is None

    def pieces(self) -> Iterator[bytes]:
        """See `Source`."""
        self._is_read = True
        if self._first is not None:
            self._file.seek(self._first)
        yield from _read(self._file, self.size_bytes, self.name)


class IterableSource(_Blocking):
    """Bytes as they come; a list or a tuple of them can be read again."""

    def __init__(self, name: str, content: Iterable[bytes]) -> None:
        self.name = name
        self._content = content
        self._is_read = False
        self.size_bytes: int | None = None

    @property
    def is_spent(self) -> bool:
        """See `Source`."""
        return self._is_read and isinstance(self._content, Iterator)

    def pieces(self) -> Iterator[bytes]:
        """See `Source`."""
        self._is_read = True
        for piece in self._content:
            if piece := _checked(piece, self.name):
                yield piece


class AsyncIterableSource:
    """Bytes as they come, without blocking: for the asynchronous client."""

    def __init__(self, name: str, content: AsyncIterable[bytes]) -> None:
        self.name = name
        self._content = content
        self._is_read = False
        self.size_bytes: int | None = None

    @property
    def is_spent(self) -> bool:
        """See `Source`."""
        return self._is_read and isinstance(self._content, AsyncIterator)

    def pieces(self) -> Iterator[bytes]:
        """There are none: TypeError."""
        raise TypeError(f"{self.name}: an async iterable needs the AsyncClient")

    async def pieces_async(self) -> AsyncIterator[bytes]:
        """See `Source`."""
        self._is_read = True
        async for piece in self._content:
            if piece := _checked(piece, self.name):
                yield piece


def source_of(file: AsyncFile) -> Source:
    """What is read of a file. Raises OSError, TypeError if it is nothing that can be sent."""
    if isinstance(file, str | os.PathLike):
        path = Path(file)
        return PathSource(path.name, path)
    name, content = file
    if isinstance(content, bytes | bytearray | memoryview):
        return BytesSource(name, content)
    if isinstance(content, str | io.TextIOBase):
        raise TypeError(f"{name}: the content is text, not bytes")
    if isinstance(content, os.PathLike):
        return PathSource(name, Path(content))
    if hasattr(content, "read"):
        return FileSource(name, cast("BinaryIO", content))
    if isinstance(content, AsyncIterable):
        return AsyncIterableSource(name, content)
    if isinstance(content, Iterable):
        return IterableSource(name, content)
    raise TypeError(f"{name}: {type(content).__name__} cannot be sent as a file")


def _read(file: BinaryIO | io.RawIOBase, size_bytes: int | None, name: str) -> Iterator[bytes]:
    """As many bytes as were announced; what was written to it since is not sent."""
    left = size_bytes
    while left is None or left > 0:
        wanted = PIECE_BYTES if left is None else min(left, PIECE_BYTES)
        piece = _checked(file.read(wanted) or b"", name)
        if not piece:
            if left:
                raise FileChanged(f"{name} became shorter while it was sent")
            return
        left = None if left is None else left - len(piece)
        yield piece


def _checked(piece: object, name: str) -> bytes:
    if not isinstance(piece, bytes | bytearray | memoryview):
        raise TypeError(f"{name}: gave {type(piece).__name__}, not bytes: open it in binary mode")
    return bytes(piece)
