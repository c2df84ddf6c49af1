"""`sheaf.storage.v1` over gRPC: translate, delegate, nothing else."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

import grpc

from sheaf.storage.v1 import storage_pb2, storage_pb2_grpc
from sheaf_storage.api.messages import object_message, parts_of, request_message, seconds_of
from sheaf_storage.api.put_stream import Messages, data_of, expect_end, first_message, order_of
from sheaf_storage.domain import ByteRange, PutOrder
from sheaf_storage.ports import UploadRef
from sheaf_storage.service import BlobService, Confirming, Declaration, Presigning

SERVICE_NAME: Final = storage_pb2.DESCRIPTOR.services_by_name["StorageService"].full_name

_Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True)
class StorageServicer(storage_pb2_grpc.StorageServiceServicer):
    """See the .proto."""

    blobs: BlobService
    presigning: Presigning
    confirming: Confirming

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
            object=object_message(outcome.object), created=outcome.created
        )

    async def PutWholeObject(
        self, request: storage_pb2.PutWholeObjectRequest, _context: _Context
    ) -> storage_pb2.PutWholeObjectResponse:
        """See the .proto."""
        outcome = await self.blobs.put_whole(order_of(request.header), request.data)
        return storage_pb2.PutWholeObjectResponse(
            object=object_message(outcome.object), created=outcome.created
        )

    async def FetchObject(
        self, request: storage_pb2.FetchObjectRequest, _context: _Context
    ) -> storage_pb2.FetchObjectResponse:
        """See the .proto."""
        info, content = await self.blobs.fetch(request.key)
        return storage_pb2.FetchObjectResponse(object=object_message(info), data=content)

    async def GetObject(
        self, request: storage_pb2.GetObjectRequest, _context: _Context
    ) -> AsyncIterator[storage_pb2.GetObjectResponse]:
        """See the .proto."""
        wanted = ByteRange(request.offset, request.length_bytes)
        async with self.blobs.open(request.key, wanted) as reading:
            described = object_message(reading.info)
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
        return storage_pb2.HeadObjectResponse(object=object_message(found))

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
            objects=[object_message(found) for found in page.objects], more=page.more
        )

    async def AbortStaleUploads(
        self, request: storage_pb2.AbortStaleUploadsRequest, _context: _Context
    ) -> storage_pb2.AbortStaleUploadsResponse:
        """See the .proto."""
        aborted = await self.blobs.abort_stale_uploads(seconds_of(request.min_age))
        return storage_pb2.AbortStaleUploadsResponse(aborted=aborted)

    async def PresignGet(
        self, request: storage_pb2.PresignGetRequest, _context: _Context
    ) -> storage_pb2.PresignGetResponse:
        """See the .proto."""
        signed = await self.presigning.get(
            request.key,
            seconds_of(request.expires_in),
            filename=request.download_filename,
            content_type=request.content_type,
        )
        return storage_pb2.PresignGetResponse(request=request_message(signed))

    async def PresignPut(
        self, request: storage_pb2.PresignPutRequest, _context: _Context
    ) -> storage_pb2.PresignPutResponse:
        """See the .proto."""
        signed = await self.presigning.put(_declared(request), seconds_of(request.expires_in))
        return storage_pb2.PresignPutResponse(request=request_message(signed))

    async def BeginUpload(
        self, request: storage_pb2.BeginUploadRequest, _context: _Context
    ) -> storage_pb2.BeginUploadResponse:
        """See the .proto."""
        begun = await self.presigning.begin(_declared(request), seconds_of(request.expires_in))
        return storage_pb2.BeginUploadResponse(
            upload_id=begun.upload.upload_id,
            part_size_bytes=begun.part_size_bytes,
            parts=[request_message(part) for part in begun.parts],
        )

    async def CompleteUpload(
        self, request: storage_pb2.CompleteUploadRequest, _context: _Context
    ) -> storage_pb2.CompleteUploadResponse:
        """See the .proto."""
        upload = UploadRef(request.key, request.upload_id)
        order = _accepted(request, request.sha256)
        made = await self.confirming.complete(upload, parts_of(request.parts), order)
        return storage_pb2.CompleteUploadResponse(object=object_message(made))

    async def AbortUpload(
        self, request: storage_pb2.AbortUploadRequest, _context: _Context
    ) -> storage_pb2.AbortUploadResponse:
        """See the .proto."""
        await self.presigning.abort(UploadRef(request.key, request.upload_id))
        return storage_pb2.AbortUploadResponse()

    async def ConfirmObject(
        self, request: storage_pb2.ConfirmObjectRequest, _context: _Context
    ) -> storage_pb2.ConfirmObjectResponse:
        """See the .proto."""
        confirmed = await self.confirming.confirm(_accepted(request))
        return storage_pb2.ConfirmObjectResponse(object=object_message(confirmed))


def _declared(
    request: storage_pb2.PresignPutRequest | storage_pb2.BeginUploadRequest,
) -> Declaration:
    return Declaration(request.key, request.content_type, request.size_bytes, request.sha256)


def _accepted(
    request: storage_pb2.ConfirmObjectRequest | storage_pb2.CompleteUploadRequest,
    sha256: bytes = b"",
) -> PutOrder:
    return PutOrder(
        key=request.key,
        accepted_content_types=tuple(request.accepted_content_types),
        max_size_bytes=request.max_size_bytes,
        expected_sha256=sha256,
        filename=request.filename,
    )
