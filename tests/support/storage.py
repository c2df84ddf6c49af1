"""Storage as a running service, and its calls as a caller makes them."""

import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from sheaf.storage.v1 import storage_pb2, storage_pb2_grpc
from sheaf_common.grpc.channel import Peer, grpc_peer
from sheaf_common.grpc.settings import GrpcSettings
from sheaf_common.lifecycle import Lifecycle
from sheaf_common.pools.s3 import S3Settings
from sheaf_common.process import ProcessSettings
from sheaf_common.telemetry.exporting import TracingSettings
from sheaf_storage.settings import BlobSettings, PresignSettings, ServerSettings, StorageSettings
from sheaf_storage.wiring import storage

TOKEN = "a token of the tests"
MESSAGE_BYTES = 256 * 1024
PART_BYTES = 5 * 2**20


def settings_over(env: Mapping[str, str], **changed: Any) -> StorageSettings:
    """Settings over the server that `env` names; small parts, free ports; `changed` by name."""
    own = {
        "STORAGE_HOST": "127.0.0.1",
        "STORAGE_PORT": 0,
        "STORAGE_METRICS_PORT": 0,
        "STORAGE_PART_SIZE_BYTES": PART_BYTES,
        "GRPC_TOKEN": SecretStr(TOKEN),
    }
    values: dict[str, Any] = {**env, **own, **changed}
    return StorageSettings(
        process=_group(ProcessSettings, values),
        tracing=_group(TracingSettings, values),
        grpc=_group(GrpcSettings, values),
        server=_group(ServerSettings, values),
        s3=_group(S3Settings, values),
        blobs=_group(BlobSettings, values),
        presign=_group(PresignSettings, values),
    )


@dataclass(frozen=True, slots=True)
class Service:
    """A running storage service and a peer that calls it."""

    peer: Peer
    port: int

    @property
    def stub(self) -> "storage_pb2_grpc.StorageServiceAsyncStub":
        """The calls."""
        return storage_pb2_grpc.StorageServiceStub(self.peer.channel)

    async def put(
        self, key: str, content: bytes, *, timeout_s: float = 30.0, **header: Any
    ) -> storage_pb2.PutObjectResponse:
        """Puts content in messages of 256 KiB."""
        return await self.send(messages(key, content, **header), timeout_s=timeout_s)

    async def send(
        self,
        requests: AsyncIterator[storage_pb2.PutObjectRequest],
        *,
        timeout_s: float = 30.0,
    ) -> storage_pb2.PutObjectResponse:
        """Puts by the given messages."""
        return await self.peer.send_stream(self.stub.PutObject, requests, timeout_s=timeout_s)

    async def get(self, key: str, offset: int = 0, length: int = 0) -> bytes:
        """The content of a range."""
        request = storage_pb2.GetObjectRequest(key=key, offset=offset, length_bytes=length)
        answers = self.peer.receive_stream(self.stub.GetObject, request, timeout_s=30)
        return b"".join([answer.data async for answer in answers])

    async def head(self, key: str) -> storage_pb2.ObjectInfo:
        """An object's description."""
        request = storage_pb2.HeadObjectRequest(key=key)
        answer = await self.peer.unary(self.stub.HeadObject, request, timeout_s=30)
        return answer.object


@asynccontextmanager
async def serving(settings: StorageSettings) -> AsyncIterator[Service]:
    """Storage in this process, as its composition root makes it."""
    async with (
        storage(settings, Lifecycle()) as server,
        calling(server.port, settings.grpc) as service,
    ):
        yield service


@asynccontextmanager
async def calling(port: int, grpc_settings: GrpcSettings) -> AsyncIterator[Service]:
    """A caller of a storage service that runs already."""
    async with grpc_peer("storage", f"127.0.0.1:{port}", grpc_settings) as peer:
        yield Service(peer, port)


async def messages(
    key: str, content: bytes, **header: Any
) -> AsyncIterator[storage_pb2.PutObjectRequest]:
    """A well-formed put."""
    first = storage_pb2.PutObjectHeader(key=key, **header)
    starts = range(0, max(1, len(content)), MESSAGE_BYTES)
    for start in starts:
        yield storage_pb2.PutObjectRequest(
            header=first if start == 0 else None,
            data=content[start : start + MESSAGE_BYTES],
            finish=start == starts[-1],
        )


async def sequence(
    items: Iterable[storage_pb2.PutObjectRequest],
) -> AsyncIterator[storage_pb2.PutObjectRequest]:
    """Messages as they are given."""
    for item in items:
        yield item


def sha256(content: bytes) -> bytes:
    """The hash of content."""
    return hashlib.sha256(content).digest()


def _group(group: Any, values: Mapping[str, Any]) -> Any:
    names = {str(info.validation_alias) for info in group.model_fields.values()}
    return group(**{name: value for name, value in values.items() if name in names})
