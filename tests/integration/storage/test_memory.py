"""Memory of a storage process: objects pass through it, they do not fill it."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sheaf.storage.v1 import storage_pb2
from sheaf_storage.adapters.s3 import S3ObjectStore
from sheaf_storage.ports import Description
from support import presign
from support.storage import MESSAGE_BYTES, Service
from support.storage_process import started

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="the high-water mark is Linux's"
)

MIB = 2**20
SMALL = MIB
"""Enough for every code path but multipart, whose parts are part of the claim."""


class HighWater:
    """How far the resident memory of a process has risen since it was last looked at."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        # 5 resets the high-water mark to what is resident now. Source: proc_pid_clear_refs(5).
        Path(f"/proc/{pid}/clear_refs").write_text("5")
        self._before = self._kib("VmHWM")

    def growth_bytes(self) -> int:
        """The highest since then, less what it was then."""
        return (self._kib("VmHWM") - self._before) * 1024

    def _kib(self, name: str) -> int:
        line = next(row for row in self._status.read_text().splitlines() if row.startswith(name))
        return int(line.split()[1])


def blocks(size_bytes: int) -> list[bytes]:
    """A PDF's beginning and then noise, in blocks of a message each, which share one buffer."""
    noise = hashlib.sha256(b"noise").digest() * (MESSAGE_BYTES // 32)
    count = size_bytes // MESSAGE_BYTES
    return [b"%PDF-1.7\n".ljust(MESSAGE_BYTES), *[noise] * (count - 1)]


async def put_and_get(service: Service, key: str, size_bytes: int) -> None:
    """Both streamed, and compared by hash."""
    digest = hashlib.sha256()

    async def messages() -> AsyncIterator[storage_pb2.PutObjectRequest]:
        yield storage_pb2.PutObjectRequest(header=storage_pb2.PutObjectHeader(key=key))
        for block in blocks(size_bytes):
            digest.update(block)
            yield storage_pb2.PutObjectRequest(data=block)
        yield storage_pb2.PutObjectRequest(finish=True)

    stored = await service.send(messages(), timeout_s=60)
    assert (stored.object.size_bytes, stored.object.sha256) == (size_bytes, digest.digest())
    got = hashlib.sha256()
    request = storage_pb2.GetObjectRequest(key=key)
    async for answer in service.peer.receive_stream(service.stub.GetObject, request, timeout_s=60):
        got.update(answer.data)
    assert got.digest() == digest.digest()


async def test_a_large_object_passes_through(environment: dict[str, str], prefix: str) -> None:
    """100 MiB put and got take less than 64 MiB."""
    async with started(environment) as (running, service):
        for number in range(3):
            await put_and_get(service, f"{prefix}warm-{number}", SMALL)
        high_water = HighWater(running.pid)
        await put_and_get(service, f"{prefix}original", 100 * MIB)
        growth = high_water.growth_bytes()

    assert growth < 64 * MIB


async def test_a_look_at_a_large_object_holds_its_beginning(
    environment: dict[str, str], store: S3ObjectStore, prefix: str
) -> None:
    """64 MiB that a client put are confirmed in less than 32 MiB."""
    for name, size_bytes in (("warm", SMALL), ("original", 64 * MIB)):
        content = b"".join(blocks(size_bytes))
        described = Description("application/pdf", hashlib.sha256(content).digest())
        await store.put(f"{prefix}{name}", content, described)
        del content
    async with started(environment) as (running, service):
        for _ in range(3):
            await presign.confirm(service, f"{prefix}warm")
        high_water = HighWater(running.pid)
        confirmed = await presign.confirm(service, f"{prefix}original", timeout_s=60)
        growth = high_water.growth_bytes()

    assert confirmed.size_bytes == 64 * MIB
    assert growth < 32 * MIB
