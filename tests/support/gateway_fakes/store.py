"""The objects in memory."""

import asyncio
import hashlib
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sheaf_common.errors import (
    InvalidInput,
    NotFound,
)
from sheaf_gateway.domain.uploads import StoredObject
from sheaf_gateway.ports.objects import ObjectContent
from support.gateway_fakes.common import Hook, do_nothing


@dataclass
class FakeStore:
    """The ObjectStore port in memory. `before_put` and `before_delete` may wait or raise."""

    objects: dict[str, bytes] = field(default_factory=dict)
    before_put: Callable[[str], Awaitable[None]] | None = None
    after_put: Hook = do_nothing
    before_delete: Hook = do_nothing
    piece_taken: Hook = do_nothing
    running: int = 0
    peak: int = 0
    puts: int = 0
    streamed: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    async def put(
        self,
        key: str,
        filename: str,
        content: bytes | AsyncIterable[bytes],
        *,
        accepted_content_types: Sequence[str],
        max_size_bytes: int,
        timeout_s: float,
    ) -> StoredObject:
        """Stores what begins like a PDF or is text; refuses the rest as the service does."""
        self.puts += 1
        self.running += 1
        self.peak = max(self.peak, self.running)
        try:
            async with asyncio.timeout(timeout_s):
                if self.before_put is not None:
                    await self.before_put(filename)
                whole = await self._whole(key, content)
                stored = _described(key, whole)
                self.objects[key] = whole
                await self.after_put()
                return stored
        finally:
            self.running -= 1

    async def put_result(self, key: str, content: bytes, *, timeout_s: float) -> None:
        """Stores it; `before_put` is told the key."""
        async with asyncio.timeout(timeout_s):
            if self.before_put is not None:
                await self.before_put(key)
            self.objects[key] = content

    async def _whole(self, key: str, content: bytes | AsyncIterable[bytes]) -> bytes:
        if isinstance(content, bytes):
            return content
        self.streamed.append(key)
        pieces = []
        async for piece in content:
            pieces.append(piece)
            await self.piece_taken()
        return b"".join(pieces)

    @asynccontextmanager
    async def get(
        self, key: str, *, offset: int = 0, length_bytes: int = 0
    ) -> AsyncIterator[ObjectContent]:
        """Reads in pieces of 64 KiB."""
        if key not in self.objects:
            raise NotFound("OBJECT_NOT_FOUND", "no such object")
        whole = self.objects[key]
        part = whole[offset : offset + length_bytes] if length_bytes else whole[offset:]

        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(part), 65536):
                await asyncio.sleep(0)
                yield part[start : start + 65536]

        digest = hashlib.sha256(whole).digest()
        yield ObjectContent(StoredObject(key, len(whole), digest, "x/y"), chunks())

    async def delete(self, keys: Sequence[str], *, timeout_s: float) -> None:
        """Deletes."""
        await self.before_delete()
        self.deleted.extend(keys)
        for key in keys:
            self.objects.pop(key, None)

    async def delete_all(self, document_id: str, *, timeout_s: float) -> None:
        """Deletes what lies under the document's prefix."""
        prefix = f"documents/{document_id}/"
        await self.delete(
            [key for key in self.objects if key.startswith(prefix)], timeout_s=timeout_s
        )


def _described(key: str, content: bytes) -> StoredObject:
    if not content:
        raise InvalidInput("OBJECT_EMPTY", "the object is empty", evidence={"key": key})
    if content.startswith(b"%PDF"):
        content_type = "application/pdf"
    elif b"\x00" in content[:512]:
        raise InvalidInput(
            "UNSUPPORTED_MEDIA_TYPE",
            "not among the accepted types",
            evidence={"key": key, "content_type": "application/octet-stream"},
        )
    else:
        content_type = "text/plain"
    return StoredObject(key, len(content), hashlib.sha256(content).digest(), content_type)
