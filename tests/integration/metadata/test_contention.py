"""Many claimers at once, over two services: nothing doubled, none skipped, places kept."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import text

from sheaf_dev.stack import Stack
from sheaf_metadata.adapters.mysql import slots
from sheaf_metadata.domain.documents import Lane
from support.metadata import Metadata, metadata_settings, new_document, served

_DOCUMENTS = 600
_PLACES = 3
_CLAIMERS = 12


@pytest.fixture(scope="module")
async def other(
    database_servers: Stack, service: Metadata, database_url: str
) -> AsyncIterator[Metadata]:
    """A second service over the same database; it starts after the first has migrated."""
    settings = metadata_settings(database_url, database_servers.env["REDIS_URL"])
    async with served(settings) as other:
        yield other


async def drain(metadata: Metadata, seen: Counter[str], *, places: int, documents: int) -> None:
    """Claims and completes until there is nothing left."""
    while sum(seen.values()) < _DOCUMENTS:
        group = await metadata.claim(max_workflows=places, max_documents=documents, wait_s=0.5)
        if group is None:
            continue
        seen.update(document.document_id for document in group.documents)
        await metadata.complete(group)


async def watch(metadata: Metadata, counts: list[int]) -> None:
    """Counts the workflows that hold documents, again and again."""
    while True:
        ((count,),) = await metadata.sql(
            "SELECT COUNT(DISTINCT workflow_id) FROM document WHERE status = 'processing'"
        )
        counts.append(count)


async def test_twelve_claimers_never_hold_more_than_three_places(
    metadata: Metadata, other: Metadata
) -> None:
    """The bound holds at every moment, and every document is claimed exactly once."""
    for _ in range(6):
        await metadata.register(*(new_document() for _ in range(100)))
    seen: Counter[str] = Counter()
    counts: list[int] = []
    watching = asyncio.gather(*(watch(service, counts) for service in (metadata, other)))
    async with asyncio.timeout(100):
        await asyncio.gather(
            *(
                drain(service, seen, places=_PLACES, documents=2)
                for service in (metadata, other) * (_CLAIMERS // 2)
            )
        )
    watching.cancel()

    assert set(seen.values()) == {1}
    assert len(seen) == _DOCUMENTS
    assert max(counts) == _PLACES
    assert len(counts) > 200


async def test_claimers_without_a_bound_neither_double_nor_skip(
    metadata: Metadata, other: Metadata
) -> None:
    """With places for all, claimers take different documents, and all of them."""
    for _ in range(6):
        await metadata.register(*(new_document() for _ in range(100)))
    seen: Counter[str] = Counter()
    async with asyncio.timeout(100):
        await asyncio.gather(
            *(drain(service, seen, places=100, documents=7) for service in (metadata, other) * 3)
        )

    assert set(seen.values()) == {1}
    assert len(seen) == _DOCUMENTS
    assert set((await metadata.terminal_events()).values()) == {1}


async def test_a_claimer_that_stops_in_the_middle_blocks_nobody(
    metadata: Metadata, other: Metadata
) -> None:
    """What one claimer has locked another one passes by."""
    await metadata.registered(20)
    async with other.engine.connect() as connection:
        await connection.exec_driver_sql(
            "SELECT id FROM document WHERE status = 'queued' AND lane = 'text'"
            " ORDER BY claim_at LIMIT 5 FOR UPDATE"
        )
        await connection.exec_driver_sql("SELECT slot FROM workflow_slot FOR UPDATE")
        loop = asyncio.get_running_loop()
        started = loop.time()
        group = await metadata.claimed(max_workflows=200)
        took_s = loop.time() - started

    assert len(group.documents) == 15
    assert took_s < 0.5


async def test_a_place_taken_since_the_question_began_is_not_free(
    metadata: Metadata, other: Metadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another claimer commits while the search is between two places: its snapshot is old.

    The search looks at the first place, which is held, sleeps there, and only then locks the
    second, which names a workflow by now whose documents it cannot see in processing.
    """
    _, second = await metadata.registered(2)
    await metadata.claimed(max_workflows=2, max_documents=1)
    slow = slots.TAKE.text.replace(slots.FREE, f"({slots.FREE} OR SLEEP(0.6) = 1)")
    monkeypatch.setattr(slots, "TAKE", text(slow))
    async with metadata.engine.connect() as search, other.engine.connect() as claimer:
        await claimer.execute(
            text("UPDATE document SET status = 'processing', workflow_id = 'w' WHERE id = :id"),
            {"id": UUID(second).bytes},
        )
        await claimer.execute(text("UPDATE workflow_slot SET workflow_id = 'w' WHERE slot = 1"))
        searching = asyncio.create_task(slots.lock_free_slot(search, Lane.TEXT, 2))
        await is_sleeping(metadata)
        await claimer.commit()
        assert await searching is None


async def is_sleeping(metadata: Metadata) -> None:
    """Returns once the search sleeps."""
    async with asyncio.timeout(5):
        while not await metadata.sql(
            "SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'"
        ):
            pass
