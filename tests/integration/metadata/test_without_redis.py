"""Redis stopped, hung or emptied: everything works, nearly as fast."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable

import psutil
import pytest
from redis.asyncio import Redis

from sheaf.metadata.v1 import document_pb2
from sheaf_dev.stack import Stack
from support.metadata import Metadata, completed, metadata_settings, served

_COMPLETED = document_pb2.DOCUMENT_STATUS_COMPLETED


@pytest.fixture(scope="module")
async def valkey(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A Valkey of this module's own, to be hurt."""
    folder = tmp_path_factory.mktemp("valkey")
    async with Stack.private(folder, services=(), servers=("valkey",)) as stack:
        yield stack


@pytest.fixture(scope="module")
async def service(
    database_servers: Stack, database_url: str, valkey: Stack
) -> AsyncIterator[Metadata]:
    """The service over it."""
    async with served(metadata_settings(database_url, valkey.env["REDIS_URL"])) as service:
        yield service


@pytest.fixture(params=["stopped", "hung"])
async def outage(
    request: pytest.FixtureRequest, valkey: Stack, metadata: Metadata
) -> AsyncIterator[None]:
    """Redis does not answer for the length of the test; afterwards it does, and is used."""
    if request.param == "stopped":
        await valkey.stop_process("valkey")
        yield
        await valkey.start_process("valkey")
    else:
        process = psutil.Process(valkey.pid("valkey"))
        process.send_signal(signal.SIGSTOP)
        yield
        process.send_signal(signal.SIGCONT)
    async with asyncio.timeout(5):
        while not await is_cached(metadata, valkey):
            pass


async def is_cached(metadata: Metadata, valkey: Stack) -> bool:
    """Whether an ended document is put into the cache."""
    await metadata.empty()
    (document_id,) = await metadata.registered(1)
    await metadata.complete(await metadata.claimed())
    client = Redis.from_url(valkey.env["REDIS_URL"])
    async with client:
        return bool(await client.exists(f"sheaf:document:1:{document_id.replace('-', '')}"))


async def took_s(work: Awaitable[object]) -> float:
    """How long a call takes."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    await work
    return loop.time() - started


async def test_everything_goes_on(metadata: Metadata, outage: None) -> None:
    """Register, read, claim, record: all work, and after the first few calls cost no more."""
    (document_id,) = await metadata.registered(1)
    for _ in range(5):
        await metadata.document(document_id)
    group = await metadata.claimed()
    await metadata.record(group.workflow_id, completed(document_id))
    found = await metadata.document(document_id)

    assert found.status == _COMPLETED
    times = sorted([await took_s(metadata.document(document_id)) for _ in range(40)])
    assert times[-2] < 0.03
    assert await took_s(metadata.registered(1)) < 0.1
    assert await took_s(metadata.claimed()) < 0.1


async def test_the_first_calls_are_bounded(metadata: Metadata, outage: None) -> None:
    """While it is not yet known that Redis is gone a call waits for it a tenth of a second."""
    assert await took_s(metadata.registered(1)) < 0.5
    (document_id,) = await metadata.registered(1)
    assert await took_s(metadata.document(document_id)) < 0.5


async def test_waiters_are_woken_without_redis(metadata: Metadata, outage: None) -> None:
    """In the same process at once; by their own look within little more than a second."""
    (document_id,) = await metadata.registered(1)
    group = await metadata.claimed()
    waiting = asyncio.create_task(metadata.document(document_id, wait_s=20))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 1.2)
    assert await took_s(metadata.record(group.workflow_id, completed(document_id))) < 0.5
    assert await took_s(waiting) < 0.1
    assert waiting.result().status == _COMPLETED


async def test_an_end_that_nobody_announces_is_seen(metadata: Metadata, outage: None) -> None:
    """A record by a process that no hint comes from: within 1.2 s."""
    (document_id,) = await metadata.registered(1)
    waiting = asyncio.create_task(metadata.document(document_id, wait_s=20))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.4)
    await metadata.sql("UPDATE document SET status = 'completed'")
    assert await took_s(waiting) < 1.2


async def test_a_claim_finds_work_that_nobody_announces(metadata: Metadata, outage: None) -> None:
    """By its own look each quarter of a second."""
    (document_id,) = await metadata.registered(1)
    await metadata.sql("UPDATE document SET status = 'failed'")
    waiting = asyncio.create_task(metadata.claim(wait_s=20))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.4)
    await metadata.sql("UPDATE document SET status = 'queued'")
    assert await took_s(waiting) < 0.4
    group = waiting.result()
    assert group is not None
    assert group.documents[0].document_id == document_id


async def test_an_emptied_redis_loses_nothing(metadata: Metadata, valkey: Stack) -> None:
    """Cache, scripts and fairness are gone; answers are the same."""
    (document_id,) = await metadata.registered(1)
    await metadata.complete(await metadata.claimed())
    before = await metadata.document(document_id)
    async with Redis.from_url(valkey.env["REDIS_URL"]) as client:
        await client.flushall()
        await client.script_flush()

    assert await metadata.document(document_id) == before
    await metadata.registered(1)
    assert await metadata.claim() is not None
