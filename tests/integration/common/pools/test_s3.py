"""The pool of S3 clients over SeaweedFS: made once, leased, at its bounds."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import boto3.session
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from sheaf_common.errors import Unavailable
from sheaf_common.pools.s3 import S3ClientPool, s3_client_pool
from sheaf_common.pools.s3_session import SENT_AT_ONCE_BYTES
from support.tcp_proxy import TcpProxy, tcp_proxy
from support.waiting import until

from .conftest import S3Variables

CALLERS = 64


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """In which thread each client was made."""
    threads: list[str] = []
    original = boto3.session.Session.client

    def client(self: Any, *arguments: Any, **options: Any) -> Any:
        threads.append(threading.current_thread().name)
        return original(self, *arguments, **options)

    monkeypatch.setattr(boto3.session.Session, "client", client)
    return threads


@asynccontextmanager
async def proxied(s3: S3Variables, **variables: object) -> AsyncIterator[tuple[TcpProxy, Any]]:
    """Settings whose way to the server goes through a proxy."""
    url = urlsplit(s3().endpoint_url or "")
    async with tcp_proxy(url.hostname or "", url.port or 0) as proxy:
        yield proxy, s3(S3_ENDPOINT_URL=f"http://127.0.0.1:{proxy.port}", **variables)


async def in_thread(
    pool: S3ClientPool, threads: ThreadPoolExecutor, work: Callable[..., Any]
) -> Any:
    """Runs `work` with a leased client."""
    async with pool.lease() as client:
        return await asyncio.get_running_loop().run_in_executor(threads, work, client)


def looks(bucket: str) -> Callable[[Any], Any]:
    """A small operation."""
    return lambda client: client.head_bucket(Bucket=bucket)


async def test_twenty_clients_are_made_at_start_and_none_later(
    s3: S3Variables, made: list[str]
) -> None:
    """In one thread; a hundred operations at once make no other."""
    settings = s3()
    with ThreadPoolExecutor(CALLERS) as threads:
        async with s3_client_pool(settings) as pool:
            assert (len(made), len(set(made)), pool.open, pool.size) == (20, 1, 20, 200)
            await asyncio.gather(
                *(in_thread(pool, threads, looks(settings.bucket)) for _ in range(100))
            )
            assert len(made) == 20


async def test_the_201st_lease_waits_and_then_fails(s3: S3Variables) -> None:
    """One lease for each connection of each client; no client has more than it has connections."""
    async with s3_client_pool(s3(S3_LEASE_TIMEOUT_S=0.3)) as pool:
        async with AsyncExitStack() as stack:
            leased = [await stack.enter_async_context(pool.lease()) for _ in range(200)]
            assert {leased.count(client) for client in leased} == {10}
            started = time.monotonic()
            refused = asyncio.create_task(in_thread(pool, ThreadPoolExecutor(1), looks("x")))
            await until(lambda: pool.waiting == 1)
            with pytest.raises(Unavailable) as full:
                await refused
            assert 0.2 < time.monotonic() - started < 3
        assert full.value.reason == "S3_POOL_TIMEOUT"
        assert (pool.used, pool.waiting) == (0, 0)


async def test_connections_are_kept_and_never_more_than_bound(s3: S3Variables) -> None:
    """Sixty-four callers on two clients of three connections open six, once."""
    variables = {"S3_POOL_SIZE": 2, "S3_MAX_POOL_CONNECTIONS": 3}
    async with proxied(s3, **variables) as (proxy, settings):
        with ThreadPoolExecutor(CALLERS) as threads:
            async with s3_client_pool(settings) as pool:
                for _ in range(3):
                    await asyncio.gather(
                        *(in_thread(pool, threads, looks(settings.bucket)) for _ in range(CALLERS))
                    )
                assert 3 <= proxy.accepted <= 6
                assert proxy.connections == proxy.accepted


async def test_rolled_back_each_operation_has_a_new_client(
    s3: S3Variables, made: list[str]
) -> None:
    """With a connection of its own, closed with it; the bound of the pool holds all the same."""
    variables = {"S3_CLIENT_MODE": "per_call", "S3_POOL_SIZE": 1, "S3_MAX_POOL_CONNECTIONS": 4}
    async with proxied(s3, **variables) as (proxy, settings):
        with ThreadPoolExecutor(CALLERS) as threads:
            async with s3_client_pool(settings) as pool:
                assert (made, pool.open) == ([], 0)
                await asyncio.gather(
                    *(in_thread(pool, threads, looks(settings.bucket)) for _ in range(12))
                )
                assert (len(made), proxy.accepted, pool.open) == (12, 12, 0)
                await until(lambda: proxy.connections == 0)


async def test_a_silent_store_is_tried_three_times(s3: S3Variables) -> None:
    """Each try ends by S3_READ_TIMEOUT_S; S3_MAX_ATTEMPTS counts the first."""
    variables = {"S3_POOL_SIZE": 1, "S3_READ_TIMEOUT_S": 0.2}
    async with proxied(s3, **variables) as (proxy, settings):
        with ThreadPoolExecutor(1) as threads:
            async with s3_client_pool(settings) as pool:
                proxy.stall()
                with pytest.raises(ReadTimeoutError):
                    await in_thread(pool, threads, looks(settings.bucket))
                assert proxy.accepted == 3


async def test_a_store_that_takes_no_connection_is_given_up(s3: S3Variables) -> None:
    """After S3_CONNECT_TIMEOUT_S: a listener whose line is full answers nobody."""
    full = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0, backlog=1)
    full_socket = full.sockets[0]
    await asyncio.to_thread(full.get_loop().remove_reader, full_socket.fileno())
    port = full_socket.getsockname()[1]
    crowd = [asyncio.create_task(asyncio.open_connection("127.0.0.1", port)) for _ in range(8)]
    variables = {
        "S3_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "S3_POOL_SIZE": 1,
        "S3_CONNECT_TIMEOUT_S": 0.3,
        "S3_MAX_ATTEMPTS": 1,
    }
    with ThreadPoolExecutor(1) as threads:
        async with s3_client_pool(s3(**variables)) as pool:
            started = time.monotonic()
            with pytest.raises(ConnectTimeoutError):
                await in_thread(pool, threads, looks("bucket"))
            assert 0.2 < time.monotonic() - started < 3
    for task in crowd:
        task.cancel()
    full.close()


async def test_slow_readers_leave_room_for_others(s3: S3Variables) -> None:
    """The least loaded client is next: ten that hold leases never meet a quick one's client."""
    settings = s3()
    async with s3_client_pool(settings) as pool, AsyncExitStack() as slow:
        held = [await slow.enter_async_context(pool.lease()) for _ in range(10)]
        with ThreadPoolExecutor(1) as threads:
            for _ in range(20):
                async with pool.lease() as client:
                    assert client not in held
                    with pytest.raises(ClientError):
                        await asyncio.get_running_loop().run_in_executor(
                            threads,
                            lambda: client.head_object(Bucket=settings.bucket, Key="nothing"),
                        )


