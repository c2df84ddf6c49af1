"""An S3 that is down, silent, refuses or breaks off: the mapped error, within its deadline."""

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import structlog

from sheaf_common.errors import INTERNAL_MESSAGE, InternalError, Unauthenticated, Unavailable
from sheaf_common.grpc.health import is_serving
from sheaf_common.grpc.settings import GrpcSettings
from sheaf_common.pools.s3 import s3_client_pool
from sheaf_dev.stack import Stack
from sheaf_storage.adapters.s3 import S3ObjectStore
from sheaf_storage.adapters.s3_calls import S3Calls
from sheaf_storage.domain import ByteRange
from sheaf_storage.ports import Description
from sheaf_storage.settings import StorageSettings
from support.storage import PART_BYTES, Service, calling, messages, serving, settings_over
from support.tcp_proxy import TcpProxy, tcp_proxy
from support.waiting import until

PDF = b"%PDF-1.7\n" + b"page " * 100
LARGE = b"%PDF-1.7\n" + bytes(range(256)) * (11 * 2**20 // 256)


@pytest.fixture
async def proxy(seaweedfs: Stack) -> AsyncIterator[TcpProxy]:
    """The way to S3."""
    async with tcp_proxy("127.0.0.1", seaweedfs.port("seaweedfs")) as proxy:
        yield proxy


@pytest.fixture
async def far(seaweedfs: Stack, proxy: TcpProxy) -> AsyncIterator[Service]:
    """Storage that reaches S3 through the proxy."""
    env = {**seaweedfs.env, "S3_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"}
    settings = settings_over(env, S3_POOL_SIZE=2, S3_READ_TIMEOUT_S=1.0, S3_MAX_ATTEMPTS=2)
    async with serving(settings) as service:
        yield service


@pytest.mark.parametrize("fault", ["down", "silent"])
@pytest.mark.parametrize("operation", ["put", "get", "head", "multipart"])
async def test_an_s3_that_does_not_answer_is_unavailable_in_time(
    far: Service, proxy: TcpProxy, prefix: str, fault: str, operation: str
) -> None:
    """The caller hears so before its own deadline, and all is well when S3 is back."""
    key = f"{prefix}original"
    await far.put(key, PDF)
    calls: dict[str, Any] = {
        "put": lambda: far.put(f"{prefix}other", PDF, timeout_s=2),
        "multipart": lambda: far.put(f"{prefix}large", LARGE, timeout_s=2),
        "get": lambda: asyncio.wait_for(far.get(key), 10),
        "head": lambda: asyncio.wait_for(far.head(key), 10),
    }
    if fault == "down":
        await proxy.go_down()
    else:
        proxy.stall()
    started = time.monotonic()
    with pytest.raises(Unavailable) as unavailable:
        await calls[operation]()
    took_s = time.monotonic() - started
    if fault == "down":
        await proxy.listen()
    else:
        proxy.flow()

    assert unavailable.value.reason == "S3_UNAVAILABLE"
    assert took_s < (2.0 if operation in {"put", "multipart"} else 6.0)
    assert await far.get(key) == PDF


async def test_health_tells_whether_s3_answers(far: Service, proxy: TcpProxy) -> None:
    """The dependency's health follows it; the process itself goes on serving."""
    await _until_healthy(far, healthy=True)
    await proxy.go_down()
    await _until_healthy(far, healthy=False)
    serves = await is_serving(far.peer)
    await proxy.listen()
    await _until_healthy(far, healthy=True)

    assert serves


@pytest.mark.parametrize("breaks", [1, 3])
async def test_a_read_that_breaks_goes_on_where_it_broke(
    far: Service, proxy: TcpProxy, prefix: str, breaks: int
) -> None:
    """The reader sees one content, without a gap, though the connection was cut on the way."""
    await far.put(f"{prefix}original", LARGE)
    proxy.cut_after_bytes = [3 * 2**20] * breaks

    assert await far.get(f"{prefix}original") == LARGE
    assert proxy.cut_after_bytes == []


async def test_a_read_that_keeps_breaking_is_unavailable(
    far: Service, proxy: TcpProxy, prefix: str
) -> None:
    """The tries are bounded, and what was read before is not passed for the whole."""
    await far.put(f"{prefix}original", LARGE)
    proxy.cut_after_bytes = [2**20] * 50
    with pytest.raises(Unavailable) as unavailable:
        await far.get(f"{prefix}original")

    assert unavailable.value.reason == "S3_UNAVAILABLE"


async def test_an_upload_that_s3_breaks_is_aborted(
    far: Service, proxy: TcpProxy, store: S3ObjectStore, prefix: str
) -> None:
    """Once S3 is back, nothing of it is left."""
    key = f"{prefix}original"
    begun = asyncio.Event()

    async def breaking() -> AsyncIterator[Any]:
        async for request in messages(key, LARGE[: 2 * PART_BYTES + 1000]):
            yield request
            if request.data and not begun.is_set() and await _uploads(store, key):
                begun.set()
                await proxy.go_down()

    with pytest.raises(Unavailable):
        await far.send(breaking(), timeout_s=20)
    await proxy.listen()
    async with asyncio.timeout(20):
        while await _uploads(store, key):  # noqa: ASYNC110 - in the server
            await asyncio.sleep(0.02)

    assert begun.is_set()


@pytest.mark.parametrize(
    "changed",
    [
        {"S3_SECRET_ACCESS_KEY": "wrong"},
        {"S3_ACCESS_KEY_ID": "unknown"},
        {"S3_BUCKET": "none-such"},
    ],
)
async def test_a_wrong_configuration_is_told_at_the_start(
    seaweedfs: Stack, changed: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """As such, after the time to wait for S3, without a secret in the message."""
    env = {**seaweedfs.env, **changed}
    with pytest.raises(Unavailable) as refused:
        async with serving(settings_over(env, S3_START_TIMEOUT_S=0)):
            pass

    assert refused.value.reason == "S3_MISCONFIGURED"
    told = str(refused.value) + caplog.text
    assert not any(env[name] in told for name in ("S3_SECRET_ACCESS_KEY", "S3_ACCESS_KEY_ID"))


async def test_a_late_s3_does_not_fail_the_start(seaweedfs: Stack, proxy: TcpProxy) -> None:
    """The start waits for it and then serves."""
    env = {**seaweedfs.env, "S3_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"}
    await proxy.go_down()
    entering = serving(settings_over(env, S3_POOL_SIZE=1, S3_MAX_ATTEMPTS=1))
    with structlog.testing.capture_logs() as logged:
        starting = asyncio.create_task(entering.__aenter__())
        await until(lambda: any("cannot be reached yet" in entry["event"] for entry in logged))
        await proxy.listen()
        service = await asyncio.wait_for(starting, 10)
    serves = await is_serving(service.peer)
    await entering.__aexit__(None, None, None)

    assert serves


async def test_a_caller_without_the_token_is_refused(service: Service, prefix: str) -> None:
    """Nothing is stored for a stranger."""
    stranger = GrpcSettings.model_validate({"GRPC_TOKEN": "wrong"})
    async with calling(service.port, stranger) as calls:
        with pytest.raises(Unauthenticated):
            await calls.put(f"{prefix}original", PDF)


async def test_a_bug_shows_nothing_of_itself(
    settings: StorageSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception that is no known error reaches the caller as a fixed text."""

    async def broken(_store: Any, key: str) -> Any:
        raise KeyError(f"password=hunter2 {key}")

    monkeypatch.setattr(S3ObjectStore, "head", broken)
    async with serving(settings) as service:
        with pytest.raises(InternalError) as bug:
            await service.head("documents/a/original")

    assert bug.value.message == INTERNAL_MESSAGE
    assert "hunter2" not in str(bug.value)


async def test_a_cancelled_read_of_a_silent_s3_keeps_its_lease_until_it_ends(
    far: Service, proxy: TcpProxy, prefix: str
) -> None:
    """The caller is freed at once; the connection counts as used while a thread waits on it."""
    await far.put(f"{prefix}original", PDF)
    proxy.stall()
    reading = asyncio.create_task(far.get(f"{prefix}original"))
    await until(lambda: proxy.connections > 0)
    reading.cancel()
    started = time.monotonic()
    await asyncio.wait([reading])

    assert time.monotonic() - started < 1


async def test_a_reader_that_leaves_a_silent_s3_ends_the_read(
    seaweedfs: Stack, proxy: TcpProxy, store: S3ObjectStore, prefix: str
) -> None:
    """The thread is not left to S3's read timeout: its connection is closed at once."""
    key = f"{prefix}original"
    await store.put(key, LARGE, Description("application/pdf", None))
    env = {**seaweedfs.env, "S3_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"}
    settings = settings_over(env, S3_POOL_SIZE=1, S3_READ_TIMEOUT_S=30.0).s3
    with ThreadPoolExecutor(1) as threads:
        async with s3_client_pool(settings) as pool:
            far_store = S3ObjectStore(S3Calls(pool, threads), settings.bucket)
            reading = asyncio.create_task(_read_until_stalled(far_store, key, proxy))
            await until(lambda: proxy.stalled)
            reading.cancel()
            await asyncio.wait([reading])
            await until(lambda: pool.used == 0, timeout_s=2)

    assert reading.cancelled()


async def _read_until_stalled(store: S3ObjectStore, key: str, proxy: TcpProxy) -> None:
    async with store.open(key, ByteRange()) as reader:
        proxy.stall()
        while await reader.read():
            pass


async def _uploads(store: S3ObjectStore, key: str) -> int:
    found = [u async for u in store.unfinished_uploads() if u.upload.key == key]
    return len(found)


async def _until_healthy(service: Service, *, healthy: bool) -> None:
    async with asyncio.timeout(15):
        while await is_serving(service.peer, "dependency/s3") is not healthy:  # noqa: ASYNC110 - over the wire
            await asyncio.sleep(0.02)
