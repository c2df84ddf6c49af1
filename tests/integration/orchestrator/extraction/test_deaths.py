"""What a document can do to its subprocess, and what that does to others: nothing."""

import asyncio
import os
from pathlib import Path

import psutil
import pytest
from integration.orchestrator.extraction.claims import (
    alive,
    quicker_than,
    request,
    said,
)
from integration.orchestrator.extraction.conftest import PoolFactory

from sheaf_orchestrator.extraction import (
    ExtractionFailed,
    ExtractionPool,
    Limits,
    Quarantined,
    Reason,
    WorkerDied,
    extract_with_retry,
)
from support.waiting import until

MIB = 1024 * 1024


async def died(opened: ExtractionPool, content_type: str, content: bytes = b"") -> WorkerDied:
    """The death that a document ends in."""
    with pytest.raises(WorkerDied) as caught:
        await opened.extract(request(content_type), content)
    return caught.value


async def test_the_time_limit_ends_the_whole_group(pool: PoolFactory, tmp_path: Path) -> None:
    """Over its time the subprocess and what it started are killed, and others go on."""
    async with pool(Limits(wall_s=1.0, processes=10_000)) as opened:
        await until(lambda: opened.stats().ready == 2)
        with quicker_than(3):
            error = await died(opened, "test/hang", str(tmp_path).encode())
        assert (error.reason, error.retryable) == (Reason.TIME_LIMIT, True)
        pids = [int((tmp_path / name).read_text()) for name in ("child", "grandchild")]
        await until(lambda: not any(alive(pid) for pid in pids), timeout_s=2)
        with quicker_than(0.5):
            await opened.extract(request("test/echo"), b"")
        assert opened.stats().restarts == {"TIME_LIMIT": 1}


async def test_the_kernel_ends_a_loop_by_itself(pool: PoolFactory) -> None:
    """The limit of CPU time holds without the parent."""
    async with pool(Limits(cpu_s=0, wall_s=20)) as opened:
        with quicker_than(5):
            error = await died(opened, "test/spin")
        assert error.reason is Reason.TIME_LIMIT
        assert "SIGXCPU" in error.evidence


async def test_cpu_time_is_counted_for_each_document(pool: PoolFactory) -> None:
    """A subprocess that has worked for long has its whole allowance for the next one."""
    async with pool(Limits(cpu_s=1)) as opened:
        pids = {said(await opened.extract(request("test/burn"), b"")) for _ in range(6)}
        assert len(pids) == 1


async def test_a_memory_bomb_is_stopped_inside(pool: PoolFactory) -> None:
    """Past the address space the document fails at once, and the memory is given back."""
    async with pool(Limits(address_space_bytes=600 * MIB)) as opened:
        with pytest.raises(ExtractionFailed) as caught:
            await opened.extract(request("test/eat"), b"")
        assert caught.value.reason is Reason.MEMORY_LIMIT
        await until(lambda: opened.stats().ready == 2)
        assert opened.stats().restarts == {"rss": 1}
        assert all(psutil.Process(pid).memory_info().rss < 100 * MIB for pid in opened.stats().pids)


async def test_a_memory_bomb_is_stopped_from_outside(pool: PoolFactory) -> None:
    """Past the resident memory allowed the parent kills."""
    async with pool(Limits(rss_bytes=200 * MIB)) as opened:
        with quicker_than(15):
            error = await died(opened, "test/eat-slowly")
        assert error.reason is Reason.MEMORY_LIMIT


async def test_a_crash_has_evidence(pool: PoolFactory) -> None:
    """A segmentation fault ends the document, with the signal and the last words."""
    async with pool() as opened:
        error = await died(opened, "test/crash")
        assert error.reason is Reason.CRASHED
        assert "SIGSEGV" in error.evidence
        assert "about to fall" in error.evidence
        assert "in crash" in error.evidence
        assert said(await opened.extract(request("test/echo"), b"")).endswith(" 0")
        assert opened.stats().failures == {"CRASHED": 1}


