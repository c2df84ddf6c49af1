"""The pool of S3 clients: shared leases, least loaded first, a bound that holds."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from sheaf_common.errors import OverCapacity, Unavailable
from sheaf_common.pools.s3 import S3ClientPool, S3Settings
from support.waiting import until


def _pool(clients: int, connections: int, timeout_s: float = 0.05) -> S3ClientPool:
    settings = S3Settings.model_construct(
        max_pool_connections=connections, lease_timeout_s=timeout_s
    )
    fakes: list[Any] = [f"client-{number}" for number in range(clients)]
    return S3ClientPool(fakes, settings)


async def test_the_least_loaded_client_is_leased_first() -> None:
    """Leases spread over all clients before any client has two."""
    pool = _pool(clients=3, connections=2)
    async with AsyncExitStack() as stack:
        leased: list[Any] = [await stack.enter_async_context(pool.lease()) for _ in range(3)]

    assert set(leased) == {"client-0", "client-1", "client-2"}


async def test_every_connection_can_be_leased_and_no_more() -> None:
    """The bound is clients times connections; the next waits, then fails by name."""
    pool = _pool(clients=2, connections=2)
    async with AsyncExitStack() as stack:
        for _ in range(4):
            await stack.enter_async_context(pool.lease())
        with pytest.raises(Unavailable) as full:
            await stack.enter_async_context(pool.lease())

    assert full.value.reason == "S3_POOL_TIMEOUT"
    assert (pool.used, pool.waiting) == (0, 0)


async def test_a_waiting_operation_gets_the_next_free_client() -> None:
    """A lease that ends goes to the one that waited."""
    pool = _pool(clients=1, connections=1, timeout_s=5)
    async with pool.lease():
        waiting = asyncio.create_task(_lease_once(pool))
        await until(lambda: pool.waiting == 1)

    assert await asyncio.wait_for(waiting, 1) == "client-0"


async def test_waiting_is_bounded() -> None:
    """When ten times the capacity waits, the next is refused at once."""
    pool = _pool(clients=1, connections=1, timeout_s=5)
    async with pool.lease():
        waiting = [asyncio.create_task(_lease_once(pool)) for _ in range(10)]
        await until(lambda: pool.waiting == 10)
        with pytest.raises(OverCapacity):
            await _lease_once(pool)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)

    assert await _lease_once(pool) == "client-0"


async def _lease_once(pool: S3ClientPool) -> object:
    async with pool.lease() as client:
        return client
