"""The cache: an older row never replaces a newer one, and nothing stays too long."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from redis.asyncio import Redis

from sheaf.metadata.v1 import document_pb2, metadata_pb2
from sheaf_common.ids import new_id
from sheaf_common.pools.redis_gate import RedisGate
from sheaf_dev.stack import Stack
from sheaf_metadata.adapters.redis.cache import RedisDocumentCache
from sheaf_metadata.adapters.redis.fairness import RedisFairness
from sheaf_metadata.domain.documents import Document, Lane, Priority, Status
from sheaf_metadata.ports.fairness import QueuedWork
from support.metadata import Metadata, as_user, metadata_settings, new_document, served
from support.metadata_fakes import FakeLines


@pytest.fixture(scope="module")
async def client(database_servers: Stack) -> AsyncIterator[Redis]:
    """A client of the shared Valkey."""
    async with Redis.from_url(database_servers.env["REDIS_URL"]) as client:
        yield client


@pytest.fixture(scope="module")
async def other(
    database_servers: Stack, service: Metadata, database_url: str
) -> AsyncIterator[Metadata]:
    """A second service over the same database and Redis."""
    settings = metadata_settings(database_url, database_servers.env["REDIS_URL"])
    async with served(settings) as other:
        yield other


@pytest.fixture
async def cache(client: Redis) -> RedisDocumentCache:
    """The cache with short lives."""
    return RedisDocumentCache(RedisGate(client, budget_s=1), terminal_s=600, active_s=1)


def a_document(version: int, status: Status = Status.PROCESSING) -> Document:
    """A whole row."""
    return Document(
        document_id=new_id(),
        batch_id=new_id(),
        user_id="ann",
        status=status,
        lane=Lane.TEXT,
        priority=Priority.NORMAL,
        filename="Ünïcode 🧾.pdf",
        sha256=bytes(range(32)),
        uploaded_at=datetime.now(UTC),
        row_version=version,
    )


def at(document: Document, version: int, status: Status = Status.PROCESSING) -> Document:
    """The same document in another version."""
    return replace(document, row_version=version, status=status)


async def life_s(client: Redis, document: Document) -> float:
    """How long a document is kept from now."""
    return float(await client.pttl(f"sheaf:document:1:{document.document_id.hex}")) / 1000


async def test_what_is_put_comes_back(cache: RedisDocumentCache) -> None:
    """Every field, in its type."""
    document = a_document(3)
    assert await cache.get(document.document_id) is None
    await cache.put([document])
    assert await cache.get(document.document_id) == document


async def test_an_older_version_never_replaces_a_newer_one(cache: RedisDocumentCache) -> None:
    """Whatever order puts arrive in."""
    document = a_document(1)
    for version in (2, 5, 3, 4, 1):
        await cache.put([at(document, version)])
    assert await cache.get(document.document_id) == at(document, 5)


async def test_what_is_outdated_does_not_come_back(cache: RedisDocumentCache) -> None:
    """A reader that read before the change puts too late; one that read after may put."""
    document = a_document(1)
    await cache.put([document])
    await cache.outdate([(document.document_id, 2)])
    assert await cache.get(document.document_id) is None

    await cache.put([document])
    assert await cache.get(document.document_id) is None
    await cache.put([at(document, 2)])
    assert await cache.get(document.document_id) == at(document, 2)
    await cache.outdate([(document.document_id, 2)])
    assert await cache.get(document.document_id) == at(document, 2)


async def test_ended_documents_are_kept_for_minutes_others_for_a_second(
    cache: RedisDocumentCache, client: Redis
) -> None:
    """What was read a while ago is kept for so much less, and not at all after a second."""
    active, ended = a_document(1), a_document(1, Status.FAILED)
    await cache.put([active, ended], age_s=0.4)
    assert 0.5 < await life_s(client, active) <= 0.6
    assert 590 < await life_s(client, ended) <= 600

    late = a_document(1, Status.COMPLETED)
    await cache.put([late], age_s=1.1)
    assert await cache.get(late.document_id) is None


async def test_a_row_of_another_shape_is_a_miss(cache: RedisDocumentCache, client: Redis) -> None:
    """What another release wrote, or anyone else, is never an error."""
    document = a_document(1)
    key = f"sheaf:document:1:{document.document_id.hex}"
    for value in (b"", b"nonsense", b"7:nonsense", b"7:\x81\xa1a\x01"):
        await client.set(key, value, px=1000)
        assert await cache.get(document.document_id) is None
    await cache.put([at(document, 8)])
    assert await cache.get(document.document_id) == at(document, 8)


async def test_a_change_is_seen_at_once(metadata: Metadata) -> None:
    """A cached state is gone when the claim, the release or the record that ends it answers."""
    (document_id,) = await metadata.registered(1)

    async def status() -> str:
        found = await metadata.document(document_id)
        return document_pb2.DocumentStatus.Name(found.status)

    seen = [await status(), await status()]
    group = await metadata.claimed()
    seen += [await status(), await status()]
    await metadata.release(group.workflow_id)
    seen += [await status(), await status()]
    await metadata.complete(await metadata.claimed())
    seen += [await status(), await status()]
    assert seen == [
        f"DOCUMENT_STATUS_{name}"
        for name in ("QUEUED", "PROCESSING", "QUEUED", "COMPLETED")
        for _ in range(2)
    ]


async def test_a_new_attempt_is_seen_at_once(metadata: Metadata, other: Metadata) -> None:
    """By another service too, though it had the end of document and batch from the cache."""
    answer = await metadata.register(new_document())
    document_id, batch_id = answer.documents[0].document_id, answer.batch.batch_id
    await metadata.complete(await metadata.claimed())
    for _ in range(2):
        assert (await other.document(document_id)).attempt == 1
        assert (await other.batch(batch_id)).batch.HasField("finished_at")

    await metadata.reprocess(document_id)
    view = await other.batch(batch_id)
    assert not view.batch.HasField("finished_at")
    found = await other.document(document_id)
    assert (found.attempt, found.status) == (2, document_pb2.DOCUMENT_STATUS_QUEUED)
    assert list(view.documents) == [found]


async def test_a_status_is_never_seen_to_go_back(metadata: Metadata) -> None:
    """Readers that hammer a document while it moves see its version only grow."""
    (document_id,) = await metadata.registered(1)
    done = False

    async def read() -> None:
        seen = 0
        while not done:
            with as_user("ann"):
                found = await metadata.document(document_id)
            assert found.row_version >= seen
            seen = found.row_version

    readers = [asyncio.create_task(read()) for _ in range(4)]
    for _ in range(10):
        group = await metadata.claimed()
        await metadata.release(group.workflow_id)
    await metadata.complete(await metadata.claimed())
    done = True
    await asyncio.gather(*readers)


async def test_redis_may_go_back_to_an_older_row(metadata: Metadata, client: Redis) -> None:
    """As after a failover: whatever was shown before, by itself, in a batch or in a list, is."""
    answer = await metadata.register(new_document())
    document_id, batch_id = answer.documents[0].document_id, answer.batch.batch_id
    key = f"sheaf:document:1:{document_id.replace('-', '')}"

    async def cached() -> bytes:
        await metadata.document(document_id)
        row: Any = await client.get(key)
        return bytes(row)

    async def status_after(older: bytes) -> str:
        await client.flushall()
        await client.set(key, older, px=60_000)
        found = await metadata.document(document_id)
        return document_pb2.DocumentStatus.Name(found.status)

    queued = await cached()
    group = await metadata.claimed()
    assert await status_after(queued) == "DOCUMENT_STATUS_PROCESSING"
    processing = await cached()
    await metadata.sql("UPDATE document SET status = 'failed', row_version = 3")
    mask = FieldMask(paths=["status"])
    request = metadata_pb2.GetBatchRequest(batch_id=batch_id, read_mask=mask)
    await metadata.call("GetBatch", request)
    assert await status_after(processing) == "DOCUMENT_STATUS_FAILED"
    failed = await cached()
    await metadata.sql("UPDATE document SET status = 'processing', row_version = 4")
    await metadata.call("ListDocuments", metadata_pb2.ListDocumentsRequest(read_mask=mask))
    assert await status_after(failed) == "DOCUMENT_STATUS_PROCESSING"
    await metadata.release(group.workflow_id)
    assert await status_after(processing) == "DOCUMENT_STATUS_QUEUED"


async def test_versions_only_grow_whatever_becomes_of_redis(
    metadata: Metadata, other: Metadata, client: Redis
) -> None:
    """In each of two services, while the document moves and Redis is emptied and goes back."""
    (document_id,) = await metadata.registered(1)
    key = f"sheaf:document:1:{document_id.replace('-', '')}"
    done = False
    rollbacks = 0

    async def read(service: Metadata) -> None:
        seen = 0
        while not done:
            found = await service.document(document_id)
            assert found.row_version >= seen
            seen = found.row_version

    async def spoil() -> None:
        nonlocal rollbacks
        kept: list[bytes] = []
        while not done:
            row: Any = await client.get(key)
            if row is not None:
                kept.append(row)
            await client.flushall()
            await asyncio.sleep(0)
            if kept:
                rollbacks += 1
                await client.set(key, kept[len(kept) // 2], px=60_000)

    tasks = [asyncio.create_task(read(each)) for each in (metadata, other) for _ in range(3)]
    tasks.append(asyncio.create_task(spoil()))
    for _ in range(15):
        group = await metadata.claimed()
        await other.release(group.workflow_id)
    await metadata.complete(await other.claimed())
    done = True
    await asyncio.gather(*tasks)
    assert rollbacks > 15


async def test_each_user_has_a_queue_of_its_own(client: Redis) -> None:
    """Work goes behind the user's own earlier work, not behind others'."""
    fairness = RedisFairness(RedisGate(client, budget_s=1), FakeLines())
    ann, bob = f"ann-{new_id()}", f"bob-{new_id()}"

    async def lags_ms(user_id: str, *work_ms: float, lane: Lane = Lane.TEXT) -> list[float]:
        work = [QueuedWork(new_id(), user_id, lane, each) for each in work_ms]
        lags = await fairness.lags(work)
        return [lags[item.document_id].total_seconds() * 1000 for item in work]

    assert await lags_ms(ann, 4000, 2000, 1000) == [0, 4000, 6000]
    (again,) = await lags_ms(ann, 100)
    assert again == pytest.approx(7000, abs=300)
    assert await lags_ms(bob, 100) == [0]
    assert await lags_ms(ann, 100, lane=Lane.OCR) == [0]


async def test_a_late_line_is_joined_where_it_stands(client: Redis) -> None:
    """Who comes only now begins with what is next; who has queued more, behind that still."""
    lines = FakeLines()
    fairness = RedisFairness(RedisGate(client, budget_s=1), lines)
    ann, bob = f"ann-{new_id()}", f"bob-{new_id()}"

    async def lag_s(user_id: str, work_ms: float) -> float:
        (lag,) = (await fairness.lags([QueuedWork(new_id(), user_id, Lane.TEXT, work_ms)])).values()
        return lag.total_seconds()

    lines.late = timedelta(seconds=60)
    assert await lag_s(ann, 20_000) == -60
    assert await lag_s(ann, 20_000) == pytest.approx(-40, abs=1)
    assert await lag_s(bob, 1) == -60
    assert await client.ttl(f"sheaf:tail:text:{ann}") > 3590
    lines.late = timedelta()
    assert await lag_s(ann, 1) == 0


async def test_a_lag_is_bounded(client: Redis) -> None:
    """An hour, however much a user has queued; and the queue is forgotten once it has passed."""
    fairness = RedisFairness(RedisGate(client, budget_s=1), FakeLines())
    user_id = f"flood-{new_id()}"
    work = [QueuedWork(new_id(), user_id, Lane.TEXT, 1e7) for _ in range(3)]
    lags = [lag.total_seconds() for lag in (await fairness.lags(work)).values()]
    assert lags == [0, 3600, 3600]
    (late,) = (await fairness.lags([QueuedWork(new_id(), user_id, Lane.TEXT, 1)])).values()
    assert 3590 < late.total_seconds() <= 3600
    assert 3590 < await client.ttl(f"sheaf:tail:text:{user_id}") <= 3602
