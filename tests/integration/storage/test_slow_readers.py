"""Many slow readers, fewer than there are connections: everybody else is served as ever."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing

from sheaf.storage.v1 import storage_pb2
from sheaf_common.pools.s3 import S3ClientPool
from sheaf_dev.stack import Stack
from support.storage import Service, serving, settings_over

LARGE = b"%PDF-1.7\n" + bytes(range(256)) * (11 * 2**20 // 256)
PDF = b"%PDF-1.7\n" + b"page " * 100
READERS = 36
CAPACITY = 40


async def test_slow_readers_cannot_starve_others(
    seaweedfs: Stack, pool: list[S3ClientPool], prefix: str
) -> None:
    """They hold nine tenths of the connections.

    A put, a get and a head each take well under a second, and every slow reader gets its
    object whole in the end.
    """
    settings = settings_over(seaweedfs.env, S3_POOL_SIZE=4, S3_MAX_POOL_CONNECTIONS=CAPACITY // 4)
    took_s: list[float] = []
    async with serving(settings) as service, AsyncExitStack() as stack:
        await service.put(f"{prefix}large", LARGE)
        slow = [
            await stack.enter_async_context(aclosing(_reading(service, f"{prefix}large")))  # type: ignore[type-var]
            for _ in range(READERS)
        ]
        read = [len((await anext(reader)).data) for reader in slow]
        for number in range(10):
            key = f"{prefix}{number}"
            for operation in (service.put(key, PDF), service.get(key), service.head(key)):
                started = time.monotonic()
                await operation
                took_s.append(time.monotonic() - started)
            held = pool[0].used
        for index, reader in enumerate(slow):
            async for answer in reader:
                read[index] += len(answer.data)

    assert held == READERS
    assert max(took_s) < 1
    assert read == [len(LARGE)] * READERS


def _reading(service: Service, key: str) -> AsyncIterator[storage_pb2.GetObjectResponse]:
    request = storage_pb2.GetObjectRequest(key=key)
    return service.peer.receive_stream(service.stub.GetObject, request, timeout_s=60)
