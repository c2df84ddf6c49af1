"""Coalesced reads over the real database: what a hot key costs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from sheaf_dev.stack import Stack
from support.metadata import Metadata, metadata_settings, new_document, served
from support.waiting import until

_READERS = 200


@pytest.fixture(scope="module")
async def service(database_servers: Stack, database_url: str) -> AsyncIterator[Metadata]:
    """The service, so patient with Redis that no noise makes it go on without."""
    settings = metadata_settings(
        database_url, database_servers.env["REDIS_URL"], redis_budget_ms=5000
    )
    async with served(settings) as service:
        yield service


def sample(name: str, **labels: str) -> float:
    """A sample of the process's metrics."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def queries(use_case: str) -> float:
    """How often the database was asked for it."""
    return sample("sheaf_database_seconds_count", use_case=use_case)


@asynccontextmanager
async def slow_queries(metadata: Metadata) -> AsyncIterator[None]:
    """Every query of documents and batches takes until the block ends."""
    async with metadata.engine.connect() as connection:
        await connection.execute(text("LOCK TABLES document WRITE, batch WRITE"))
        try:
            yield
        finally:
            await connection.execute(text("UNLOCK TABLES"))


async def read_at_once(
    metadata: Metadata, kind: str, read: Callable[[], Awaitable[Any]]
) -> list[asyncio.Future[Any]]:
    """So many readers, all of whom ask while a first query is under way."""
    shared = sample("sheaf_coalesced_reads_total", kind=kind)
    async with slow_queries(metadata):
        readers: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(read()) for _ in range(_READERS)
        ]
        await until(
            lambda: sample("sheaf_coalesced_reads_total", kind=kind) >= shared + _READERS - 2
        )
    return readers


async def test_a_hot_document_costs_two_queries(metadata: Metadata) -> None:
    """However many ask for it at once when nothing is cached."""
    (document_id,) = await metadata.registered(1)
    before = queries("get_document")
    readers = await read_at_once(metadata, "document", lambda: metadata.document(document_id))
    answers = await asyncio.gather(*readers)
    assert queries("get_document") - before <= 2
    assert all(answer == answers[0] for answer in answers)


async def test_a_hot_unfinished_batch_costs_two_queries(metadata: Metadata) -> None:
    """However many poll it at once."""
    answer = await metadata.register(*(new_document(f"{n}.txt") for n in range(20)))
    before = queries("get_batch")
    batch_id = answer.batch.batch_id
    readers = await read_at_once(metadata, "batch", lambda: metadata.batch(batch_id))
    answers = await asyncio.gather(*readers)
    assert queries("get_batch") - before <= 2
    assert all(answer == answers[0] for answer in answers)


async def test_a_crowd_that_waits_for_a_batch_costs_a_few_queries(metadata: Metadata) -> None:
    """Two for its first look, two when it is woken, two to read; and one each second between."""
    answer = await metadata.register(new_document())
    before = queries("wait_batch") + queries("get_batch")
    batch_id = answer.batch.batch_id
    readers = await read_at_once(metadata, "batch_end", lambda: metadata.batch(batch_id, wait_s=30))
    await metadata.complete(await metadata.claimed())
    finished = await asyncio.gather(*readers)
    assert all(found.batch.HasField("finished_at") for found in finished)
    assert queries("wait_batch") + queries("get_batch") - before <= 20
