"""What the pool promises its callers."""

import asyncio
import os
from pathlib import Path

import psutil
import pytest
from integration.orchestrator.extraction.claims import (
    MISBEHAVING,
    quicker_than,
    request,
    said,
)
from integration.orchestrator.extraction.conftest import PoolFactory

from sheaf_orchestrator.extraction import (
    ExtractionFailed,
    Limits,
    PoolBusy,
    PoolClosed,
    Reason,
    decode_result,
)
from support.waiting import until


async def test_a_document_comes_back_as_a_result(pool: PoolFactory) -> None:
    """Bytes in; a result with the request's identity, and the figures of the work, out."""
    async with pool() as opened:
        extraction = await opened.extract(request("test/echo"), b"12345")
        result = decode_result(extraction.result)
        assert (result.document_id, result.attempt, result.size_bytes) == ("0190c6c0", 1, 5)
        assert said(extraction).endswith(" 5")
        assert (extraction.page_count, extraction.partial) == (1, False)
        assert extraction.cpu_ms > 0
        assert extraction.rss_bytes > 1_000_000
        assert opened.stats().documents == 1


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
async def test_a_large_document_passes_whole(pool: PoolFactory, kind: type) -> None:
    """50 MB go through the pipe from any buffer."""
    async with pool() as opened:
        content = kind(bytes(50_000_000))
        with quicker_than(10):
            assert said(await opened.extract(request("test/echo"), content)).endswith(" 50000000")


async def test_documents_run_at_once_up_to_the_size(pool: PoolFactory, tmp_path: Path) -> None:
    """Two subprocesses work on two documents at once; a third document waits."""
    async with pool(size=2) as opened:
        calls = [
            asyncio.create_task(opened.extract(request("test/wait"), str(tmp_path).encode()))
            for _ in range(3)
        ]
        await until(lambda: len(list(tmp_path.glob("began-*"))) == 2)
        stats = opened.stats()
        assert (stats.in_use, stats.waiting) == (2, 1)
        (tmp_path / "go").touch()
        assert len({said(extraction) for extraction in await asyncio.gather(*calls)}) == 2


@pytest.mark.parametrize(
    ("content_type", "reason", "message"),
    [
        ("test/fail", Reason.DAMAGED, "Broken in a known way."),
        ("test/unheard-of", Reason.UNSUPPORTED_FORMAT, "test/unheard-of"),
        ("test/raise-bug", Reason.EXTRACTOR_ERROR, "ZeroDivisionError"),
        ("test/recurse", Reason.EXTRACTOR_ERROR, "RecursionError"),
    ],
)
async def test_a_failure_inside_costs_no_subprocess(
    pool: PoolFactory, content_type: str, reason: Reason, message: str
) -> None:
    """A reason noticed inside ends the document only; the text of a bug does not leak."""
    async with pool() as opened:
        with pytest.raises(ExtractionFailed, match=message) as caught:
            await opened.extract(request(content_type), b"x")
        assert (caught.value.reason, caught.value.retryable) == (reason, False)
        assert "secret detail" not in str(caught.value)
        assert not opened.stats().restarts
        assert opened.stats().failures == {reason.value: 1}
        assert said(await opened.extract(request("test/echo"), b"")).endswith(" 0")


async def test_too_many_bytes_never_travel(pool: PoolFactory) -> None:
    """A document over the limit is refused before a subprocess sees it."""
    async with pool(Limits(content_bytes=10)) as opened:
        with pytest.raises(ExtractionFailed) as caught:
            await opened.extract(request("test/echo"), bytes(11))
        assert caught.value.reason is Reason.TOO_LARGE
        assert opened.stats().documents == 0


async def test_printing_does_not_break_the_frames(pool: PoolFactory) -> None:
    """A library that writes to standard output does not disturb the reply."""
    async with pool() as opened:
        assert said(await opened.extract(request("test/chatter"), b"")) == "chattered"


