"""Jobs in threads under leases: a lease stands for a connection in use, whoever still waits."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sheaf_common.errors import NotFound, Unavailable
from sheaf_common.pools.s3 import S3ClientPool, S3Settings
from sheaf_common.pools.s3_clients import SharedClients
from sheaf_storage.adapters.s3 import S3ObjectStore
from sheaf_storage.adapters.s3_calls import S3Calls
from support.waiting import until


class Client:
    """A client whose `head_bucket` waits for the test."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer = threading.Event()

    def head_bucket(self, **_: Any) -> None:
        """Blocks its thread."""
        self.asked += 1
        assert self.answer.wait(10)


@pytest.fixture
def client() -> Client:
    """Silent until the test wants its answer."""
    return Client()


@pytest.fixture
def threads(client: Client) -> Iterator[ThreadPoolExecutor]:
    """As many as a test needs."""
    with ThreadPoolExecutor(4) as executor:
        yield executor
        client.answer.set()


@pytest.fixture
def pool(client: Client) -> S3ClientPool:
    """A pool with one client of two connections."""
    settings = S3Settings.model_construct(pool_size=1, max_pool_connections=2, lease_timeout_s=0.05)
    clients: list[Any] = [client]
    return S3ClientPool(SharedClients(clients), settings)


@pytest.fixture
def calls(pool: S3ClientPool, threads: ThreadPoolExecutor) -> S3Calls:
    """The calls over them."""
    return S3Calls(pool, threads)


async def test_a_job_whose_caller_left_keeps_its_lease_until_it_ends(
    calls: S3Calls, pool: S3ClientPool, client: Client
) -> None:
    """The caller is free at once; a thread that hangs is not taken for a free connection."""
    job = asyncio.create_task(calls.run("head_bucket", lambda c: c.head_bucket(Bucket="b")))
    await until(lambda: client.asked)
    job.cancel()
    await asyncio.wait([job])
    used = pool.used
    client.answer.set()
    await until(lambda: pool.used == 0)

    assert job.cancelled()
    assert used == 1


async def test_hanging_jobs_do_not_exceed_the_pool(
    calls: S3Calls, pool: S3ClientPool, client: Client
) -> None:
    """The next one fails by name, though nobody waits for the two before it."""
    jobs = [
        asyncio.create_task(calls.run("head_bucket", lambda c: c.head_bucket(Bucket="b")))
        for _ in range(2)
    ]
    await until(lambda: client.asked == 2)
    for job in jobs:
        job.cancel()
    await asyncio.wait(jobs)
    with pytest.raises(Unavailable) as full:
        await calls.run("head_bucket", lambda c: c.head_bucket(Bucket="b"))

    assert full.value.reason == "S3_POOL_TIMEOUT"
    assert client.asked == 2


async def test_a_silent_store_is_pinged_once(calls: S3Calls, client: Client) -> None:
    """Health asks every 2 seconds; its questions do not fill the pool."""
    store = S3ObjectStore(calls, "bucket")
    for _ in range(3):
        with pytest.raises((TimeoutError, Unavailable)):
            async with asyncio.timeout(0.02):
                await store.ping()
    asked = client.asked
    client.answer.set()
    await until(lambda: store._ping is None)
    await store.ping()

    assert (asked, client.asked) == (1, 2)


async def test_a_jobs_own_error_is_raised_and_the_lease_given_back(
    calls: S3Calls, pool: S3ClientPool
) -> None:
    """What is no error of S3's passes unchanged."""

    def missing(_client: Any) -> None:
        raise NotFound("OBJECT_NOT_FOUND", "gone")

    with pytest.raises(NotFound):
        await calls.run("head_object", missing, "documents/a")

    assert pool.used == 0
