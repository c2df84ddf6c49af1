"""Long polls: woken at once, in this process and by another, and bounded."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sheaf.metadata.v1 import document_pb2, metadata_pb2
from sheaf_common.errors import OverCapacity
from sheaf_dev.stack import Stack
from support.metadata import (
    Metadata,
    completed,
    duration,
    metadata_settings,
    new_document,
    served,
)

_COMPLETED = document_pb2.DOCUMENT_STATUS_COMPLETED


@pytest.fixture(scope="module")
async def other(
    database_servers: Stack, service: Metadata, database_url: str
) -> AsyncIterator[Metadata]:
    """A second service, which hears of the first through Redis only."""
    settings = metadata_settings(
        database_url, database_servers.env["REDIS_URL"], max_waiters=3, wait_recheck_ms=10_000
    )
    async with served(settings) as other:
        yield other


async def woken_after_s(recorder: Metadata, reader: Metadata, kind: str) -> float:
    """How long after a record begins a call that waits for it is answered."""
    loop = asyncio.get_running_loop()
    answer = await recorder.register(new_document())
    document_id = answer.documents[0].document_id
    group = await recorder.claimed()
    waiting: asyncio.Future[Any] = asyncio.ensure_future(
        reader.document(document_id, wait_s=30)
        if kind == "document"
        else reader.batch(answer.batch.batch_id, wait_s=30)
    )
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.1)
    started = loop.time()
    await recorder.record(group.workflow_id, completed(document_id))
    found = await waiting
    document = found.documents[0] if kind == "batch" else found
    assert document.status == _COMPLETED
    return loop.time() - started


@pytest.mark.parametrize("where", ["same process", "other process"])
@pytest.mark.parametrize("kind", ["document", "batch"])
async def test_waiters_are_woken_within_100_ms(
    metadata: Metadata, other: Metadata, where: str, kind: str
) -> None:
    """By a record in this process or in another; the median of some, commit included."""
    reader = metadata if where == "same process" else other
    took_s = sorted([await woken_after_s(metadata, reader, kind) for _ in range(7)])
    assert took_s[3] < 0.1


async def test_a_waiting_claim_hears_of_another_process(
    metadata: Metadata, other: Metadata
) -> None:
    """Registered there, claimed here, before the next look without a hint."""
    loop = asyncio.get_running_loop()
    took_s = []
    for _ in range(8):
        waiting = asyncio.create_task(other.claim(wait_s=20))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting), 0.05)
        started = loop.time()
        await metadata.registered(1)
        assert await waiting is not None
        took_s.append(loop.time() - started)
    assert sorted(took_s)[4] < 0.05


async def test_an_ended_document_is_answered_at_once(metadata: Metadata) -> None:
    """There is nothing to wait for."""
    (document_id,) = await metadata.registered(1)
    await metadata.complete(await metadata.claimed())
    async with asyncio.timeout(1):
        assert (await metadata.document(document_id, wait_s=30)).status == _COMPLETED


async def test_the_wait_ends_with_the_state_as_it_is(metadata: Metadata) -> None:
    """A wait that brings nothing is not an error."""
    (document_id,) = await metadata.registered(1)
    loop = asyncio.get_running_loop()
    started = loop.time()
    found = await metadata.document(document_id, wait_s=0.4)
    assert found.status == document_pb2.DOCUMENT_STATUS_QUEUED
    assert 0.4 <= loop.time() - started < 1


async def test_a_wait_ends_before_the_callers_deadline(metadata: Metadata) -> None:
    """The answer still arrives: never a deadline exceeded for a wait that is too long."""
    (document_id,) = await metadata.registered(1)
    request = metadata_pb2.GetDocumentRequest(document_id=document_id, wait=duration(55))
    answer = await metadata.call("GetDocument", request, timeout_s=1)
    assert answer.document.status == document_pb2.DOCUMENT_STATUS_QUEUED


async def test_waiters_are_bounded(metadata: Metadata, other: Metadata) -> None:
    """One of four is refused where three may wait; a place is free again when one leaves."""
    documents = await metadata.registered(4)
    waiting = [asyncio.create_task(other.document(each, wait_s=20)) for each in documents]
    (refused,), others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    await asyncio.wait(others)

    error = refused.exception()
    assert isinstance(error, OverCapacity)
    assert (error.reason, error.retry_after_s) == ("WAITERS_EXHAUSTED", 1.0)
    async with asyncio.timeout(5):
        while not await has_room(other, documents[0]):
            pass


async def has_room(metadata: Metadata, document_id: str) -> bool:
    """Whether one more may wait."""
    try:
        await metadata.document(document_id, wait_s=0.01)
    except OverCapacity:
        return False
    return True
