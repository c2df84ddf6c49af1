"""Two claimers over a full table: nothing doubled, none skipped, neither waits for the other."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import pytest

from sheaf_common.pools.database import database_pool
from sheaf_dev.stack import Stack
from sheaf_metadata.adapters.mysql.claims import MysqlClaims
from sheaf_metadata.adapters.mysql.database import LOCK_WAIT_S, Database
from sheaf_metadata.domain.claims import ClaimLimits
from sheaf_metadata.domain.documents import Lane
from support.metadata import Metadata, metadata_settings, served
from support.metadata_plans import fill

_GROUP = 200
_PLACES = 500
_LEAST_PER_S = 300
"""Some thousands on an idle machine; this is what a busy one does, too."""


@pytest.fixture(scope="module")
async def other(
    database_servers: Stack, service: Metadata, database_url: str
) -> AsyncIterator[Metadata]:
    """A second service over the same database; it starts after the first has migrated."""
    settings = metadata_settings(database_url, database_servers.env["REDIS_URL"])
    async with served(settings) as other:
        yield other


@pytest.fixture(scope="module")
async def filled(service: Metadata) -> Metadata:
    """A full table, of which three in eight are queued."""
    await fill(service)
    return service


async def queued(metadata: Metadata) -> list[str]:
    """The ids of all that is queued, in claim order."""
    rows = await metadata.sql(
        "SELECT id FROM document WHERE status = 'queued' AND lane = 'text' ORDER BY claim_at, id"
    )
    return [str(UUID(bytes=row.id)) for row in rows]


async def test_a_claim_that_has_not_committed_blocks_nobody(
    filled: Metadata, other: Metadata
) -> None:
    """A claimer holds its locks open; the other takes the next in line within a second."""
    line = await queued(filled)
    locked, may_commit = asyncio.Event(), asyncio.Event()

    async def held_open(_versions: Sequence[tuple[UUID, int]]) -> bool:
        """What a claim calls last before it commits."""
        locked.set()
        return await may_commit.wait()

    limits = ClaimLimits(Lane.TEXT, _PLACES, 100, 2**40, 1000.0, 60.0)
    async with database_pool(other.settings.database, lock_wait_s=LOCK_WAIT_S) as pool:
        claims = MysqlClaims(Database(pool, transaction_s=30))
        holding = asyncio.create_task(claims.try_claim(limits, held_open, likely=True))
        async with asyncio.timeout(30):
            await locked.wait()
        loop = asyncio.get_running_loop()
        started = loop.time()
        group = await filled.claimed(max_workflows=_PLACES, max_documents=100)
        took_s = loop.time() - started
        still_open = not holding.done()
        may_commit.set()
        held = (await holding).group

    assert held is not None
    assert still_open
    assert took_s < 1
    assert [str(each.document_id) for each in held.documents] == line[:100]
    assert [each.document_id for each in group.documents] == line[100:200]


async def test_two_claimers_take_every_document_once(filled: Metadata, other: Metadata) -> None:
    """Tens of thousands, in groups of 200, as fast as the two services can."""
    expected = set(await queued(filled))
    seen: Counter[str] = Counter()
    taken: Counter[str] = Counter()

    async def claim_all(name: str, metadata: Metadata) -> None:
        while group := await metadata.claim(max_workflows=_PLACES, max_documents=_GROUP):
            seen.update(document.document_id for document in group.documents)
            taken[name] += len(group.documents)

    loop = asyncio.get_running_loop()
    started = loop.time()
    async with asyncio.timeout(120):
        await asyncio.gather(claim_all("one", filled), claim_all("other", other))
    per_s = len(seen) / (loop.time() - started)

    print(f"two claimers: {per_s:.0f} documents/s, {dict(taken)}")  # noqa: T201 - a measurement
    assert len(expected) > 48_000
    assert set(seen) == expected
    assert set(seen.values()) == {1}
    assert min(taken.values()) > len(expected) / 10
    assert per_s > _LEAST_PER_S, f"{per_s:.0f} documents/s"
    assert await queued(filled) == []
