"""The pool of S3 clients: shared leases, least loaded first, a bound that holds."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from sheaf_common.errors import OverCapacity, Unavailable
from sheaf_common.pools.s3 import S3ClientPool, S3Settings
from sheaf_common.pools.s3_clients import ClientPerLease, SharedClients
from support.waiting import until


def _pool(clients: int, connections: int, timeout_s: float = 0.05) -> S3ClientPool:
    settings = S3Settings.model_construct(
        pool_size=clients, max_pool_connections=connections, lease_timeout_s=timeout_s
    )
    fakes: list[Any] = [f"client-{number}" for number in range(clients)]
    return S3ClientPool(SharedClients(fakes), settings)


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


class _Client:
    """A client that knows whether it was closed."""

    closed = False

    def close(self) -> None:
        self.closed = True


class _Maker:
    """Makes clients, each once it is let."""

    def __init__(self) -> None:
        self.made: list[Any] = []
        self.may = asyncio.Event()

    async def __call__(self) -> Any:
        await self.may.wait()
        self.made.append(_Client())
        return self.made[-1]


async def test_rolled_back_each_lease_has_a_client_of_its_own() -> None:
    """Made for it and closed after it; the bound is the same."""
    settings = S3Settings.model_construct(
        client_mode="per_call", pool_size=1, max_pool_connections=2, lease_timeout_s=0.05
    )
    maker = _Maker()
    maker.may.set()
    pool = S3ClientPool(ClientPerLease(maker), settings)
    async with pool.lease() as first, pool.lease() as second:
        assert (first is second, pool.open, pool.used) == (False, 2, 2)
        with pytest.raises(Unavailable):
            await _lease_once(pool)
    await _lease_once(pool)

    assert (len(maker.made), pool.open, pool.used, pool.used_max) == (3, 0, 0, 2)
    assert all(client.closed for client in maker.made)


async def test_a_client_whose_caller_left_while_it_was_made_is_closed() -> None:
    """Nothing leaks, and the place is free again."""
    settings = S3Settings.model_construct(
        client_mode="per_call", pool_size=1, max_pool_connections=1, lease_timeout_s=0.05
    )
    maker = _Maker()
    pool = S3ClientPool(ClientPerLease(maker), settings)
    leasing = asyncio.create_task(_lease_once(pool))
    await until(lambda: pool.used == 1)
    leasing.cancel()
    await asyncio.wait({leasing})
    assert (pool.used, pool.waiting) == (0, 0)

    maker.may.set()
    await until(lambda: bool(maker.made) and maker.made[0].closed)


async def _lease_once(pool: S3ClientPool) -> object:
    async with pool.lease() as client:
        return client
