"""Subprocesses are replaced before they grow old, and starting them is bounded."""

import asyncio
import time
from pathlib import Path

import psutil
import pytest
from integration.orchestrator.extraction.claims import descriptors, quicker_than, request, said
from integration.orchestrator.extraction.conftest import PoolFactory

from sheaf_orchestrator.extraction import Limits, WorkersUnavailable
from support.waiting import until

MIB = 1024 * 1024


async def test_replaced_after_so_many_documents(pool: PoolFactory) -> None:
    """Each subprocess does its share of documents, then another takes its place."""
    async with pool(Limits(documents_per_worker=5)) as opened:
        pids = [said(await opened.extract(request("test/echo"), b"")).split()[0] for _ in range(20)]
        assert max(pids.count(pid) for pid in pids) == 5
        assert len(set(pids)) == 4
        assert opened.stats().restarts == {"documents": 4}


async def test_replaced_when_it_has_grown(pool: PoolFactory) -> None:
    """One that keeps more memory than allowed after a document is replaced."""
    async with pool(Limits(recycle_rss_bytes=150 * MIB)) as opened:
        pids = [said(await opened.extract(request("test/grow"), b"")) for _ in range(4)]
        assert pids[0] == pids[1]
        assert pids[2] not in pids[:2]
        assert opened.stats().restarts["rss"] == 2


async def test_a_warm_one_stands_by(pool: PoolFactory) -> None:
    """The document after a replacement does not wait for an interpreter to start."""
    async with pool(Limits(documents_per_worker=1)) as opened:
        took_s = []
        for _ in range(3):
            await until(lambda: opened.stats().ready == 2)
            await opened.extract(request("test/echo"), b"")
            began = time.monotonic()
            await opened.extract(request("test/echo"), b"")
            took_s.append(time.monotonic() - began)
    assert min(took_s) < 0.05  # other work on the machine only adds to it


async def test_memory_and_descriptors_stay_flat(pool: PoolFactory) -> None:
    """200 documents, with replacements, leave parent and subprocesses as they were."""
    parent = psutil.Process()
    others = len(parent.children())
    async with pool(Limits(documents_per_worker=50), size=2) as opened:

        async def some(count: int) -> None:
            for _ in range(count):
                await opened.extract(request("test/echo"), bytes(100_000))

        await asyncio.gather(some(25), some(25))
        await until(lambda: opened.stats().ready == 3)
        before = parent.memory_info().rss, len(descriptors())
        await asyncio.gather(some(100), some(100))
        await until(lambda: opened.stats().ready == 3)
        await until(lambda: len(parent.children()) == 3 + others)
        await until(lambda: len(descriptors()) == before[1])
        assert parent.memory_info().rss - before[0] < 8 * MIB
        assert opened.stats().restarts["documents"] >= 4
        for pid in opened.stats().pids:
            assert psutil.Process(pid).memory_info().rss < 100 * MIB


async def test_a_broken_installation_is_an_error_at_once(pool: PoolFactory) -> None:
    """A pool whose subprocesses never start says so on entering, with the evidence."""
    registry = "integration.orchestrator.extraction.never_starting"
    with quicker_than(10), pytest.raises(WorkersUnavailable, match="this registry never loads"):
        async with pool(registry=registry):
            pass


async def test_breaking_later_is_an_error_for_callers(pool: PoolFactory, temporary: Path) -> None:
    """When starts begin to fail callers get the error, not a wait; starts are few; it heals."""
    registry = "integration.orchestrator.extraction.starting_while_allowed"
    limits = Limits(start_backoff_s=0.05, start_backoff_max_s=0.2, documents_per_worker=1)
    async with pool(limits, registry=registry) as opened:
        await until(lambda: opened.stats().ready == 2)
        (temporary / "broken").touch()
        await opened.extract(request("test/echo"), b"")
        await opened.extract(request("test/echo"), b"")
        with quicker_than(10), pytest.raises(WorkersUnavailable, match="broken meanwhile"):
            await opened.extract(request("test/echo"), b"")
        with quicker_than(0.2), pytest.raises(WorkersUnavailable):
            await opened.extract(request("test/echo"), b"")
        assert opened.stats().failed_starts >= 3
        assert opened.stats().starting <= 1
        (temporary / "broken").unlink()
        await until(lambda: opened.stats().ready == 2)
        await opened.extract(request("test/echo"), b"")


async def test_one_that_never_says_hello_is_given_up(pool: PoolFactory) -> None:
    """The start has its own time limit."""
    with quicker_than(5), pytest.raises(WorkersUnavailable, match="no hello in time"):
        async with pool(Limits(start_s=0.001, start_backoff_s=0.01)):
            pass
