"""The Redis client and its connections, at their bounds, over Valkey."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from sheaf_common.pools.redis import RedisSettings, redis_client
from sheaf_common.pools.redis_connections import BoundedConnectionPool
from support.tcp_proxy import TcpProxy, tcp_proxy
from support.waiting import until

from .conftest import RedisVariables


@pytest.fixture
async def server(redis: RedisVariables) -> AsyncIterator[Redis]:
    """Another client, to ask the server."""
    async with Redis.from_url(redis().url.get_secret_value()) as client:
        await client.ping()
        yield client


async def clients(server: Redis) -> int:
    """How many INFO clients shows."""
    found: dict[str, Any] = await server.info("clients")
    return int(found["connected_clients"])


async def received(server: Redis) -> int:
    """How many connections the server has taken so far."""
    found: dict[str, Any] = await server.info("stats")
    return int(found["total_connections_received"])


def pool_of(client: Redis) -> BoundedConnectionPool:
    """The pool behind a client."""
    pool = client.connection_pool
    assert isinstance(pool, BoundedConnectionPool)
    return pool


async def test_the_201st_connection_waits_and_then_fails(
    redis: RedisVariables, server: Redis
) -> None:
    """200, as INFO clients says too; the wait ends by REDIS_POOL_TIMEOUT_S."""
    before = await clients(server)
    async with redis_client(redis()) as client:
        pool = pool_of(client)
        held = [await pool.get_connection() for _ in range(200)]
        assert (pool.size, pool.open, pool.used) == (200, 200, 200)
        assert await clients(server) - before == 200

        started = time.monotonic()
        refused = asyncio.ensure_future(client.ping())
        await until(lambda: pool.waiting == 1)
        with pytest.raises(RedisConnectionError, match="all 200 are in use"):
            await refused
        assert 0.4 < time.monotonic() - started < 3

        waiting = asyncio.ensure_future(client.ping())
        await until(lambda: pool.waiting == 1)
        await pool.release(held.pop())
        assert await waiting
        for connection in held:
            await pool.release(connection)
        assert (pool.open, pool.used, pool.waiting) == (200, 0, 0)
        assert pool.used_max == 200
        assert await clients(server) - before == 200


async def test_a_cancelled_caller_keeps_no_place(redis: RedisVariables) -> None:
    """Neither one that waits nor one whose command is under way, however often."""
    async with redis_client(redis(REDIS_MAX_CONNECTIONS=2)) as client:
        pool = pool_of(client)
        for _ in range(30):
            calls = [asyncio.ensure_future(client.blpop(["nothing"], 5)) for _ in range(6)]
            await until(lambda: (pool.used, pool.waiting) == (2, 4))
            for call in calls:
                call.cancel()
            await asyncio.wait(calls)
        assert (pool.used, pool.waiting) == (0, 0)
        assert all(await asyncio.gather(*(client.ping() for _ in range(20))))


async def test_connections_are_reused(redis: RedisVariables, server: Redis) -> None:
    """A hundred calls one after the other open one; rolled back, each opens one."""
    for mode, opened in (("pooled", 1), ("per_call", 100)):
        before = await received(server)
        async with redis_client(redis(REDIS_CLIENT_MODE=mode)) as client:
            for _ in range(100):
                await client.ping()
            assert await received(server) - before == opened, mode


async def test_rolled_back_it_does_all_that_is_asked_of_it(redis: RedisVariables) -> None:
    """Scripts and subscriptions too; 100 at once and no more."""
    settings = redis(
        REDIS_CLIENT_MODE="per_call", REDIS_SOCKET_TIMEOUT_S=10, REDIS_POOL_TIMEOUT_S=10
    )
    async with redis_client(settings) as client:
        assert await client.register_script("return ARGV[1]")(args=["said"]) == b"said"
        async with client.pubsub(ignore_subscribe_messages=True) as subscription:
            await subscription.subscribe("channel")
            await subscription.get_message(timeout=1)
            await client.publish("channel", "heard")
            message: Any = await subscription.get_message(timeout=5)
        assert message["data"] == b"heard"

        pool = pool_of(client)
        calls = [asyncio.ensure_future(client.blpop(["nothing"], 1)) for _ in range(110)]
        await until(lambda: (pool.used, pool.waiting) == (100, 10))
        assert pool.open >= 100
        await asyncio.gather(*calls)
        assert (pool.used, pool.used_max, pool.waiting) == (0, 100, 0)


@asynccontextmanager
async def proxied(
    redis: RedisVariables, **variables: object
) -> AsyncIterator[tuple[Redis, TcpProxy, RedisSettings]]:
    """A client whose way to the server the test can cut."""
    url = urlsplit(redis().url.get_secret_value())
    async with tcp_proxy(url.hostname or "", url.port or 0) as proxy:
        own = url._replace(netloc=url.netloc.replace(str(url.port), str(proxy.port))).geturl()
        settings = redis(REDIS_URL=own, **variables)
        async with redis_client(settings) as client:
            yield client, proxy, settings


@pytest.mark.parametrize("retries", [2, 0])
async def test_a_call_whose_connection_is_lost_is_tried_again(
    redis: RedisVariables, retries: int
) -> None:
    """It succeeds; without retries it would not have."""
    async with proxied(redis, REDIS_RETRY_ATTEMPTS=retries) as (client, proxy, _):
        await client.ping()
        proxy.stall()
        call = asyncio.ensure_future(client.echo("said"))
        await until(lambda: proxy.stalled)
        proxy.cut()
        proxy.flow()
        if retries:
            assert await call == b"said"
        else:
            with pytest.raises(RedisError):
                await call


async def test_retries_are_two_with_growing_pauses(
    redis: RedisVariables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10 ms, then 20 ms, then the error."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async with proxied(redis) as (client, proxy, _):
        await client.ping()
        await proxy.go_down()
        await client.connection_pool.disconnect()
        monkeypatch.setattr("redis.asyncio.retry.sleep", pause)
        with pytest.raises(RedisConnectionError):
            await client.ping()

    assert pauses == [0.010, 0.020]


async def test_a_silent_server_is_given_up(redis: RedisVariables) -> None:
    """Each try after REDIS_SOCKET_TIMEOUT_S."""
    async with proxied(redis, REDIS_SOCKET_TIMEOUT_S=0.1, REDIS_RETRY_ATTEMPTS=0) as (
        client,
        proxy,
        _,
    ):
        await client.ping()
        proxy.stall()
        started = time.monotonic()
        with pytest.raises(RedisTimeoutError):
            await client.ping()
        assert 0.08 < time.monotonic() - started < 2


async def test_a_rested_connection_is_checked(redis: RedisVariables, server: Redis) -> None:
    """After REDIS_HEALTH_CHECK_INTERVAL_S without use, by a PING; sockets are kept alive."""
    async with redis_client(redis(REDIS_HEALTH_CHECK_INTERVAL_S=1)) as client:
        pool = pool_of(client)
        await client.get("key")
        connection: Any = await pool.get_connection()
        writer: asyncio.StreamWriter = connection._writer
        kept: socket.socket = writer.get_extra_info("socket")
        assert kept.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0
        await pool.release(connection)

        before = await pings(server)
        async with asyncio.timeout(10):
            while await pings(server) == before:
                await asyncio.sleep(0.1)
                connection.next_health_check = min(
                    connection.next_health_check, asyncio.get_running_loop().time()
                )
                await client.get("key")

    assert redis().health_check_interval_s == 30


async def pings(server: Redis) -> int:
    """How many PINGs the server has answered."""
    found: dict[str, Any] = await server.info("commandstats")
    return int(found.get("cmdstat_ping", {"calls": 0})["calls"])
