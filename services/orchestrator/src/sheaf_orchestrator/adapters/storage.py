"""The stored objects, over the storage service's gRPC API."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration

from sheaf.storage.v1 import storage_pb2, storage_pb2_grpc
from sheaf_common.errors import FailedPrecondition, NotFound, Unavailable
from sheaf_common.grpc.channel import Peer
from sheaf_orchestrator.ports import StoredObject

_MESSAGE_BYTES: Final = 256 * 1024
"""What fits one message is one call; the rest is a stream of such messages."""

_CALL_S: Final = 10.0
_SWEEP_CALL_S: Final = 60.0
_BYTES_A_SECOND: Final = 5 * 2**20
_DELETES_A_CALL: Final = 1000
_PREFIX: Final = "documents/"


@dataclass(frozen=True, slots=True)
class StorageObjects:
    """`Objects` over gRPC."""

    peer: Peer
    stub: "storage_pb2_grpc.StorageServiceAsyncStub"

    async def fetch(self, key: str, *, size_bytes: int) -> bytes:
        """See `Objects`. Raises `Unavailable` if fewer bytes arrive than the object has."""
        timeout_s = _CALL_S + size_bytes / _BYTES_A_SECOND
        if size_bytes <= _MESSAGE_BYTES:
            with contextlib.suppress(FailedPrecondition):  # it has more: whoever asked will see
                answer = await self.peer.unary(
                    self.stub.FetchObject,
                    storage_pb2.FetchObjectRequest(key=key),
                    timeout_s=timeout_s,
                )
                return _whole(key, answer.data, size_bytes)
        content = bytearray()
        async for message in self.peer.receive_stream(
            self.stub.GetObject,
            storage_pb2.GetObjectRequest(key=key),
            timeout_s=timeout_s,
        ):
            if not content and len(message.data) == size_bytes:
                return message.data
            content += message.data
        return _whole(key, bytes(content), size_bytes)

    async def put(self, key: str, content: bytes, *, content_type: str) -> None:
        """See `Objects`."""
        await self._put(storage_pb2.PutObjectHeader(key=key, content_type=content_type), content)

    async def put_original(self, key: str, content: bytes, *, filename: str) -> str:
        """See `Objects`."""
        return await self._put(storage_pb2.PutObjectHeader(key=key, filename=filename), content)

    async def size_of(self, key: str) -> int | None:
        """See `Objects`."""
        try:
            answer = await self.peer.unary(
                self.stub.HeadObject, storage_pb2.HeadObjectRequest(key=key), timeout_s=_CALL_S
            )
        except NotFound:
            return None
        return answer.object.size_bytes

    async def delete(self, keys: Sequence[str]) -> None:
        """See `Objects`."""
        for start in range(0, len(keys), _DELETES_A_CALL):
            await self.peer.unary(
                self.stub.DeleteObjects,
                storage_pb2.DeleteObjectsRequest(keys=keys[start : start + _DELETES_A_CALL]),
                timeout_s=_CALL_S,
            )

    async def _put(self, header: storage_pb2.PutObjectHeader, content: bytes) -> str:
        timeout_s = _CALL_S + len(content) / _BYTES_A_SECOND
        if len(content) <= _MESSAGE_BYTES:
            whole = storage_pb2.PutWholeObjectRequest(header=header, data=content)
            put = await self.peer.unary(self.stub.PutWholeObject, whole, timeout_s=timeout_s)
            return put.object.content_type

        async def messages() -> AsyncIterator[storage_pb2.PutObjectRequest]:
            for start in range(0, len(content), _MESSAGE_BYTES):
                yield storage_pb2.PutObjectRequest(
                    header=header if start == 0 else None,
                    data=content[start : start + _MESSAGE_BYTES],
                    finish=start + _MESSAGE_BYTES >= len(content),
                )

        answer = await self.peer.send_stream(self.stub.PutObject, messages(), timeout_s=timeout_s)
        return answer.object.content_type


@dataclass(frozen=True, slots=True)
class StorageListing:
    """`ObjectListing` over gRPC."""

    peer: Peer
    stub: "storage_pb2_grpc.StorageServiceAsyncStub"

    async def list(self, *, start_after: str, limit: int) -> Sequence[StoredObject]:
        """See `ObjectListing`."""
        answer = await self.peer.unary(
            self.stub.ListObjects,
            storage_pb2.ListObjectsRequest(
                prefix=_PREFIX, start_after=start_after, page_size=limit
            ),
            timeout_s=_SWEEP_CALL_S,
        )
        return [
            StoredObject(item.key, item.modified_at.ToDatetime(tzinfo=UTC))
            for item in answer.objects
        ]

    async def delete(self, keys: Sequence[str]) -> None:
        """See `ObjectListing`."""
        for start in range(0, len(keys), _DELETES_A_CALL):
            await self.peer.unary(
                self.stub.DeleteObjects,
                storage_pb2.DeleteObjectsRequest(keys=keys[start : start + _DELETES_A_CALL]),
                timeout_s=_SWEEP_CALL_S,
            )

    async def delete_all(self, document_id: str) -> int:
        """See `StoredPrefixes`."""
        request = storage_pb2.ListObjectsRequest(prefix=f"{_PREFIX}{document_id}/")
        deleted, more = 0, True
        while more:
            page = await self.peer.unary(self.stub.ListObjects, request, timeout_s=_CALL_S)
            await self.delete([each.key for each in page.objects])
            deleted += len(page.objects)
            more = page.more
        return deleted

    async def abort_stale_uploads(self, *, min_age_s: float) -> int:
        """See `ObjectListing`."""
        age = Duration()
        age.FromTimedelta(timedelta(seconds=min_age_s))
        answer = await self.peer.unary(
            self.stub.AbortStaleUploads,
            storage_pb2.AbortStaleUploadsRequest(min_age=age),
            timeout_s=_SWEEP_CALL_S,
        )
        return answer.aborted


def _whole(key: str, content: bytes, size_bytes: int) -> bytes:
    """The content, if all of it is there."""
    if len(content) < size_bytes:
        raise Unavailable(
            "OBJECT_CUT_SHORT", f"{key}: {len(content)} of {size_bytes} bytes arrived"
        )
    return content
