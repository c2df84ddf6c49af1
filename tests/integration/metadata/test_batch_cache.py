"""Finished batches from the cache: what is kept, for whom, and how much of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from redis.asyncio import Redis

from sheaf.metadata.v1 import metadata_pb2
from sheaf_common.errors import NotFound
from sheaf_common.ids import new_id
from sheaf_common.pools.redis_gate import RedisGate
from sheaf_dev.stack import Stack
from sheaf_metadata.adapters.redis.batches import RedisBatchCache
from sheaf_metadata.domain.documents import Batch, BatchView, Document, Lane, Status, view_of
from sheaf_metadata.domain.fields import ALL_FIELDS, Fields
from support.metadata import Metadata, as_user, new_document

_FIELDS: Fields = ("document_id", "status", "row_version")


@pytest.fixture(scope="module")
async def client(database_servers: Stack) -> AsyncIterator[Redis]:
    """A client of the shared Valkey."""
    async with Redis.from_url(database_servers.env["REDIS_URL"]) as client:
        yield client


@pytest.fixture
async def cache(client: Redis) -> RedisBatchCache:
    """The cache."""
    return RedisBatchCache(RedisGate(client, budget_s=1), life_s=600)


def a_view(count: int = 1, **changed: Any) -> BatchView:
    """A finished batch, whole rows."""
    now = datetime.now(UTC)
    documents = [
        Document(
            document_id=new_id(),
            user_id="ann",
            status=Status.COMPLETED,
            lane=Lane.OCR,
            filename="Ünïcode 🧾.pdf",
            sha256=bytes(range(32)),
            uploaded_at=now,
            row_version=3,
        )
        for _ in range(count)
    ]
    return view_of(replace(Batch(new_id(), "ann", "tax", count, now, now), **changed), documents)


def key_of(view: BatchView) -> str:
    """Where it is kept."""
    return f"sheaf:batch:1:{view.batch.batch_id.hex}"


async def queries(metadata: Metadata) -> int:
    """How many SELECT statements the server has run, this one included."""
    rows = await metadata.sql(
        "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS"
        " WHERE VARIABLE_NAME = 'COM_SELECT'"
    )
    return int(rows[0][0])


async def test_a_finished_batch_costs_no_query(metadata: Metadata) -> None:
    """After its first read, whether the caller waits for its end or not."""
    answer = await metadata.register(*(new_document(f"{number}.txt") for number in range(20)))
    batch_id = answer.batch.batch_id
    unfinished = await metadata.batch(batch_id)
    await metadata.complete(await metadata.claimed())
    first = await metadata.batch(batch_id)
    assert (unfinished.batch.HasField("finished_at"), first.batch.HasField("finished_at")) == (
        False,
        True,
    )

    before = await queries(metadata)
    for wait_s in (0, 0, 20, 20):
        assert await metadata.batch(batch_id, wait_s=wait_s) == first
    assert await queries(metadata) - before == 1  # this one


async def test_someone_elses_batch_is_not_found_in_the_cache(metadata: Metadata) -> None:
    """As if it were not there; its owner finds it."""
    answer = await metadata.register(new_document())
    await metadata.complete(await metadata.claimed())
    found = await metadata.batch(answer.batch.batch_id)
    with as_user("bob"):
        for wait_s in (0, 10):
            with pytest.raises(NotFound) as refused:
                await metadata.batch(answer.batch.batch_id, wait_s=wait_s)
            assert refused.value.reason == "BATCH_NOT_FOUND"
    with as_user("ann"):
        assert await metadata.batch(answer.batch.batch_id) == found


async def test_each_set_of_fields_is_kept_for_itself(metadata: Metadata) -> None:
    """What is asked for is what comes, from the row and from the cache."""
    answer = await metadata.register(new_document("a.txt"))
    await metadata.complete(await metadata.claimed())
    for fields in (["filename"], ["status", "attempt"], ["filename"], ["status", "attempt"]):
        request = metadata_pb2.GetBatchRequest(
            batch_id=answer.batch.batch_id, read_mask=FieldMask(paths=fields)
        )
        (document,) = (await metadata.call("GetBatch", request)).documents
        assert [each.name for each, _ in document.ListFields()] == sorted(
            fields, key=ALL_FIELDS.index
        )


@pytest.mark.parametrize("fields", [_FIELDS, ALL_FIELDS])
async def test_what_is_put_comes_back(cache: RedisBatchCache, fields: Fields) -> None:
    """In its types; with other fields it is a miss."""
    whole = a_view(3)
    view = view_of(
        whole.batch,
        [Document(**{name: getattr(each, name) for name in fields}) for each in whole.documents],
    )
    await cache.put(view, fields)
    assert await cache.get(view.batch.batch_id, fields) == view
    assert await cache.get(view.batch.batch_id, ("document_id", "status", "lane")) is None


async def test_an_unfinished_batch_is_not_kept(cache: RedisBatchCache, client: Redis) -> None:
    """Whoever puts it."""
    view = a_view(finished_at=None)
    await cache.put(view, _FIELDS)
    assert not await client.exists(key_of(view))


async def test_an_outdated_view_does_not_come_back(cache: RedisBatchCache, client: Redis) -> None:
    """Though a reader that has read before puts after; nor is what was read long ago put."""
    views = [a_view(), a_view()]
    for view in views:
        await cache.put(view, _FIELDS)
    assert await cache.outdate([view.batch.batch_id for view in views])
    for view in views:
        assert await cache.get(view.batch.batch_id, _FIELDS) is None
        await cache.put(view, _FIELDS)
        assert await cache.get(view.batch.batch_id, _FIELDS) is None
        assert 4 < await client.ttl(key_of(view)) <= 5
    late = a_view()
    await cache.put(late, _FIELDS, age_s=1.1)
    assert not await client.exists(key_of(late))


async def test_what_is_kept_is_bounded(cache: RedisBatchCache, client: Redis) -> None:
    """Eight sets of fields, 256 KiB each, all for ten minutes from the first."""
    view = a_view()
    names = ALL_FIELDS[:10]
    for number in range(10):
        await cache.put(view, (*_FIELDS, names[number]))
    assert await client.hlen(key_of(view)) == 8
    assert 590 < await client.ttl(key_of(view)) <= 600
    await client.pexpire(key_of(view), 60_000)
    await cache.put(view, (*_FIELDS, names[0]))
    assert await client.ttl(key_of(view)) <= 60

    whole = a_view(1000)
    large = view_of(
        whole.batch, [replace(each, error_message="x" * 100) for each in whole.documents]
    )
    await cache.put(large, ALL_FIELDS)
    assert not await client.exists(key_of(large))
    await cache.put(large, _FIELDS)
    assert await cache.get(large.batch.batch_id, _FIELDS) is not None


async def test_a_value_of_another_shape_is_a_miss(cache: RedisBatchCache, client: Redis) -> None:
    """Never an error; the next read replaces it."""
    view = view_of(
        a_view().batch, [Document(document_id=new_id(), status=Status.FAILED, row_version=2)]
    )
    other = view_of(replace(view.batch, batch_id=new_id()), view.documents)
    unfinished = view_of(replace(view.batch, finished_at=None), view.documents)
    encode = msgspec.msgpack.encode
    rows = [[each.document_id, each.status, each.row_version] for each in view.documents]
    for value in (
        b"",
        b"nonsense",
        encode((other.batch, rows)),
        encode((unfinished.batch, rows)),
        encode((view.batch, [[*row, "more"] for row in rows])),
        encode((view.batch, [row[:2] for row in rows])),
        encode((view.batch, [[row[0], "vanished", row[2]] for row in rows])),
    ):
        await client.hset(key_of(view), ",".join(_FIELDS), value)
        assert await cache.get(view.batch.batch_id, _FIELDS) is None
    await cache.put(view, _FIELDS)
    assert await cache.get(view.batch.batch_id, _FIELDS) == view
    await client.delete(key_of(view))
    await client.set(key_of(view), b"not a hash", px=1000)
    assert await cache.get(view.batch.batch_id, _FIELDS) is None
