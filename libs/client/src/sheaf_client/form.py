"""A multipart form that is made as it is sent: nothing of a file stays in memory."""

import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from sheaf_client.sources import Source

OnProgress: TypeAlias = Callable[[int, int | None], object]
"""Called with the bytes of all files that were handed to the network, and how many there are
in all, which is None if that is not known."""

_ESCAPES: Final = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class Form:
    """The fields and files of one upload. It may be sent again if each source can be read again.

    What is given is not owned: open files stay open.
    """

    def __init__(
        self,
        fields: Mapping[str, str],
        sources: Sequence[Source],
        on_progress: OnProgress | None = None,
    ) -> None:
        self._boundary = secrets.token_hex(16)
        self._sources = sources
        self._on_progress = on_progress
        self._fields = b"".join(
            self._head(name) + _encoded(value) + b"\r\n" for name, value in fields.items()
        )
        self._heads = [self._head("files", source.name) for source in sources]
        self._end = f"--{self._boundary}--\r\n".encode("ascii")

    @property
    def headers(self) -> dict[str, str]:
        """Content-Type, and Content-Length if every file's size is known."""
        headers = {"Content-Type": f"multipart/form-data; boundary={self._boundary}"}
        if (files_bytes := self.files_bytes) is not None:
            framing = sum(len(head) + 2 for head in self._heads) + len(self._fields + self._end)
            headers["Content-Length"] = str(framing + files_bytes)
        return headers

    @property
    def files_bytes(self) -> int | None:
        """The size of all files, None if one does not tell its own."""
        sizes = [source.size_bytes for source in self._sources]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    @property
    def spent(self) -> Source | None:
        """A file that has been read and cannot be read again: then nothing can be sent again."""
        return next((source for source in self._sources if source.is_spent), None)

    def pieces(self) -> Iterator[bytes]:
        """The body, read as it is taken. Raises OSError and FileChanged."""
        sent = 0
        yield self._fields
        for head, source in zip(self._heads, self._sources, strict=True):
            yield head
            for piece in source.pieces():
                yield piece
                sent = self._advanced(sent, piece)
            yield b"\r\n"
        yield self._end

    async def pieces_async(self) -> AsyncIterator[bytes]:
        """As `pieces`, without blocking."""
        sent = 0
        yield self._fields
        for head, source in zip(self._heads, self._sources, strict=True):
            yield head
            async for piece in source.pieces_async():
                yield piece
                sent = self._advanced(sent, piece)
            yield b"\r\n"
        yield self._end

    def _advanced(self, sent: int, piece: bytes) -> int:
        sent += len(piece)
        if self._on_progress is not None:
            self._on_progress(sent, self.files_bytes)
        return sent

    def _head(self, name: str, filename: str | None = None) -> bytes:
        head = f'--{self._boundary}\r\nContent-Disposition: form-data; name="{name}"'
        if filename is not None:
            head += f'; filename="{filename.translate(_ESCAPES)}"'
            head += "\r\nContent-Type: application/octet-stream"
        return _encoded(head + "\r\n\r\n")


def _encoded(text: str) -> bytes:
    """As UTF-8; what no text has, as in the name of a file from another system, becomes `?`."""
    return text.encode("utf-8", errors="replace")
