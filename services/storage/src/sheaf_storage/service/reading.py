"""Reading an object, checked against its recorded hash."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from sheaf_common.errors import DataLoss
from sheaf_storage.domain import ByteRange, ObjectInfo
from sheaf_storage.ports import ObjectReader, ObjectStore
from sheaf_storage.service.writes import within_deadline


class Reading:
    """An object that is being read."""

    def __init__(self, reader: ObjectReader, *, checked: bool) -> None:
        self._reader = reader
        self._checked = checked

    @property
    def info(self) -> ObjectInfo:
        """The whole object."""
        return self._reader.info

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The content in order. The time that the consumer takes is not the store's.

        Raises:
            DataLoss: `OBJECT_CORRUPT`, before the last chunk, if the whole object was read
                and is not what was put.
        """
        digest = hashlib.sha256()
        chunk = await within_deadline(self._reader.read())
        while chunk:
            if self._checked:
                digest.update(chunk)
            following = await within_deadline(self._reader.read())
            if not following and self._checked and digest.digest() != self.info.sha256:
                raise DataLoss(
                    "OBJECT_CORRUPT",
                    f"{self.info.key!r} is not what was put",
                    evidence={"key": self.info.key},
                )
            yield chunk
            chunk = following


@asynccontextmanager
async def read(store: ObjectStore, key: str, wanted: ByteRange) -> AsyncIterator[Reading]:
    """Opens a range of an object; leaving the block gives up what was not read."""
    async with AsyncExitStack() as stack:
        reader = await within_deadline(stack.enter_async_context(store.open(key, wanted)))
        yield Reading(reader, checked=wanted.is_whole and bool(reader.info.sha256))
