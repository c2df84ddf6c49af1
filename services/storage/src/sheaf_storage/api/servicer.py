"""`sheaf.storage.v1` over gRPC: translate, delegate, nothing else."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from sheaf.storage.v1 import storage_pb2, storage_pb2_grpc
from sheaf_storage.api.put_stream import Messages, data_of, expect_end, first_message, order_of
from sheaf_storage.domain import ByteRange, ObjectInfo
from sheaf_storage.service import BlobService

SERVICE_NAME: Final = storage_pb2.DESCRIPTOR.services_by_name["StorageService"].full_name

_Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True)
class StorageServicer(storage_pb2_grpc.StorageServiceServicer):
    """See the .proto."""

    blobs: BlobService

    def register(self, server: grpc.aio.Server) -> str:
        """Adds this servicer to a server; returns the service's full name."""
        storage_pb2_grpc.add_StorageServiceServicer_to_server(self, server)
        return SERVICE_NAME

    async def PutObject(
        self, requests: Messages, _context: _Context
    ) -> storage_pb2.PutObjectResponse:
        """See the .proto."""
        messages = aiter(requests)
        first = await first_message(messages)
        order = order_of(first.header)
        if first.finish:
            await expect_end(messages)
            outcome = await self.blobs.put_whole(order, first.data)
        else:
            async with aclosing(data_of(first, messages)) as chunks:
                outcome = await self.blobs.put_stream(order, chunks)
        return storage_pb2.PutObjectResponse(
            object=_message_of(outcome.object), created=outcome.created
        )

    async def GetObject(
        self, request: storage_pb2.GetObjectRequest, _context: _Context
    ) -> AsyncIterator[storage_pb2.GetObjectResponse]:
        """See the .proto."""
        wanted = ByteRange(request.offset, request.length_bytes)
        async with self.blobs.open(request.key, wanted) as reading:
            described = _message_of(reading.info)
            first: storage_pb2.ObjectInfo | None = described
            async with aclosing(reading.chunks()) as chunks:
                async for chunk in chunks:
                    yield storage_pb2.GetObjectResponse(object=first, data=chunk)
                    first = None
            if first is not None:
                yield storage_pb2.GetObjectResponse(object=first)

    async def HeadObject(
        self, request: storage_pb2.HeadObjectRequest, _context: _Context
    ) -> storage_pb2.HeadObjectResponse:
        """See the .proto."""
        found = await self.blobs.head(request.key)
        return storage_pb2.HeadObjectResponse(object=_message_of(found))

    async def DeleteObjects(
        self, request: storage_pb2.DeleteObjectsRequest, _context: _Context
    ) -> storage_pb2.DeleteObjectsResponse:
        """See the .proto."""
        await self.blobs.delete(request.keys)
        return storage_pb2.DeleteObjectsResponse(deleted=request.keys)

    async def ListObjects(
        self, request: storage_pb2.ListObjectsRequest, _context: _Context
    ) -> storage_pb2.ListObjectsResponse:
        """See the .proto."""
        page = await self.blobs.list(
            request.prefix, start_after=request.start_after, limit=request.page_size
        )
        return storage_pb2.ListObjectsResponse(
            objects=[_message_of(found) for found in page.objects], more=page.more
        )

    async def AbortStaleUploads(
        self, request: storage_pb2.AbortStaleUploadsRequest, _context: _Context
    ) -> storage_pb2.AbortStaleUploadsResponse:
        """See the .proto."""
        min_age_s = request.min_age.ToTimedelta().total_seconds()
        aborted = await self.blobs.abort_stale_uploads(min_age_s)
        return storage_pb2.AbortStaleUploadsResponse(aborted=aborted)


def _message_of(info: ObjectInfo) -> storage_pb2.ObjectInfo:
    modified_at: Timestamp | None = None
    if info.modified_at is not None:
        modified_at = Timestamp()
        modified_at.FromDatetime(info.modified_at)
    return storage_pb2.ObjectInfo(
        key=info.key,
        size_bytes=info.size_bytes,
        sha256=info.sha256,
        content_type=info.content_type,
        modified_at=modified_at,
    )