@pytest.mark.parametrize("size_bytes", [SENT_AT_ONCE_BYTES, SENT_AT_ONCE_BYTES + 1])
async def test_a_small_body_does_not_wait_for_its_headers(s3: S3Variables, size_bytes: int) -> None:
    """A large one does, so that a refusal spares it; both are stored, and refused, the same."""
    expected: list[bool] = []
    key = f"documents/{uuid4()}"
    settings = s3(S3_POOL_SIZE=1)

    def put(client: Any) -> None:
        client.put_object(Bucket=settings.bucket, Key=key, Body=bytes(size_bytes), IfNoneMatch="*")

    def note(request: Any, **_event: object) -> None:
        expected.append("Expect" in request.headers)

    async with s3_client_pool(settings) as pool, pool.lease() as client:
        client.meta.events.register("before-send.s3.PutObject", note)
        await asyncio.to_thread(put, client)
        with pytest.raises(ClientError) as refused:
            await asyncio.to_thread(put, client)
        found = await asyncio.to_thread(client.head_object, Bucket=settings.bucket, Key=key)

    assert expected == [size_bytes > SENT_AT_ONCE_BYTES] * 2
    assert refused.value.response["Error"]["Code"] == "PreconditionFailed"
    assert found["ContentLength"] == size_bytes
