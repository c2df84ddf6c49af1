"""A store that resets, hangs or answers 503 for ever, in the middle of what it was asked.

Each time: the mapped error within the caller's deadline, nothing half-written, the lease given
back, and all is well when the store is.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from sheaf.storage.v1 import storage_pb2
from sheaf_common.errors import Conflict, NotFound, SheafError, Unavailable
from sheaf_common.pools.s3 import S3ClientPool
from sheaf_dev.stack import Stack
from sheaf_storage.adapters.s3 import S3ObjectStore
from sheaf_storage.ports import Description
from support import presign
from support.leftovers import left_behind, until_left_behind
from support.storage import MESSAGE_BYTES, PART_BYTES, Service, serving, settings_over, sha256
from support.tcp_proxy import TcpProxy, tcp_proxy
from support.waiting import until

PDF = b"%PDF-1.7\n" + b"page " * (2**20 // 5)
LARGE = b"%PDF-1.7\n" + bytes(range(256)) * (11 * 2**20 // 256)
HUGE = b"%PDF-1.7\n" + bytes(range(256)) * (48 * 2**20 // 256)
"""More than all buffers between the store and a reader that does not read can hold."""

DEADLINE_S = 2.5

Operation: TypeAlias = Callable[[Service, str], Awaitable[object]]


@pytest.fixture
async def proxy(seaweedfs: Stack) -> AsyncIterator[TcpProxy]:
    """The way to S3."""
    async with tcp_proxy("127.0.0.1", seaweedfs.port("seaweedfs")) as proxy:
        yield proxy


@pytest.fixture
async def far(
    seaweedfs: Stack, proxy: TcpProxy, pool: list[S3ClientPool]
) -> AsyncIterator[Service]:
    """Storage that reaches S3 through the proxy, and waits longer for it than its callers do."""
    env = {**seaweedfs.env, "S3_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"}
    settings = settings_over(env, S3_POOL_SIZE=2, S3_READ_TIMEOUT_S=2.0, S3_MAX_ATTEMPTS=2)
    async with serving(settings) as service:
        yield service


async def put(service: Service, key: str) -> object:
    """A put of 1 MiB: one request."""
    return await service.put(key, PDF, timeout_s=DEADLINE_S)


async def multipart(service: Service, key: str) -> object:
    """A put of 11 MiB: an upload of three parts."""
    return await service.put(key, LARGE, timeout_s=DEADLINE_S)


async def get(service: Service, key: str) -> object:
    """The content of what is there."""
    request = storage_pb2.GetObjectRequest(key=f"{key}.there")
    answers = service.peer.receive_stream(service.stub.GetObject, request, timeout_s=DEADLINE_S)
    return b"".join([answer.data async for answer in answers])


async def confirm(service: Service, key: str) -> object:
    """A look at what is there."""
    return await presign.confirm(service, f"{key}.there", timeout_s=DEADLINE_S)


async def break_off(proxy: TcpProxy, fault: str) -> None:
    """Makes the store bad, on new connections and on those that are open."""
    if fault == "hangs":
        proxy.hang()
    elif fault == "resets":
        proxy.resets_after_bytes = 2**18
    else:
        proxy.is_busy = True
        await proxy.go_down()
        await proxy.listen()


async def recover(proxy: TcpProxy) -> None:
    """Makes it good again; what it was sent meanwhile and did not take is lost."""
    proxy.resets_after_bytes, proxy.is_busy = None, False
    await proxy.go_down()
    proxy.flow()
    await proxy.listen()


@pytest.mark.parametrize("fault", ["hangs", "resets", "busy"])
@pytest.mark.parametrize("operation", [put, multipart, get, confirm])
async def test_a_bad_store_is_unavailable_in_time_and_keeps_nothing(
    far: Service,
    proxy: TcpProxy,
    pool: list[S3ClientPool],
    store: S3ObjectStore,
    prefix: str,
    fault: str,
    operation: Operation,
) -> None:
    """And what is there is there afterwards."""
    key = f"{prefix}original"
    await store.put(f"{key}.there", LARGE, Description("application/pdf", sha256(LARGE)))
    await break_off(proxy, fault)
    started = time.monotonic()
    with pytest.raises(Unavailable) as unavailable:
        await operation(far, key)
    took_s = time.monotonic() - started
    await recover(proxy)
    await until_left_behind(store, key, count=0)
    await until(lambda: pool[0].used == 0)

    assert unavailable.value.reason == ("S3_SLOW_DOWN" if fault == "busy" else "S3_UNAVAILABLE")
    assert took_s < DEADLINE_S
    assert await get(far, key) == LARGE
    await operation(far, key)


@pytest.mark.parametrize("fault", ["hangs", "resets", "busy"])
async def test_a_put_that_breaks_in_its_middle_is_undone(
    far: Service,
    proxy: TcpProxy,
    pool: list[S3ClientPool],
    store: S3ObjectStore,
    prefix: str,
    fault: str,
) -> None:
    """A part was stored when the store went bad: it is removed once the store is back."""
    key = f"{prefix}original"
    begun = asyncio.Event()

    async def breaking() -> AsyncIterator[storage_pb2.PutObjectRequest]:
        header: storage_pb2.PutObjectHeader | None = storage_pb2.PutObjectHeader(key=key)
        for start in range(0, len(LARGE), MESSAGE_BYTES):
            yield storage_pb2.PutObjectRequest(
                header=header, data=LARGE[start : start + MESSAGE_BYTES]
            )
            header = None
            if start > PART_BYTES and not begun.is_set():
                await until_left_behind(store, key, count=1)
                await break_off(proxy, fault)
                begun.set()
        yield storage_pb2.PutObjectRequest(finish=True)

    with pytest.raises(Unavailable):
        await far.send(breaking(), timeout_s=DEADLINE_S)
    await recover(proxy)
    await until_left_behind(store, key, count=0)
    await until(lambda: pool[0].used == 0)

    assert begun.is_set()
    assert (await far.put(key, LARGE)).created


@pytest.mark.parametrize("fault", ["hangs", "resets", "busy"])
async def test_a_read_that_breaks_in_its_middle_ends_in_time(
    far: Service,
    proxy: TcpProxy,
    pool: list[S3ClientPool],
    store: S3ObjectStore,
    prefix: str,
    fault: str,
) -> None:
    """What was read is not passed for the whole."""
    key = f"{prefix}original"
    await store.put(key, HUGE, Description("application/pdf", sha256(HUGE)))
    request = storage_pb2.GetObjectRequest(key=key)
    answers = far.peer.receive_stream(far.stub.GetObject, request, timeout_s=DEADLINE_S)
    started = time.monotonic()
    content = bytearray((await anext(answers)).data)
    await break_off(proxy, fault)
    with pytest.raises(Unavailable):
        await _read_into(content, answers)
    took_s = time.monotonic() - started
    await recover(proxy)
    await until(lambda: pool[0].used == 0)

    assert took_s < DEADLINE_S
    assert len(content) < len(HUGE)
    assert HUGE.startswith(content)
    assert await far.get(key) == HUGE


@pytest.mark.parametrize(
    ("error", "replacement"),
    [(NotFound("OBJECT_NOT_FOUND", ""), None), (Conflict("OBJECT_CHANGED", ""), HUGE[::-1])],
    ids=["vanished", "replaced"],
)
async def test_an_object_that_is_not_there_any_more_ends_the_read(
    far: Service,
    proxy: TcpProxy,
    store: S3ObjectStore,
    prefix: str,
    error: SheafError,
    replacement: bytes | None,
) -> None:
    """By its reason, when the connection breaks and is opened again; contents never mix."""
    key = f"{prefix}original"
    await store.put(key, HUGE, Description("application/pdf", sha256(HUGE)))
    request = storage_pb2.GetObjectRequest(key=key)
    answers = far.peer.receive_stream(far.stub.GetObject, request, timeout_s=30)
    content = bytearray((await anext(answers)).data)
    await store.delete([key])
    if replacement is not None:
        await store.put(key, replacement, Description("application/pdf", None))
    await proxy.go_down()
    await proxy.listen()
    with pytest.raises(type(error)) as ended:
        await _read_into(content, answers)

    assert ended.value.reason == error.reason
    assert HUGE.startswith(content)


@pytest.mark.parametrize("fault", ["hangs", "resets", "busy"])
async def test_a_completion_that_nobody_answered_is_repeated(
    far: Service, proxy: TcpProxy, store: S3ObjectStore, prefix: str, fault: str, send: Any
) -> None:
    """Its outcome is unknown: neither the upload nor an object is removed for that."""
    key = f"{prefix}original"
    begun = await presign.begin_upload(far, key, LARGE)
    etags = []
    for number, part in enumerate(begun.parts):
        body = LARGE[number * PART_BYTES : (number + 1) * PART_BYTES]
        etags.append((await send(presign.request_of(part), body)).headers["etag"])
    await break_off(proxy, fault)
    with pytest.raises(Unavailable):
        await presign.complete_upload(
            far, key, begun.upload_id, etags, sha256(LARGE), timeout_s=DEADLINE_S
        )
    await recover(proxy)
    kept = await left_behind(store, key)
    made = await presign.complete_upload(far, key, begun.upload_id, etags, sha256(LARGE))

    assert kept == (["object"] if fault == "resets" else [f"upload {begun.upload_id}"])
    assert made.sha256 == sha256(LARGE)
    assert await left_behind(store, key) == ["object"]


async def _read_into(
    content: bytearray, answers: AsyncIterator[storage_pb2.GetObjectResponse]
) -> None:
    async for answer in answers:
        content += answer.data