async def test_a_large_parent_is_not_taken_for_the_cause(pool: PoolFactory) -> None:
    """The kernel counts it at the fork: that neither makes a reason nor hides one."""
    memory = bytearray(600 * MIB)
    memory[::4096] = b"x" * len(memory[::4096])
    async with pool() as opened:
        error = await died(opened, "test/crash")
        assert error.reason is Reason.CRASHED
    async with pool(Limits(rss_bytes=300 * MIB)) as opened:
        error = await died(opened, "test/swell-and-abort")
        assert error.reason is Reason.MEMORY_LIMIT
        assert len(memory) == 600 * MIB


async def test_two_deaths_are_quarantine(pool: PoolFactory) -> None:
    """After the second subprocess the document is set apart, with both deaths as evidence."""
    async with pool() as opened:
        with pytest.raises(Quarantined) as caught:
            await extract_with_retry(opened, request("test/crash"), b"")
        assert caught.value.reason is Reason.CRASHED
        assert all("SIGSEGV" in evidence for evidence in caught.value.evidence)
        assert opened.stats().restarts == {"CRASHED": 2}


async def test_one_death_is_forgiven(pool: PoolFactory, tmp_path: Path) -> None:
    """A document that succeeds in its second subprocess has a result."""
    async with pool() as opened:
        note = str(tmp_path / "note").encode()
        extraction = await extract_with_retry(opened, request("test/crash-once"), note)
        assert said(extraction) == "survived"


async def test_the_second_attempt_is_alone(pool: PoolFactory, tmp_path: Path) -> None:
    """It runs in a subprocess that has seen no document, even if used ones are ready."""
    async with pool(size=3, spares=0) as opened:
        await until(lambda: opened.stats().ready == 3)
        waits = [
            asyncio.create_task(opened.extract(request("test/wait"), str(tmp_path).encode()))
            for _ in range(3)
        ]
        await until(lambda: len(list(tmp_path.glob("began-*"))) == 3)
        (tmp_path / "go").touch()
        used = {said(extraction) for extraction in await asyncio.gather(*waits)}
        alone = await opened.extract(request("test/echo"), b"", fresh=True)
        assert said(alone).split()[0] not in used
        assert opened.stats().restarts == {"fresh": 1}


async def test_a_failure_inside_is_not_repeated(pool: PoolFactory) -> None:
    """A reason that the document itself gives is final."""
    async with pool() as opened:
        with pytest.raises(ExtractionFailed):
            await extract_with_retry(opened, request("test/fail"), b"")
        assert opened.stats().documents == 1


async def test_cancelling_stops_the_work(pool: PoolFactory, tmp_path: Path) -> None:
    """A cancelled document's subprocess is killed within milliseconds, with what it started."""
    async with pool() as opened:
        await until(lambda: opened.stats().ready == 2)
        call = asyncio.create_task(opened.extract(request("test/hang"), str(tmp_path).encode()))
        await until((tmp_path / "child").exists)
        await until((tmp_path / "grandchild").exists)
        pids = [int((tmp_path / name).read_text()) for name in ("child", "grandchild")]
        call.cancel()
        with quicker_than(0.25), pytest.raises(asyncio.CancelledError):
            await call
        await until(lambda: not any(alive(pid) for pid in pids), timeout_s=0.25)
        await opened.extract(request("test/echo"), b"")
        assert opened.stats().restarts == {"cancelled": 1}


async def test_one_that_dies_idle_is_replaced(pool: PoolFactory) -> None:
    """A ready subprocess that somebody kills is noticed and replaced before it is lent."""
    async with pool() as opened:
        await until(lambda: opened.stats().ready == 2)
        victims = set(opened.stats().pids)
        for pid in victims:
            psutil.Process(pid).kill()
        await until(lambda: opened.stats().ready == 2 and not victims & set(opened.stats().pids))
        assert opened.stats().restarts == {"idle": 2}
        await opened.extract(request("test/echo"), b"")


async def test_deaths_are_noticed_without_pidfd(
    pool: PoolFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system cannot watch a process, the pool asks for it: the outcome is the same."""
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    async with pool(Limits(wall_s=0.5)) as opened:
        assert (await died(opened, "test/crash")).reason is Reason.CRASHED
        assert (await died(opened, "test/spin")).reason is Reason.TIME_LIMIT
        assert said(await opened.extract(request("test/echo"), b"")).endswith(" 0")
