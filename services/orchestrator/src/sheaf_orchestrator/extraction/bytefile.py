"""A file over bytes that are there already: what libraries for containers ask for."""

import io
from typing import Any


class ByteFile(io.RawIOBase):
    """A seekable file over bytes that are there already, without a copy of them."""

    def __init__(self, content: bytearray | bytes | memoryview) -> None:
        super().__init__()
        self._view = memoryview(content)
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; raises ValueError for a place before the first byte."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._view)}[whence]
        if base + offset < 0:
            raise ValueError("a place before the first byte")
        self._at = base + offset
        return self._at

    def readinto(self, target: Any) -> int:
        """Fill the target with the next bytes, as far as there are any."""
        piece = self._view[self._at : self._at + len(target)]
        target[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes, fewer only at the end."""
        end = len(self._view) if size is None or size < 0 else self._at + size
        data = bytes(self._view[self._at : end])
        self._at += len(data)
        return data

    def close(self) -> None:
        """Let the bytes go."""
        if not self.closed:
            self._view.release()
        super().close()
