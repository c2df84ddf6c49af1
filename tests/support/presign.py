"""Presigned access as a caller of storage asks for it."""

from typing import Any

from google.protobuf.duration_pb2 import Duration

from sheaf.storage.v1 import storage_pb2
from sheaf_storage.domain import PresignedRequest
from support.storage import Service, sha256


def request_of(message: storage_pb2.PresignedRequest) -> PresignedRequest:
    """The request that a client sends."""
    return PresignedRequest(
        message.method, message.url, dict(message.headers), message.expires_at.ToDatetime()
    )


def declared(key: str, content: bytes, *, expires_s: int = 60, **changed: Any) -> dict[str, Any]:
    """The fields of a declaration of content."""
    return {
        "key": key,
        "content_type": "application/pdf",
        "size_bytes": len(content),
        "sha256": sha256(content),
        "expires_in": Duration(seconds=expires_s),
        **changed,
    }


async def presign_get(
    service: Service, key: str, *, expires_s: int = 60, **fields: Any
) -> PresignedRequest:
    """A way to get an object."""
    message = storage_pb2.PresignGetRequest(
        key=key, expires_in=Duration(seconds=expires_s), **fields
    )
    answer = await service.peer.unary(service.stub.PresignGet, message, timeout_s=30)
    return request_of(answer.request)


async def presign_put(
    service: Service, key: str, content: bytes, **changed: Any
) -> PresignedRequest:
    """A way to put content."""
    message = storage_pb2.PresignPutRequest(**declared(key, content, **changed))
    answer = await service.peer.unary(service.stub.PresignPut, message, timeout_s=30)
    return request_of(answer.request)


async def begin_upload(
    service: Service, key: str, content: bytes, **changed: Any
) -> storage_pb2.BeginUploadResponse:
    """A way to put content in parts."""
    message = storage_pb2.BeginUploadRequest(**declared(key, content, **changed))
    return await service.peer.unary(service.stub.BeginUpload, message, timeout_s=30)


async def complete_upload(
    service: Service,
    key: str,
    upload_id: str,
    etags: list[str],
    content_sha256: bytes,
    *,
    timeout_s: float = 30,
    **accepted: Any,
) -> storage_pb2.ObjectInfo:
    """The object that is made of the parts with these ETags."""
    message = storage_pb2.CompleteUploadRequest(
        key=key,
        upload_id=upload_id,
        parts=[
            storage_pb2.UploadedPart(number=number, etag=etag)
            for number, etag in enumerate(etags, start=1)
        ],
        sha256=content_sha256,
        **accepted,
    )
    answer = await service.peer.unary(service.stub.CompleteUpload, message, timeout_s=timeout_s)
    return answer.object


async def abort_upload(service: Service, key: str, upload_id: str) -> None:
    """Removes an upload."""
    message = storage_pb2.AbortUploadRequest(key=key, upload_id=upload_id)
    await service.peer.unary(service.stub.AbortUpload, message, timeout_s=30)


async def confirm(
    service: Service, key: str, *, timeout_s: float = 30, **accepted: Any
) -> storage_pb2.ObjectInfo:
    """The object, if it may stay."""
    message = storage_pb2.ConfirmObjectRequest(key=key, **accepted)
    answer = await service.peer.unary(service.stub.ConfirmObject, message, timeout_s=timeout_s)
    return answer.object
