"""The service when every database connection is taken: who waits, how long, and what they hear."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from sheaf.metadata.v1 import metadata_pb2
from sheaf_common.errors import DeadlineExceeded, OverCapacity
from sheaf_common.ids import new_id
from sheaf_common.pools.database import DatabaseSettings
from sheaf_dev.stack import Stack
from sheaf_metadata.settings import MetadataSettings
from support.metadata import Metadata, create_database, metadata_settings, served
from support.waiting import until_answer


@pytest.fixture
async def settings(database_servers: Stack) -> MetadataSettings:
    """A service with two database connections, and half a second to wait for one."""
    url = await create_database(database_servers.env["DATABASE_URL"], f"test_{new_id().hex}")
    small = DatabaseSettings.model_construct(
        url=SecretStr(url), pool_size=1, max_overflow=1, pool_timeout_s=0.5
    )
    return replace(metadata_settings(url, database_servers.env["REDIS_URL"]), database=small)


@pytest.fixture
async def metadata(settings: MetadataSettings) -> AsyncIterator[Metadata]:
    """It, with both connections taken by reads that wait for a locked table."""
    async with served(settings) as metadata, metadata.engine.connect() as locking:
        documents = await metadata.registered(2)
        await locking.exec_driver_sql("LOCK TABLES document WRITE")
        held = [asyncio.create_task(metadata.document(each)) for each in documents]
        await both_are_taken(metadata)
        yield metadata
        await locking.exec_driver_sql("UNLOCK TABLES")
        assert [(await each).document_id for each in held] == documents


async def both_are_taken(metadata: Metadata) -> None:
    """Returns once the server shows two statements that wait for the lock."""

    async def two_wait() -> bool:
        ((count,),) = await metadata.sql(
            "SELECT COUNT(*) FROM information_schema.processlist"
            " WHERE db = DATABASE() AND state LIKE 'Waiting for table metadata lock%'"
        )
        return int(count) == 2

    await until_answer(two_wait)


async def test_the_wait_ends_by_the_pools_own_time(metadata: Metadata) -> None:
    """With an error that names the bound that was met."""
    started = time.monotonic()
    with pytest.raises(OverCapacity) as full:
        await metadata.expired()

    assert full.value.reason == "DATABASE_POOL_TIMEOUT"
    assert 0.4 < time.monotonic() - started < 3


async def test_the_wait_ends_by_a_shorter_deadline(metadata: Metadata) -> None:
    """A request ends at the earlier of its own deadline and the pool's time."""
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        await metadata.call(
            "ListExpiredLeases",
            metadata_pb2.ListExpiredLeasesRequest(max_workflows=1),
            timeout_s=0.2,
        )

    assert time.monotonic() - started < 0.45
