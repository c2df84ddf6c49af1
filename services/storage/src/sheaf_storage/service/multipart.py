"""One multipart upload: completed, or aborted whatever happens."""

import asyncio
import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Final, Self

import structlog

from sheaf_common import context
from sheaf_common.backoff import backoff_s
from sheaf_common.context import RequestContext
from sheaf_common.errors import SheafError, Unavailable
from sheaf_common.memory import Reservation
from sheaf_storage.domain import Bytes
from sheaf_storage.ports import Description, ObjectStore, PartRef, UploadRef
from sheaf_storage.service.writes import Writes, operation_limit_s, within_deadline

log = structlog.get_logger()

_UNDO_S: Final = 60.0
_UNDO_WAIT_S: Final = 1.0
_ABORT_BASE_S: Final = 0.2
_ABORT_LIMIT_S: Final = 5.0


class Upload:
    """Puts parts, a bounded number at once; leaving without `complete` undoes all of it.

    Undoing waits for the writes that still run and then aborts the upload, in a task of its
    own with a deadline of its own: neither the caller's cancellation nor its deadline ends
    it early. What it cannot do in time is left to AbortStaleUploads.
    """

    def __init__(
        self,
        store: ObjectStore,
        writes: Writes,
        key: str,
        description: Description,
        parts_in_flight: int,
    ) -> None:
        self.description = description
        self._store = store
        self._writes = writes
        self._begin: asyncio.Task[UploadRef] = writes.start(store.begin_upload(key, description))
        self._slots = asyncio.Semaphore(parts_in_flight)
        self._parts: list[asyncio.Task[PartRef]] = []
        self._completed = False
        self._completion: asyncio.Task[datetime | None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._completed:
            return
        undoing = self._writes.start(self._undo())
        if not isinstance(error, asyncio.CancelledError):
            wait_s = min(_UNDO_WAIT_S, operation_limit_s() / 2)
            await asyncio.wait({undoing}, timeout=wait_s)

    async def add(self, content: Bytes, reservation: Reservation) -> None:
        """Takes the next part and puts it; waits while too many are on their way.

        The reservation is released when the part is put, or could not be.

        Raises:
            Unavailable: `S3_UNAVAILABLE`, the parts before it were not put in time.
            SheafError: what made the upload's beginning or an earlier part fail.
        """
        try:
            upload = await self._writes.outcome(self._begin)
            await within_deadline(self._slots.acquire())
            self._raise_failure()
        except BaseException:
            reservation.release()
            raise
        number = len(self._parts) + 1
        self._parts.append(self._writes.start(self._put(upload, number, content, reservation)))

    async def complete(self) -> datetime | None:
        """Creates the object; the time is the store's, if it says.

        Raises:
            AlreadyExists: `OBJECT_EXISTS`, the key is taken.
            SheafError: what made a part fail.
        """
        upload = await self._writes.outcome(self._begin)
        parts = [await self._writes.outcome(part) for part in self._parts]
        self._completion = self._writes.start(self._store.complete_upload(upload, parts))
        answer = await self._writes.outcome(self._completion)
        self._completed = True
        return answer

    async def _put(
        self, upload: UploadRef, number: int, content: Bytes, reservation: Reservation
    ) -> PartRef:
        with reservation.released():
            try:
                return await self._store.put_part(upload, number, content)
            finally:
                self._slots.release()

    def _raise_failure(self) -> None:
        for part in self._parts:
            if part.done():
                part.result()

    async def _undo(self) -> None:
        running = [*self._parts, *([self._completion] if self._completion else [])]
        with _undoing():
            async with asyncio.timeout(_UNDO_S):
                await asyncio.wait({self._begin, *running})
                if self._completion is None or self._completion.exception() is not None:
                    await _abort(self._store, self._begin)


async def undo_beginning(store: ObjectStore, begin: "asyncio.Task[UploadRef]") -> None:
    """Aborts an upload that nobody will know of, once its beginning has ended.

    It has a deadline of its own; what it cannot do in time is left to AbortStaleUploads.
    """
    with _undoing():
        async with asyncio.timeout(_UNDO_S):
            await asyncio.wait({begin})
            await _abort(store, begin)


@contextmanager
def _undoing() -> Iterator[None]:
    """Binds a deadline of its own for the block, which fails with a log entry only."""
    request = context.current()
    request_id = request.request_id if request else context.new_request_id()
    with context.bound(RequestContext(request_id, deadline=time.monotonic() + _UNDO_S)):
        try:
            yield
        except (SheafError, TimeoutError) as error:
            log.warning("an unfinished upload was left to the sweep", error=repr(error))


async def _abort(store: ObjectStore, begin: "asyncio.Task[UploadRef]") -> None:
    """Aborts, until it succeeds, an upload that was begun, if it was."""
    if begin.cancelled() or begin.exception() is not None:
        return
    for tries in itertools.count():
        try:
            await store.abort_upload(begin.result())
            break
        except Unavailable as error:
            log.info("aborting an upload is tried again", error=str(error))
            await asyncio.sleep(backoff_s(tries, base_s=_ABORT_BASE_S, limit_s=_ABORT_LIMIT_S))
