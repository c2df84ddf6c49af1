"""OLE compound files (legacy Office, MSG): what stands at their root, without a copy of them."""

import io
from typing import Any, Final

import olefile

from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.reasons import Reason

MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class Buffer(io.RawIOBase):
    """A file over a buffer that stays where it is."""

    def __init__(self, content: bytes | bytearray | memoryview) -> None:
        super().__init__()
        self._view, self._position = memoryview(content), 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As for any file."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self._view)}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """As for any file."""
        return self._position

    def readinto(self, target: Any) -> int:
        """As for any file."""
        piece = self._view[self._position : self._position + len(target)]
        target[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def close(self) -> None:
        """Let the buffer go."""
        if not self.closed:
            self._view.release()
        super().close()


def open_ole(content: bytes | bytearray) -> olefile.OleFileIO:
    """The container; the caller closes it. Raises ExtractionError: DAMAGED."""
    try:
        return olefile.OleFileIO(io.BufferedReader(Buffer(content)))
    except (OSError, ValueError, IndexError, RecursionError, OverflowError) as error:
        raise ExtractionError(
            Reason.DAMAGED, "The container of the file (OLE) is damaged and cannot be opened."
        ) from error


def root_names(content: bytes | bytearray) -> frozenset[str]:
    """The names at the container's root, in lower case. Raises ExtractionError: DAMAGED."""
    with open_ole(content) as container:
        return frozenset(entry.name.lower() for entry in container.root.kids)
