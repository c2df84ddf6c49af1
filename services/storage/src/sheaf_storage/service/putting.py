"""Putting an object: hashed, typed, create-only, and nothing left behind on failure."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sheaf_common.errors import AlreadyExists, Conflict, NotFound
from sheaf_common.memory import ByteBudget, Reservation
from sheaf_storage.domain import (
    CHUNK_BYTES,
    ByteRange,
    Bytes,
    ObjectInfo,
    PutOrder,
    PutOutcome,
    object_exists,
)
from sheaf_storage.ports import Description, ObjectStore, TypeSniffer
from sheaf_storage.service.multipart import Upload
from sheaf_storage.service.writes import Writes, within_deadline

_HASH_IN_LOOP_BYTES: Final = 2 * CHUNK_BYTES
"""Hashing so much takes less than handing it to a thread and back is worth."""


@dataclass(frozen=True, slots=True)
class PutLimits:
    """The service's own bounds."""

    max_object_bytes: int
    part_size_bytes: int
    parts_in_flight: int


class _Part:
    """The part being filled, and the memory reserved for it."""

    def __init__(self, reservation: Reservation, size_bytes: int) -> None:
        self.content = bytearray()
        self.reservation = reservation
        self._size = size_bytes

    @property
    def is_full(self) -> bool:
        return len(self.content) >= self._size

    def take(self, view: memoryview) -> int:
        """Takes as much of the view as fits and returns how much that was."""
        taken = view[: self._size - len(self.content)]
        self.content += taken
        return len(taken)


class Putting:
    """Puts of one message, and streamed ones; see the contract's PutObject."""

    def __init__(
        self,
        store: ObjectStore,
        sniffer: TypeSniffer,
        writes: Writes,
        limits: PutLimits,
        messages: ByteBudget,
        parts: ByteBudget,
    ) -> None:
        self._store = store
        self._sniffer = sniffer
        self._writes = writes
        self._limits = limits
        self._messages = messages
        self._part_budget = parts

    async def put_whole(self, order: PutOrder, content: bytes) -> PutOutcome:
        """Puts an object that is in memory already."""
        if len(content) > self._limits.part_size_bytes:
            return await self.put_stream(order, _once(content))
        order.check()
        order.check_size(len(content), self._limits.max_object_bytes)
        reservation = await self._messages.reserve(len(content))
        with reservation.released():
            sha256 = await _sha256(content)
            return await self._store_whole(order, content, sha256, reservation.transfer())

    async def put_stream(self, order: PutOrder, chunks: AsyncIterator[bytes]) -> PutOutcome:
        """Puts an object as it arrives; nothing is stored before its type is accepted."""
        order.check()
        digest = hashlib.sha256()
        size = 0
        upload: Upload | None = None
        async with AsyncExitStack() as stack:
            part = await self._new_part()

            def give_up_part() -> None:
                part.reservation.release()

            stack.callback(give_up_part)
            async for chunk in chunks:
                size += len(chunk)
                order.check_not_larger(size, self._limits.max_object_bytes)
                digest.update(chunk)
                view = memoryview(chunk)
                while view:
                    if part.is_full:
                        if upload is None:
                            upload = await stack.enter_async_context(
                                await self._begin(order, part.content)
                            )
                        await upload.add(part.content, part.reservation.transfer())
                        part = await self._new_part()
                    view = view[part.take(view) :]
            if upload is None:
                order.check_size(size, self._limits.max_object_bytes)
                return await self._store_whole(
                    order, part.content, digest.digest(), part.reservation.transfer()
                )
            await upload.add(part.content, part.reservation.transfer())
            return await self._complete(order, upload, size, digest.digest())

    async def _begin(self, order: PutOrder, first_part: Bytes) -> Upload:
        description = Description(
            await self._type_of(order, first_part), order.expected_sha256 or None
        )
        return Upload(
            self._store, self._writes, order.key, description, self._limits.parts_in_flight
        )

    async def _complete(
        self, order: PutOrder, upload: Upload, size: int, sha256: bytes
    ) -> PutOutcome:
        order.check_sha256(sha256)
        try:
            modified_at = await upload.complete()
        except AlreadyExists:
            return await self._existing(order.key, size, sha256)
        content_type = upload.description.content_type
        stored = ObjectInfo(order.key, size, sha256, content_type, modified_at)
        return PutOutcome(stored, created=True)

    async def _store_whole(
        self, order: PutOrder, content: Bytes, sha256: bytes, reservation: Reservation
    ) -> PutOutcome:
        with reservation.released():
            order.check_sha256(sha256)
            content_type = await self._type_of(order, content)
            put = self._put(
                order.key, content, Description(content_type, sha256), reservation.transfer()
            )
        try:
            modified_at = await self._writes.run(put)
        except AlreadyExists:
            return await self._existing(order.key, len(content), sha256)
        stored = ObjectInfo(order.key, len(content), sha256, content_type, modified_at)
        return PutOutcome(stored, created=True)

    async def _put(
        self, key: str, content: Bytes, description: Description, reservation: Reservation
    ) -> datetime | None:
        with reservation.released():
            return await self._store.put(key, content, description)

    async def _existing(self, key: str, size: int, sha256: bytes) -> PutOutcome:
        """Compares what is stored under a key that is taken."""
        try:
            found = await within_deadline(self._store.head(key))
            if found.size_bytes != size:
                raise object_exists(key)
            recorded = found.sha256 or await self._sha256_of(key)
        except NotFound:
            raise Conflict(
                "OBJECT_CHANGED", f"{key!r} was taken and is gone", evidence={"key": key}
            ) from None
        if recorded != sha256:
            raise object_exists(key)
        return PutOutcome(replace(found, sha256=sha256), created=False)

    async def _sha256_of(self, key: str) -> bytes:
        digest = hashlib.sha256()
        async with AsyncExitStack() as stack:
            opened = stack.enter_async_context(self._store.open(key, ByteRange()))
            reader = await within_deadline(opened)
            while chunk := await within_deadline(reader.read()):
                digest.update(chunk)
        return digest.digest()

    async def _type_of(self, order: PutOrder, content: Bytes) -> str:
        content_type = order.content_type or await self._sniffer.sniff(content, order.filename)
        order.check_content_type(content_type)
        return content_type

    async def _new_part(self) -> _Part:
        size = self._limits.part_size_bytes
        return _Part(await self._part_budget.reserve(size), size)


async def _sha256(content: bytes) -> bytes:
    if len(content) <= _HASH_IN_LOOP_BYTES:
        return hashlib.sha256(content).digest()
    return (await asyncio.to_thread(hashlib.sha256, content)).digest()


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
