"""Looking at objects that clients put themselves, before anybody trusts them."""

import hashlib
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from sheaf_common.errors import (
    AlreadyExists,
    Conflict,
    FailedPrecondition,
    InvalidInput,
    NotFound,
)
from sheaf_common.memory import ByteBudget
from sheaf_storage.domain import ByteRange, ObjectInfo, PutOrder, check_key, object_exists
from sheaf_storage.ports import ObjectReader, ObjectStore, PartRef, TypeSniffer, UploadRef
from sheaf_storage.service.presign_rules import check_parts, check_sha256, check_upload
from sheaf_storage.service.putting import PutLimits
from sheaf_storage.service.writes import Writes, within_deadline


class Confirming:
    """Reads objects whole, a chunk at a time, and deletes what a put would have refused.

    Of an object no more than its beginning is held, as much as a put would sniff, in the
    memory of parts.
    """

    def __init__(
        self,
        store: ObjectStore,
        sniffer: TypeSniffer,
        writes: Writes,
        limits: PutLimits,
        memory: ByteBudget,
    ) -> None:
        self._store = store
        self._sniffer = sniffer
        self._writes = writes
        self._limits = limits
        self._memory = memory

    async def confirm(self, order: PutOrder) -> ObjectInfo:
        """Describes an object that may stay; its type is the sniffed one.

        The order says what is accepted. Its hash, if it has one, must be the content's; if
        not, the recorded one must. Only content that was seen to be wrong is deleted.

        Raises:
            InvalidInput: `OBJECT_EMPTY`, `OBJECT_TOO_LARGE`, `CHECKSUM_MISMATCH`,
                `UNSUPPORTED_MEDIA_TYPE`: it is deleted. `KEY_INVALID`, `MAX_SIZE_INVALID`:
                it is not.
            NotFound: `OBJECT_NOT_FOUND`.
            FailedPrecondition: `HASH_NOT_DECLARED`.
            Conflict: `OBJECT_CHANGED`.
        """
        _check(order)
        info = await within_deadline(self._store.head(order.key))
        expected = order.expected_sha256 or info.sha256
        if not expected:
            raise FailedPrecondition(
                "HASH_NOT_DECLARED",
                f"{order.key!r} was put without a hash to check",
                evidence={"key": order.key},
            )
        try:
            order.check_size(info.size_bytes, self._limits.max_object_bytes)
            content_type = await self._look(replace(order, expected_sha256=expected), info)
        except InvalidInput:
            await self._writes.run(self._store.delete_unchanged(info))
            raise
        return replace(info, sha256=expected, content_type=content_type)

    async def complete(
        self, upload: UploadRef, parts: Sequence[PartRef], order: PutOrder
    ) -> ObjectInfo:
        """Makes an object from the parts that a client put, and confirms it.

        Raises:
            InvalidInput: `UPLOAD_ID_INVALID`, `SHA256_INVALID`, `PARTS_INVALID`: the upload
                is still there. As `confirm`: it and the object are gone.
            NotFound: `UPLOAD_NOT_FOUND`, and no object is there either.
            AlreadyExists: `OBJECT_EXISTS`; the upload is aborted.
        """
        check_upload(upload)
        check_parts(parts)
        check_sha256(order.expected_sha256)
        _check(order)
        try:
            await self._writes.run(self._store.complete_upload(upload, parts))
        except AlreadyExists:
            await self._writes.run(self._store.abort_upload(upload))
            await self._expect_same(order)
        except Conflict as gone:
            if gone.reason != "UPLOAD_GONE":
                raise
            await self._expect_same(order)
        return await self.confirm(order)

    async def _expect_same(self, order: PutOrder) -> None:
        """Returns if the object is there that the upload was to make."""
        try:
            found = await within_deadline(self._store.head(order.key))
        except NotFound:
            raise NotFound(
                "UPLOAD_NOT_FOUND",
                f"{order.key!r} has no such upload",
                evidence={"key": order.key},
            ) from None
        if found.sha256 != order.expected_sha256:
            raise object_exists(order.key)

    async def _look(self, order: PutOrder, info: ObjectInfo) -> str:
        """The type of the content, once all of it was read and is accepted."""
        held_bytes = min(info.size_bytes, self._limits.part_size_bytes)
        async with AsyncExitStack() as stack:
            reservation = await self._memory.reserve(held_bytes)
            stack.enter_context(reservation.released())
            opened = stack.enter_async_context(self._store.open(order.key, ByteRange()))
            reader = await within_deadline(opened)
            if reader.info.version != info.version:
                raise Conflict("OBJECT_CHANGED", f"{order.key!r} changed meanwhile")
            digest = hashlib.sha256()
            beginning = bytearray()
            while len(beginning) < held_bytes and (chunk := await _next(reader)):
                digest.update(chunk)
                beginning += chunk
            content_type = await self._sniffer.sniff(beginning, order.filename)
            order.check_content_type(content_type)
            del beginning
            reservation.release()
            while chunk := await _next(reader):
                digest.update(chunk)
            order.check_sha256(digest.digest())
            return content_type


async def _next(reader: ObjectReader) -> bytes:
    return await within_deadline(reader.read())


def _check(order: PutOrder) -> None:
    check_key(order.key)
    if order.max_size_bytes < 0:
        raise InvalidInput("MAX_SIZE_INVALID", "max_size_bytes is negative")