async def test_the_line_of_callers_is_bounded(pool: PoolFactory, tmp_path: Path) -> None:
    """Who finds the line full, or waits too long, gets PoolBusy."""
    async with pool(Limits(waiting=1, wait_s=0.3)) as opened:
        where = str(tmp_path).encode()
        running = asyncio.create_task(opened.extract(request("test/wait"), where))
        await until(lambda: list(tmp_path.glob("began-*")))
        waiting = asyncio.create_task(opened.extract(request("test/echo"), b""))
        await until(lambda: opened.stats().waiting == 1)
        with pytest.raises(PoolBusy, match="wait for extraction already"):
            await opened.extract(request("test/echo"), b"")
        with pytest.raises(PoolBusy, match="no subprocess came free"):
            await waiting
        assert opened.stats().waiting == 0
        (tmp_path / "go").touch()
        await running


async def test_who_stops_waiting_leaves_the_line(pool: PoolFactory, tmp_path: Path) -> None:
    """A cancelled caller takes no subprocess with it."""
    async with pool() as opened:
        running = asyncio.create_task(opened.extract(request("test/wait"), str(tmp_path).encode()))
        await until(lambda: list(tmp_path.glob("began-*")))
        waiting = asyncio.create_task(opened.extract(request("test/echo"), b""))
        await until(lambda: opened.stats().waiting == 1)
        waiting.cancel()
        await asyncio.wait([waiting])
        (tmp_path / "go").touch()
        await running
        assert (opened.stats().waiting, opened.stats().in_use) == (0, 0)
        assert said(await opened.extract(request("test/echo"), b"")).endswith(" 0")


async def test_closing_ends_what_runs(pool: PoolFactory, tmp_path: Path) -> None:
    """Callers, running and waiting, get PoolClosed: their documents are innocent."""
    async with pool() as opened:
        calls = [
            asyncio.create_task(opened.extract(request("test/hang"), str(tmp_path).encode()))
            for _ in range(2)
        ]
        await until((tmp_path / "grandchild").exists)
        await opened.aclose()
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [PoolClosed, PoolClosed]
        with pytest.raises(PoolClosed):
            await opened.extract(request("test/echo"), b"")


async def test_the_command_line_names_no_document(pool: PoolFactory) -> None:
    """What other users can see of a subprocess is its module and its limits."""
    async with pool() as opened:
        pid = opened.stats().pids[0]
        line = psutil.Process(pid).cmdline()
        assert line[-3:-1] == [MISBEHAVING, str(os.getpid())]


async def test_cancelling_while_closing_is_harmless(pool: PoolFactory, tmp_path: Path) -> None:
    """A caller that gives up while the pool closes gets its cancellation, and all is ended."""
    async with pool() as opened:
        call = asyncio.create_task(opened.extract(request("test/hang"), str(tmp_path).encode()))
        await until((tmp_path / "grandchild").exists)
        closing = asyncio.create_task(opened.aclose())
        await until(lambda: not opened.stats().pids)
        call.cancel()
        outcome, _ = await asyncio.gather(call, closing, return_exceptions=True)
        assert isinstance(outcome, asyncio.CancelledError | PoolClosed)


async def test_a_held_pool_stands_still_and_can_be_killed(pool: PoolFactory) -> None:
    """No CPU is used until it is resumed; what is given up goes though it stands still."""
    async with pool(size=1, spares=0) as opened:
        spinning = asyncio.create_task(opened.extract(request("test/spin"), b""))
        (pid,) = opened.stats().pids
        process = psutil.Process(pid)
        begun = process.cpu_times().user
        await until(lambda: process.cpu_times().user > begun + 0.1)
        opened.hold()
        await until(lambda: process.status() == psutil.STATUS_STOPPED)
        stood = process.cpu_times().user
        opened.resume()
        await until(lambda: process.cpu_times().user > stood + 0.05)
        opened.hold()
        spinning.cancel()
        await asyncio.wait([spinning])
        await until(lambda: not psutil.pid_exists(pid))
