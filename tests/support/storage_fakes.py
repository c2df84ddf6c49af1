"""An object store in memory, which can be made to wait or to fail at any operation."""

import asyncio
import hashlib
import itertools
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sheaf.storage.v1 import storage_pb2
from sheaf_common.errors import Conflict, InvalidInput
from sheaf_storage.domain import (
    CHUNK_BYTES,
    ByteRange,
    Bytes,
    ObjectInfo,
    ObjectPage,
    object_exists,
    object_not_found,
)
from sheaf_storage.ports import (
    Description,
    ObjectReader,
    PartRef,
    UnfinishedUpload,
    UploadRef,
)


@dataclass(frozen=True, slots=True)
class Stored:
    """An object of the fake."""

    content: bytes
    description: Description
    modified_at: datetime


@dataclass
class FakeReader:
    """`ObjectReader` over bytes."""

    info: ObjectInfo
    rest: bytes

    async def read(self) -> bytes:
        """The next chunk."""
        chunk, self.rest = self.rest[:CHUNK_BYTES], self.rest[CHUNK_BYTES:]
        return chunk


@dataclass
class FakeStore:
    """`ObjectStore` in memory.

    `failures[operation]` are raised by its next calls; while `gates[operation]` is there and
    not set, calls wait for it. `calls` names every operation in the order of arrival.
    """

    objects: dict[str, Stored] = field(default_factory=dict)
    uploads: dict[UploadRef, dict[int, bytes]] = field(default_factory=dict)
    begun: dict[UploadRef, tuple[Description, datetime]] = field(default_factory=dict)
    failures: defaultdict[str, deque[Exception]] = field(default_factory=lambda: defaultdict(deque))
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
    _ids: "itertools.count[int]" = field(default_factory=itertools.count)

    async def put(self, key: str, content: Bytes, description: Description) -> datetime | None:
        """See `ObjectStore`."""
        await self._enter("put")
        return self._create(key, bytes(content), description)

    async def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore`."""
        await self._enter("head")
        return self._info(key)

    @asynccontextmanager
    async def open(self, key: str, wanted: ByteRange) -> AsyncIterator[ObjectReader]:
        """See `ObjectStore`."""
        await self._enter("open")
        info = self._info(key)
        start, stop = wanted.resolve(info.size_bytes)
        yield FakeReader(info, self.objects[key].content[start:stop])

    async def delete(self, keys: Sequence[str]) -> None:
        """See `ObjectStore`."""
        await self._enter("delete")
        for key in keys:
            self.objects.pop(key, None)

    async def delete_unchanged(self, info: ObjectInfo) -> None:
        """See `ObjectStore`."""
        await self._enter("delete_unchanged")
        if info.key in self.objects and self._info(info.key).version == info.version:
            del self.objects[info.key]

    async def list(self, prefix: str, *, start_after: str, limit: int) -> ObjectPage:
        """See `ObjectStore`."""
        await self._enter("list")
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > start_after)
        found = [
            ObjectInfo(key, len(self.objects[key].content), b"", "", self.objects[key].modified_at)
            for key in keys[:limit]
        ]
        return ObjectPage(found, more=len(keys) > limit)

    async def begin_upload(self, key: str, description: Description) -> UploadRef:
        """See `ObjectStore`."""
        await self._enter("begin_upload")
        upload = UploadRef(key, f"upload-{next(self._ids)}")
        self.uploads[upload] = {}
        self.begun[upload] = description, datetime.now(UTC)
        return upload

    async def put_part(self, upload: UploadRef, number: int, content: Bytes) -> PartRef:
        """See `ObjectStore`."""
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            await self._enter("put_part")
        finally:
            self.running -= 1
        self._parts_of(upload)[number] = bytes(content)
        return PartRef(number, _etag(content))

    async def complete_upload(self, upload: UploadRef, parts: Sequence[PartRef]) -> datetime | None:
        """See `ObjectStore`."""
        await self._enter("complete_upload")
        put = self._parts_of(upload)
        if any(_etag(put.get(part.number, b"")) != part.etag for part in parts):
            raise InvalidInput("PARTS_INVALID", "the upload does not have these parts")
        content = b"".join(put[part.number] for part in parts)
        created = self._create(upload.key, content, self.begun[upload][0])
        del self.uploads[upload]
        return created

    async def abort_upload(self, upload: UploadRef) -> None:
        """See `ObjectStore`."""
        await self._enter("abort_upload")
        self.uploads.pop(upload, None)

    async def unfinished_uploads(self) -> AsyncIterator[UnfinishedUpload]:
        """See `ObjectStore`."""
        await self._enter("unfinished_uploads")
        for upload in list(self.uploads):
            age = datetime.now(UTC) - self.begun[upload][1]
            yield UnfinishedUpload(upload, age.total_seconds())

    async def ping(self) -> None:
        """See `ObjectStore`."""
        await self._enter("ping")

    def _create(self, key: str, content: bytes, description: Description) -> datetime:
        if key in self.objects:
            raise object_exists(key)
        now = datetime.now(UTC)
        self.objects[key] = Stored(content, description, now)
        return now

    def _info(self, key: str) -> ObjectInfo:
        if key not in self.objects:
            raise object_not_found(key)
        found = self.objects[key]
        return ObjectInfo(
            key=key,
            size_bytes=len(found.content),
            sha256=found.description.sha256 or b"",
            content_type=found.description.content_type,
            modified_at=found.modified_at,
            version=_etag(found.content),
        )

    def _parts_of(self, upload: UploadRef) -> dict[int, bytes]:
        if upload not in self.uploads:
            raise Conflict("UPLOAD_GONE", "the upload was aborted or completed meanwhile")
        return self.uploads[upload]

    async def _enter(self, operation: str) -> None:
        self.calls.append(operation)
        if operation in self.gates:
            await self.gates[operation].wait()
        if self.failures[operation]:
            raise self.failures[operation].popleft()


def _etag(content: Bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()}"'


@dataclass
class FakeSniffer:
    """`TypeSniffer` that always says the same."""

    content_type: str = "application/pdf"
    seen: list[int] = field(default_factory=list)

    async def sniff(self, content: Bytes, filename: str) -> str:
        """Notes how much it was shown."""
        self.seen.append(len(content))
        return self.content_type


async def messages_of(
    *messages: storage_pb2.PutObjectRequest,
) -> AsyncIterator[storage_pb2.PutObjectRequest]:
    """A stream of exactly these."""
    for message in messages:
        yield message
