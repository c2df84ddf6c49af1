"""The use cases in which the bytes pass through storage, and those over keys."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Final

from sheaf_common.errors import FailedPrecondition, InvalidInput
from sheaf_storage.domain import (
    ByteRange,
    ObjectInfo,
    ObjectPage,
    PutOrder,
    PutOutcome,
    check_key,
    check_prefix,
)
from sheaf_storage.ports import ObjectStore
from sheaf_storage.service.putting import Putting
from sheaf_storage.service.reading import Reading, read
from sheaf_storage.service.recent import SMALL_BYTES, RecentObjects
from sheaf_storage.service.writes import Writes, within_deadline

KEYS_A_CALL: Final = 1000


class BlobService:
    """What callers may do with objects; see the contract."""

    def __init__(
        self, store: ObjectStore, writes: Writes, putting: Putting, recent: RecentObjects
    ) -> None:
        self._store = store
        self._writes = writes
        self._putting = putting
        self._recent = recent

    async def put_whole(self, order: PutOrder, content: bytes) -> PutOutcome:
        """Puts an object that arrived in one message."""
        deletions = self._recent.deletions
        outcome = await self._putting.put_whole(order, content)
        if order.content_type:  # what Sheaf made itself is not processed
            return outcome
        if outcome.created and deletions == self._recent.deletions:
            self._recent.keep(outcome.object, content)
        return outcome

    async def put_stream(self, order: PutOrder, chunks: AsyncIterator[bytes]) -> PutOutcome:
        """Puts an object as it arrives."""
        return await self._putting.put_stream(order, chunks)

    def open(self, key: str, wanted: ByteRange) -> AbstractAsyncContextManager[Reading]:
        """Opens a range of an object for reading.

        Raises:
            InvalidInput: `KEY_INVALID`.
            NotFound: `OBJECT_NOT_FOUND`.
            OutOfRange: `RANGE_NOT_SATISFIABLE`.
        """
        check_key(key)
        return read(self._store, key, wanted)

    async def fetch(self, key: str) -> tuple[ObjectInfo, bytes]:
        """A small object whole, from memory if it was put a moment ago.

        Raises:
            InvalidInput: `KEY_INVALID`.
            NotFound: `OBJECT_NOT_FOUND`.
            FailedPrecondition: `OBJECT_NOT_SMALL`.
            DataLoss: `OBJECT_CORRUPT`.
        """
        check_key(key)
        if (found := self._recent.find(key)) is not None:
            return found
        async with read(self._store, key, ByteRange()) as reading:
            size = reading.info.size_bytes
            if size > SMALL_BYTES:
                raise FailedPrecondition(
                    "OBJECT_NOT_SMALL",
                    f"{key!r} has {size} bytes; at most {SMALL_BYTES} are fetched at once",
                    evidence={"key": key, "size_bytes": str(size)},
                )
            async with aclosing(reading.chunks()) as chunks:
                return reading.info, b"".join([chunk async for chunk in chunks])

    async def head(self, key: str) -> ObjectInfo:
        """Describes an object.

        Raises:
            InvalidInput: `KEY_INVALID`.
            NotFound: `OBJECT_NOT_FOUND`.
        """
        check_key(key)
        return await within_deadline(self._store.head(key))

    async def delete(self, keys: Sequence[str]) -> None:
        """Deletes objects, all or with an error that names those that are left.

        Raises:
            InvalidInput: `KEY_INVALID`, `TOO_MANY_KEYS`.
            Unavailable: `S3_DELETE_INCOMPLETE`.
        """
        if len(keys) > KEYS_A_CALL:
            raise InvalidInput(
                "TOO_MANY_KEYS",
                f"{len(keys)} keys; a call takes {KEYS_A_CALL}",
                evidence={"limit": str(KEYS_A_CALL)},
            )
        for key in keys:
            check_key(key)
        if keys:
            self._recent.delete(keys)
            try:
                await self._writes.run(self._store.delete(keys))
            finally:
                self._recent.delete(keys)  # what was put meanwhile

    async def list(self, prefix: str, *, start_after: str, limit: int) -> ObjectPage:
        """A page of keys; a limit of 0 means 1,000.

        Raises:
            InvalidInput: `KEY_INVALID`, `PAGE_SIZE_INVALID`.
        """
        check_prefix(prefix)
        if start_after:
            check_prefix(start_after)
        if not 0 <= limit <= KEYS_A_CALL:
            raise InvalidInput("PAGE_SIZE_INVALID", f"page_size is not within 0 to {KEYS_A_CALL}")
        listing = self._store.list(prefix, start_after=start_after, limit=limit or KEYS_A_CALL)
        return await within_deadline(listing)

    async def abort_stale_uploads(self, min_age_s: float) -> int:
        """Aborts every unfinished upload that old; returns how many there were.

        Raises:
            InvalidInput: `AGE_INVALID`.
        """
        if min_age_s < 0:
            raise InvalidInput("AGE_INVALID", "min_age is negative")
        aborted = 0
        async for unfinished in self._store.unfinished_uploads():
            if unfinished.age_s >= min_age_s:
                await self._writes.run(self._store.abort_upload(unfinished.upload))
                aborted += 1
        return aborted
