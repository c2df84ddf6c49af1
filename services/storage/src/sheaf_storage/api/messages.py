"""What storage answers, as messages of the contract."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from sheaf.storage.v1 import storage_pb2
from sheaf_storage.domain import ObjectInfo, PresignedRequest
from sheaf_storage.ports import PartRef

_NANOS: Final = 1e9


def seconds_of(duration: Duration) -> float:
    """A duration in seconds, however long."""
    return duration.seconds + duration.nanos / _NANOS


def parts_of(parts: Sequence[storage_pb2.UploadedPart]) -> list[PartRef]:
    """The parts that a client put."""
    return [PartRef(part.number, part.etag) for part in parts]


def object_message(info: ObjectInfo) -> storage_pb2.ObjectInfo:
    """An object as the contract describes it."""
    return storage_pb2.ObjectInfo(
        key=info.key,
        size_bytes=info.size_bytes,
        sha256=info.sha256,
        content_type=info.content_type,
        modified_at=None if info.modified_at is None else _timestamp(info.modified_at),
    )


def request_message(request: PresignedRequest) -> storage_pb2.PresignedRequest:
    """A request that a client may send."""
    return storage_pb2.PresignedRequest(
        method=request.method,
        url=request.url,
        headers=request.headers,
        expires_at=_timestamp(request.expires_at),
    )


def _timestamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
