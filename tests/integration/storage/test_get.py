"""Reads over gRPC: ranges, slow readers, readers that leave."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from sheaf.storage.v1 import storage_pb2
from sheaf_common.errors import DataLoss, InvalidInput, NotFound, OutOfRange
from sheaf_common.pools.s3 import S3ClientPool
from sheaf_dev.stack import Stack
from sheaf_storage.adapters.s3 import S3ObjectStore
from sheaf_storage.domain import ByteRange
from sheaf_storage.ports import Description
from support.storage import MESSAGE_BYTES, Service, serving, settings_over
from support.waiting import until

LARGE = b"%PDF-1.7\n" + bytes(range(256)) * (11 * 2**20 // 256)
SMALL = b"0123456789"


def reading(service: Service, key: str) -> AsyncIterator[storage_pb2.GetObjectResponse]:
    """The answers of a read of the whole object."""
    request = storage_pb2.GetObjectRequest(key=key)
    return service.peer.receive_stream(service.stub.GetObject, request, timeout_s=30)


async def test_the_first_answer_describes_the_whole_object(service: Service, prefix: str) -> None:
    """Only the first has a description, and no answer has more than 256 KiB."""
    key = f"{prefix}original"
    await service.put(key, LARGE)
    request = storage_pb2.GetObjectRequest(key=key, offset=5, length_bytes=2 * 2**20)
    answers = [
        answer
        async for answer in service.peer.receive_stream(
            service.stub.GetObject, request, timeout_s=30
        )
    ]

    assert answers[0].object.size_bytes == len(LARGE)
    assert [answer.HasField("object") for answer in answers] == [True] + [False] * 7
    assert max(len(answer.data) for answer in answers) == MESSAGE_BYTES
    assert b"".join(answer.data for answer in answers) == LARGE[5 : 5 + 2 * 2**20]


@pytest.mark.parametrize(
    ("offset", "length", "expected"), [(2, 3, b"234"), (-4, 0, b"6789"), (-4, 2, b"67")]
)
async def test_ranges_cross_the_wire(
    service: Service, prefix: str, offset: int, length: int, expected: bytes
) -> None:
    """From the beginning and from the end."""
    await service.put(f"{prefix}original", SMALL)

    assert await service.get(f"{prefix}original", offset, length) == expected


async def test_what_cannot_be_read_says_why(service: Service, prefix: str) -> None:
    """A range outside, an object that is not there, a key that is none."""
    await service.put(f"{prefix}original", SMALL)
    with pytest.raises(OutOfRange) as outside:
        await service.get(f"{prefix}original", 10)
    with pytest.raises(NotFound) as missing:
        await service.get(f"{prefix}none")
    with pytest.raises(InvalidInput) as invalid:
        await service.get("../etc/passwd")

    assert [error.value.reason for error in (outside, missing, invalid)] == [
        "RANGE_NOT_SATISFIABLE", "OBJECT_NOT_FOUND", "KEY_INVALID",
    ]  # fmt: skip
    assert dict(outside.value.evidence) == {"size_bytes": "10"}


async def test_content_that_is_not_what_was_put_is_a_loss(
    service: Service, store: S3ObjectStore, prefix: str
) -> None:
    """Bytes that do not match their recorded hash never pass for the object."""
    await store.put(f"{prefix}original", SMALL, Description("text/plain", b"x" * 32))
    with pytest.raises(DataLoss) as loss:
        await service.get(f"{prefix}original")

    assert loss.value.reason == "OBJECT_CORRUPT"


async def test_a_slow_reader_holds_its_lease_and_no_other(
    seaweedfs: Stack, pool: list[S3ClientPool], prefix: str
) -> None:
    """With two connections in all, others go on over the second."""
    key = f"{prefix}original"
    settings = settings_over(seaweedfs.env, S3_POOL_SIZE=1, S3_MAX_POOL_CONNECTIONS=2)
    async with serving(settings) as service:
        await service.put(key, LARGE)
        async with aclosing(reading(service, key)) as slow:  # type: ignore[type-var]
            first = await anext(slow)
            others = await asyncio.gather(*(service.get(key, 0, 10) for _ in range(5)))
            held = pool[0].used
            rest = b"".join([answer.data async for answer in slow])

    assert others == [LARGE[:10]] * 5
    assert held == 1
    assert first.data + rest == LARGE


async def test_a_reader_that_leaves_gives_its_lease_back(
    seaweedfs: Stack, pool: list[S3ClientPool], prefix: str
) -> None:
    """Promptly and without a fault, and the connections left over serve the next readers."""
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
    key = f"{prefix}original"
    settings = settings_over(seaweedfs.env, S3_POOL_SIZE=1, S3_MAX_POOL_CONNECTIONS=2)
    async with serving(settings) as service:
        await service.put(key, LARGE)
        for _ in range(5):
            async with aclosing(reading(service, key)) as leaving:  # type: ignore[type-var]
                await anext(leaving)
                assert pool[0].used == 1
            await until(lambda: pool[0].used == 0, timeout_s=2)
        content = await service.get(key)
    gc.collect()
    asyncio.get_running_loop().set_exception_handler(None)

    assert content == LARGE
    assert faults == []


async def test_an_object_of_one_chunk_holds_no_lease_while_it_is_sent(
    s3_pool: S3ClientPool, store: S3ObjectStore, prefix: str
) -> None:
    """It is read whole when it is opened; a larger one holds its lease until it is read."""
    used = []
    for name, content in (("small", SMALL), ("large", LARGE)):
        await store.put(f"{prefix}{name}", content, Description("text/plain", None))
        async with store.open(f"{prefix}{name}", ByteRange()) as reader:
            used.append(s3_pool.used)
            while await reader.read():
                pass
            used.append(s3_pool.used)

    assert used == [0, 0, 1, 0]
