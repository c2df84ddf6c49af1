"""The end of a subprocess's standard error."""

import asyncio
import os

_CHUNK_BYTES = 64 * 1024


class Tail:
    """Reads a pipe as it fills and keeps its last bytes; owns the descriptor."""

    def __init__(self, fd: int, keep_bytes: int) -> None:
        self._fd, self._keep_bytes = fd, keep_bytes
        self._kept = b""
        self._open = True
        os.set_blocking(fd, False)
        asyncio.get_running_loop().add_reader(fd, self._read)

    def _read(self) -> bool:
        """Take one chunk; False when there is none."""
        try:
            chunk = os.read(self._fd, _CHUNK_BYTES)
        except BlockingIOError:
            return False
        if not chunk:
            asyncio.get_running_loop().remove_reader(self._fd)
            return False
        self._kept = (self._kept + chunk)[-self._keep_bytes :]
        return True

    def close(self) -> str:
        """Take what is left (bounded by the pipe's own size), close, and give the text."""
        if self._open:
            for _ in range(64):
                if not self._read():
                    break
            self._open = False
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
        return self._kept.decode("utf-8", "replace").strip()
