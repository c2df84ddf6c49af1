"""Objects in the storage service, over gRPC."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Final, cast

from sheaf.storage.v1 import storage_pb2, storage_pb2_grpc
from sheaf_common.errors import DataLoss
from sheaf_common.grpc.channel import Peer
from sheaf_gateway.adapters.peers import peer_errors
from sheaf_gateway.domain.uploads import StoredObject
from sheaf_gateway.ports.objects import ObjectContent

_MESSAGE_BYTES: Final = 256 * 1024
"""The most efficient size of a message of a stream."""

_NAME: Final = "storage"
_ZSTD: Final = "application/zstd"


class GrpcObjectStore:
    """The ObjectStore port over a peer. `read_timeout_s` bounds a whole read."""

    def __init__(self, peer: Peer, read_timeout_s: float) -> None:
        self._peer = peer
        self._read_timeout_s = read_timeout_s
        self._stub: storage_pb2_grpc.StorageServiceAsyncStub = storage_pb2_grpc.StorageServiceStub(
            peer.channel
        )

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
        """See the port. A whole content is one message; a stream is cut into 256 KiB."""
        header = storage_pb2.PutObjectHeader(
            key=key,
            accepted_content_types=accepted_content_types,
            max_size_bytes=max_size_bytes,
            filename=filename,
        )
        with peer_errors(_NAME):
            if isinstance(content, bytes):
                whole = storage_pb2.PutWholeObjectRequest(header=header, data=content)
                put = await self._peer.unary(self._stub.PutWholeObject, whole, timeout_s=timeout_s)
                return _stored(put.object)
            answer = await self._peer.send_stream(
                self._stub.PutObject, _cut(header, content), timeout_s=timeout_s
            )
            return _stored(answer.object)

    async def put_result(self, key: str, content: bytes, *, timeout_s: float) -> None:
        """See the port."""
        header = storage_pb2.PutObjectHeader(key=key, content_type=_ZSTD)
        with peer_errors(_NAME):
            if len(content) <= _MESSAGE_BYTES:
                whole = storage_pb2.PutWholeObjectRequest(header=header, data=content)
                await self._peer.unary(self._stub.PutWholeObject, whole, timeout_s=timeout_s)
                return
            await self._peer.send_stream(
                self._stub.PutObject, _cut(header, _whole(content)), timeout_s=timeout_s
            )

    @asynccontextmanager
    async def get(
        self, key: str, *, offset: int = 0, length_bytes: int = 0
    ) -> AsyncIterator[ObjectContent]:
        """See the port."""
        request = storage_pb2.GetObjectRequest(key=key, offset=offset, length_bytes=length_bytes)
        answers = cast(
            "AsyncGenerator[storage_pb2.GetObjectResponse]",
            self._peer.receive_stream(
                self._stub.GetObject, request, timeout_s=self._read_timeout_s
            ),
        )
        async with aclosing(answers):
            with peer_errors(_NAME):
                first = await anext(answers, None)
            if first is None:
                raise DataLoss("OBJECT_TRUNCATED", "storage sent no content")
            yield ObjectContent(_stored(first.object), _chunks(first.data, answers))

    async def delete(self, keys: Sequence[str], *, timeout_s: float) -> None:
        """See the port."""
        with peer_errors(_NAME):
            await self._peer.unary(
                self._stub.DeleteObjects,
                storage_pb2.DeleteObjectsRequest(keys=keys),
                timeout_s=timeout_s,
            )

    async def delete_all(self, document_id: str, *, timeout_s: float) -> None:
        """See the port."""
        prefix = storage_pb2.ListObjectsRequest(prefix=f"documents/{document_id}/")
        with peer_errors(_NAME):
            async with asyncio.timeout(timeout_s):
                more = True
                while more:
                    page = await self._peer.unary(
                        self._stub.ListObjects, prefix, timeout_s=timeout_s
                    )
                    if page.objects:
                        keys = [each.key for each in page.objects]
                        await self.delete(keys, timeout_s=timeout_s)
                    more = page.more


async def _cut(
    header: storage_pb2.PutObjectHeader, content: AsyncIterable[bytes]
) -> AsyncIterator[storage_pb2.PutObjectRequest]:
    first: storage_pb2.PutObjectHeader | None = header
    buffer = bytearray()
    async for piece in content:
        buffer += piece
        while len(buffer) >= _MESSAGE_BYTES:
            yield storage_pb2.PutObjectRequest(header=first, data=bytes(buffer[:_MESSAGE_BYTES]))
            del buffer[:_MESSAGE_BYTES]
            first = None
    yield storage_pb2.PutObjectRequest(header=first, data=bytes(buffer), finish=True)


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _chunks(
    first: bytes, answers: AsyncIterator[storage_pb2.GetObjectResponse]
) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for answer in answers:
        yield answer.data


def _stored(info: storage_pb2.ObjectInfo) -> StoredObject:
    return StoredObject(
        key=info.key,
        size_bytes=info.size_bytes,
        sha256=info.sha256,
        content_type=info.content_type,
    )
