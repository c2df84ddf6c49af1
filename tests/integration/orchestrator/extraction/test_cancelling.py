"""What an owner cancels stops working: the lease's renewal reaches the subprocess."""

import asyncio
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from integration.orchestrator.extraction.claims import alive, quicker_than
from integration.orchestrator.extraction.conftest import PoolFactory

from sheaf_common.memory import ByteBudget
from sheaf_orchestrator.adapters.sandbox import SandboxExtractor, SandboxRecogniser
from sheaf_orchestrator.domain import Group, GroupSummary, Lane
from sheaf_orchestrator.extraction import ExtractionPool, Limits
from sheaf_orchestrator.service.keeping import ResultKeeper
from sheaf_orchestrator.service.merging import Merger
from sheaf_orchestrator.service.passwords import PasswordSafe
from sheaf_orchestrator.service.precedence import Precedence
from sheaf_orchestrator.service.processing import GroupProcessor, ProcessingLimits
from sheaf_orchestrator.service.reading import DocumentReader
from sheaf_orchestrator.service.recognition import DocumentRecogniser, RecognitionLimits
from sheaf_orchestrator.settings import DispatchSettings
from support.orchestrator_fakes import FakeIntake, FakeObjects, FakeObserver
from support.waiting import until

RENEW_S = DispatchSettings().lease_renew_s


class Bench:
    """Both lanes over a real pool, and a document that never ends in it."""

    def __init__(self, pool: ExtractionPool, content: bytes, content_type: str) -> None:
        self.intake, objects, observer = FakeIntake(), FakeObjects(), FakeObserver()
        (task,) = objects.of(content)
        self.task = replace(task, content_type=content_type)
        threads, budget = ThreadPoolExecutor(1), ByteBudget(2**20, wait_s=5.0)
        safe = PasswordSafe(self.intake, None)
        reader = DocumentReader(objects, SandboxExtractor(pool), safe, threads)
        keeper = ResultKeeper(objects, reader)
        self.text = GroupProcessor(
            self.intake,
            reader,
            keeper,
            ProcessingLimits(1, 5.0, RENEW_S),
            budget,
            observer,
            Precedence(0.25),
        )
        self.ocr = DocumentRecogniser(
            self.intake,
            objects,
            reader,
            keeper,
            SandboxRecogniser(pool),
            Merger(Limits()),
            RecognitionLimits(1, 5.0, RENEW_S),
            budget,
            observer,
            threads,
        )

    def group(self, lane: Lane) -> Group:
        """The document in a workflow of that lane."""
        return Group("w", lane, (self.task,))


async def cancelled_while_it_works(work: Awaitable[object], notes: Path, bench: Bench) -> object:
    """Cancels once the subprocess works; claims that it is gone within 2 s."""
    working = asyncio.ensure_future(work)
    await until(lambda: began(notes))
    pid = began(notes)[0]
    with quicker_than(2):
        bench.intake.lost = {bench.task.document_id}
        await until(lambda: not alive(pid), timeout_s=2)
        return await working


def began(notes: Path) -> list[int]:
    """The subprocesses that noted their beginning."""
    return [int(path.name.partition("-")[2]) for path in notes.glob("began-*")]


async def test_a_cancelled_document_stops_within_two_seconds(
    pool: PoolFactory, tmp_path: Path
) -> None:
    """In the text lane: at the next renewal its subprocess is killed."""
    async with pool() as opened:
        bench = Bench(opened, str(tmp_path).encode(), "test/wait")
        work = bench.text.process(bench.group(Lane.TEXT), stopping=asyncio.Event())

        assert await cancelled_while_it_works(work, tmp_path, bench) == GroupSummary(lost=1)


async def test_a_cancelled_scan_stops_within_two_seconds(pool: PoolFactory, tmp_path: Path) -> None:
    """In the OCR lane as well, and its other pages are not begun."""
    async with pool() as opened:
        bench = Bench(opened, f"wait {tmp_path}\nmore".encode(), "test/any")
        work = bench.ocr.read_pages(
            bench.group(Lane.OCR),
            (1, 2),
            pages_done=0,
            pages_total=2,
            stopping=asyncio.Event(),
        )
        await cancelled_while_it_works(work, tmp_path, bench)

        assert opened.stats().documents == 0
        assert opened.stats().restarts == {"cancelled": 1}
