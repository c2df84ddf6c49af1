"""What storage needs from outside: a store of objects, its signer, an eye for content types."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sheaf_storage.domain import ByteRange, Bytes, ObjectInfo, ObjectPage, PresignedRequest


@dataclass(frozen=True, slots=True)
class Description:
    """What is recorded with an object; `sha256` is None if it is not known yet."""

    content_type: str
    sha256: bytes | None


@dataclass(frozen=True, slots=True)
class UploadRef:
    """A multipart upload that was begun."""

    key: str
    upload_id: str


@dataclass(frozen=True, slots=True)
class PartRef:
    """A part that was put; numbers begin at 1."""

    number: int
    etag: str


@dataclass(frozen=True, slots=True)
class UnfinishedUpload:
    """A multipart upload that was neither completed nor aborted, and its age."""

    upload: UploadRef
    age_s: float


class ObjectReader(Protocol):
    """The content of a range of one object, read once from its beginning."""

    @property
    def info(self) -> ObjectInfo:
        """The whole object."""
        ...

    async def read(self) -> bytes:
        """The next bytes, at most `CHUNK_BYTES`; none at the end.

        A broken connection is opened again where it broke.

        Raises:
            Unavailable: the store does not answer.
            Conflict: `OBJECT_CHANGED`, it was replaced meanwhile.
            NotFound: `OBJECT_NOT_FOUND`, it vanished meanwhile.
        """
        ...


class ObjectStore(Protocol):
    """Objects by key. Every operation may raise `Unavailable`.

    No operation has a deadline beyond the store's own timeouts. Cancelling one frees the
    caller at once; a write that is cancelled may still take effect, so whoever must know
    how it ended lets it end.
    """

    async def put(self, key: str, content: Bytes, description: Description) -> datetime | None:
        """Creates an object whole or not at all; the time is the store's, if it says.

        Raises:
            AlreadyExists: `OBJECT_EXISTS`, the key is taken.
        """
        ...

    async def head(self, key: str) -> ObjectInfo:
        """Describes an object.

        Raises:
            NotFound: `OBJECT_NOT_FOUND`.
        """
        ...

    def open(self, key: str, wanted: ByteRange) -> AbstractAsyncContextManager[ObjectReader]:
        """Opens a range for reading; leaving the block gives up what was not read.

        Raises:
            NotFound: `OBJECT_NOT_FOUND`.
            OutOfRange: `RANGE_NOT_SATISFIABLE`.
        """
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Deletes at most 1,000 objects; those that do not exist count as deleted.

        Raises:
            Unavailable: `S3_DELETE_INCOMPLETE`, naming the keys that are left.
        """
        ...

    async def delete_unchanged(self, info: ObjectInfo) -> None:
        """Deletes an object if it is still of that version; else nothing happens."""
        ...

    async def list(self, prefix: str, *, start_after: str, limit: int) -> ObjectPage:
        """A page of keys under a prefix, those after `start_after`, in the store's order."""
        ...

    async def begin_upload(self, key: str, description: Description) -> UploadRef:
        """Begins a multipart upload: nothing is to be seen of it until it is completed."""
        ...

    async def put_part(self, upload: UploadRef, number: int, content: Bytes) -> PartRef:
        """Puts one part; all but the last have at least 5 MiB."""
        ...

    async def complete_upload(self, upload: UploadRef, parts: Sequence[PartRef]) -> datetime | None:
        """Creates the object from its parts, whole or not at all; as `put`.

        Raises:
            AlreadyExists: `OBJECT_EXISTS`, the key is taken; the upload is still there.
            InvalidInput: `PARTS_INVALID`, the store does not have them so; it is still there.
            Conflict: `UPLOAD_GONE`, it was aborted or completed.
        """
        ...

    async def abort_upload(self, upload: UploadRef) -> None:
        """Removes an upload and its parts; nothing happens if it is gone or completed."""
        ...

    def unfinished_uploads(self) -> AsyncIterator[UnfinishedUpload]:
        """Every upload that is neither completed nor aborted."""
        ...

    async def ping(self) -> None:
        """Returns if the store answers and the bucket is there."""
        ...


class RequestSigner(Protocol):
    """Makes requests that clients send to the store themselves. Asks the store nothing.

    A request is valid for whole seconds, from 1 to a week, and for one object.
    """

    async def sign_get(
        self, key: str, expires_in_s: int, *, disposition: str, content_type: str
    ) -> PresignedRequest:
        """Gets an object, with that Content-Disposition, and that type unless it is empty."""
        ...

    async def sign_put(
        self, key: str, size_bytes: int, description: Description, expires_in_s: int
    ) -> PresignedRequest:
        """Creates an object of exactly that size, type and hash; never replaces one."""
        ...

    async def sign_parts(
        self, upload: UploadRef, sizes_bytes: Sequence[int], expires_in_s: int
    ) -> Sequence[PresignedRequest]:
        """Puts the parts of an upload, each of exactly its size."""
        ...


class TypeSniffer(Protocol):
    """Tells a content type from content."""

    async def sniff(self, content: Bytes, filename: str) -> str:
        """The content's type; `content` is the whole object or its beginning.

        `filename` breaks ties that content cannot; it is never trusted alone.
        """
        ...
