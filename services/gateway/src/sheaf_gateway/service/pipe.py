"""Hands content from the parser to the put that sends it, one piece at a time."""

import asyncio
from collections.abc import AsyncIterator

from sheaf_common.errors import SheafError


class ContentPipe:
    """One writer, one reader, at most one piece between them: the slower sets the pace."""

    def __init__(self) -> None:
        self._piece: bytes | None = None
        self._ended = False
        self._reader_gone = False
        self._failure: SheafError | None = None
        self._changed = asyncio.Event()

    async def write(self, piece: bytes) -> None:
        """Hands over the next bytes once the ones before are taken.

        Bytes that nobody reads any longer are dropped: whoever read them knows why.
        """
        while self._piece is not None and not self._reader_gone:
            await self._change()
        self._piece = piece
        self._changed.set()

    def end(self) -> None:
        """The content is complete."""
        self._ended = True
        self._changed.set()

    def fail(self, failure: SheafError) -> None:
        """The content breaks off: the reader gets `failure`, unless it has read to the end."""
        self._failure = failure
        self._changed.set()

    def reader_gone(self) -> None:
        """Nobody reads any longer."""
        self._reader_gone = True
        self._changed.set()

    async def content(self) -> AsyncIterator[bytes]:
        """The bytes as they come. Raises what `fail` was given."""
        while self._failure is None:
            if self._piece is not None:
                piece, self._piece = self._piece, None
                self._changed.set()
                yield piece
            elif self._ended:
                return
            else:
                await self._change()
        raise self._failure

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
