"""The bytes of documents and results."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from sheaf_gateway.domain.uploads import StoredObject


@dataclass(frozen=True, slots=True)
class ObjectContent:
    """An object that is being read: what it is, and its bytes (or the range asked for)."""

    stored: StoredObject
    chunks: AsyncIterator[bytes]


class ObjectStore(Protocol):
    """Keeps the bytes of documents and results."""

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
        """Stores an object, create-only; the same content again is success.

        Nothing is stored if `content` raises, and what it raised is raised.

        Raises:
            InvalidInput: `OBJECT_EMPTY`, `OBJECT_TOO_LARGE`, `UNSUPPORTED_MEDIA_TYPE`.
            SheafError: Unavailable, DeadlineExceeded, OverCapacity, …
        """
        ...

    async def put_result(self, key: str, content: bytes, *, timeout_s: float) -> None:
        """Stores a result under a new key, as it is: zstd-compressed JSON.

        Raises:
            SheafError: Unavailable, DeadlineExceeded, OverCapacity, …
        """
        ...

    def get(
        self, key: str, *, offset: int = 0, length_bytes: int = 0
    ) -> AbstractAsyncContextManager[ObjectContent]:
        """Opens an object for reading; length 0 means to the end. The block owns the stream.

        Raises:
            NotFound: `OBJECT_NOT_FOUND`. OutOfRange: `RANGE_NOT_SATISFIABLE`.
        """
        ...

    async def delete(self, keys: Sequence[str], *, timeout_s: float) -> None:
        """Deletes objects, at most 1,000; those not there count as deleted."""
        ...

    async def delete_all(self, document_id: str, *, timeout_s: float) -> None:
        """Deletes every object of a document that is there when it is looked for."""
        ...
