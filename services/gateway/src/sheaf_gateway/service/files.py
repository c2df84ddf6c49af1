"""One file of an upload on its way to storage."""

import asyncio
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

from sheaf_common.errors import InvalidInput, SheafError
from sheaf_gateway.domain.checking import clean_filename, shown_filename
from sheaf_gateway.domain.object_keys import object_key
from sheaf_gateway.domain.uploads import AcceptedFile, FileOutcome, RejectedFile, StoredObject
from sheaf_gateway.service.admission import ByteBudget
from sheaf_gateway.service.pipe import ContentPipe
from sheaf_gateway.service.puts import Putter
from sheaf_gateway.service.slots import PutSlots
from sheaf_gateway.settings import UploadSettings


class FilePart:
    """A file on its way to storage.

    Small ones are held until complete and stored beside the parsing of the next; larger
    ones, and those for which there is no memory, stream through as they arrive. A file's
    own fault becomes its outcome; a failure of storage is raised by the slots.
    """

    def __init__(
        self,
        document_id: UUID,
        filename: str | None,
        *,
        putter: Putter,
        slots: PutSlots,
        budget: ByteBudget,
        limits: UploadSettings,
    ) -> None:
        self.key = object_key(document_id)
        self.may_be_stored = False
        self._document_id = document_id
        self._putter = putter
        self._slots = slots
        self._budget = budget
        self._limits = limits
        self._size = 0
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._pipe: ContentPipe | None = None
        self._stored: StoredObject | None = None
        self._rejection: SheafError | None = None
        try:
            self._filename = clean_filename(filename)
        except InvalidInput as error:
            self._filename = shown_filename(filename)
            self._rejection = error

    async def write(self, piece: bytes) -> None:
        """Takes the next bytes; waits while storage is slower than the client."""
        self._size += len(piece)
        if self._rejection is not None:
            return
        if self._size > self._limits.max_file_bytes:
            self.abandon(_too_large(self._limits.max_file_bytes))
        elif self._pipe is not None:
            await self._pipe.write(piece)
        elif self._may_hold(len(piece)):
            self._held.append(piece)
        else:
            await self._begin_stream(piece)

    async def end(self) -> None:
        """The content is complete; returns once storing it has a place."""
        if self._rejection is not None:
            return
        if self._size == 0:
            self._rejection = InvalidInput("FILE_EMPTY", "the file is empty")
        elif self._pipe is not None:
            self._pipe.end()
        else:
            await self._slots.free()
            content = b"".join(self._held)
            self._held.clear()
            put = self._run(self._putter.put_whole(self.key, self._filename, content))
            put.add_done_callback(lambda _: self._give_back())

    def abandon(self, error: SheafError) -> None:
        """Gives the file up because of `error`; of a put that still streams nothing stays."""
        if self._rejection is None:
            self._rejection = error
        if self._pipe is not None:
            self._pipe.fail(error)
        elif self._held:
            self._held.clear()
            self._give_back()

    def outcome(self) -> FileOutcome:
        """What became of the file, once its put has ended."""
        if self._rejection is not None:
            return RejectedFile(self._filename, self._rejection)
        if self._stored is None:
            raise AssertionError("the file has no outcome yet")
        return AcceptedFile(self._document_id, self._filename, self._stored)

    def _may_hold(self, count: int) -> bool:
        may = self._size <= self._limits.small_file_bytes and self._budget.try_take(count)
        self._held_bytes += count if may else 0
        return may

    async def _begin_stream(self, piece: bytes) -> None:
        await self._slots.free()
        pipe = self._pipe = ContentPipe()
        put = self._run(self._putter.put_stream(self.key, self._filename, pipe.content()))
        put.add_done_callback(lambda _: pipe.reader_gone())
        held = [*self._held, piece]
        self._held.clear()
        try:
            for part in held:
                await pipe.write(part)
        finally:
            self._give_back()

    def _run(self, put: Coroutine[Any, Any, StoredObject]) -> asyncio.Task[None]:
        self.may_be_stored = True
        return self._slots.run(self._store(put))

    async def _store(self, put: Coroutine[Any, Any, StoredObject]) -> None:
        try:
            self._stored = await put
        except SheafError as error:
            own_fault = isinstance(error, InvalidInput) or error is self._rejection
            if not own_fault:
                raise
            self.may_be_stored = False
            self._rejection = self._rejection or error

    def _give_back(self) -> None:
        self._budget.give_back(self._held_bytes)
        self._held_bytes = 0


def _too_large(limit_bytes: int) -> InvalidInput:
    return InvalidInput(
        "FILE_TOO_LARGE",
        f"the file is larger than {limit_bytes} bytes",
        evidence={"limit_bytes": str(limit_bytes)},
    )
