"""Processing: every document of a group ends once, whatever happens to the others."""

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from sheaf_common.errors import Unavailable
from sheaf_common.memory import ByteBudget
from sheaf_orchestrator.domain import (
    Completed,
    DocumentTask,
    Failed,
    GroupSummary,
    Quarantined,
    ReleaseCause,
    result_key,
)
from sheaf_orchestrator.ports import Extraction
from sheaf_orchestrator.service.processing import GroupProcessor, ProcessingLimits
from support.orchestrator_fakes import (
    FakeExtractor,
    FakeIntake,
    FakeObjects,
    FakeObserver,
    group_of,
)
from support.waiting import until


class CountingThreads(ThreadPoolExecutor):
    """One thread, and how often it was asked to work."""

    def __init__(self) -> None:
        super().__init__(1)
        self.jobs = 0

    def submit(self, *arguments: Any, **options: Any) -> Future[Any]:
        """Counts."""
        self.jobs += 1
        return super().submit(*arguments, **options)


class Bench:
    """A processor over fakes."""

    def __init__(self, *, concurrency: int = 2, retry_s: float = 5.0) -> None:
        self.intake = FakeIntake()
        self.objects = FakeObjects()
        self.extractor = FakeExtractor()
        self.observer = FakeObserver()
        self.stopping = asyncio.Event()
        self.threads = CountingThreads()
        self.processor = GroupProcessor(
            self.intake,
            self.objects,
            self.extractor,
            ProcessingLimits(concurrency=concurrency, retry_s=retry_s, renew_s=0.01),
            ByteBudget(2**24, wait_s=5.0),
            self.observer,
            self.threads,
        )

    async def process(self, *tasks: DocumentTask) -> GroupSummary:
        """Processes them as one group."""
        self.group = group_of(*tasks)
        return await asyncio.wait_for(
            self.processor.process(self.group, stopping=self.stopping), 10
        )


async def test_a_result_is_stored_before_its_outcome_is_recorded() -> None:
    """The recorded key names attempt and workflow, and the object is there."""
    bench = Bench()
    (task,) = bench.objects.of(b"text")

    summary = await bench.process(task)

    key = result_key(task, bench.group.workflow_id)
    assert bench.intake.outcomes[task.document_id].result == Completed(key, 1, 4, partial=False)
    assert bench.objects.stored[key] == b"result of text"
    assert summary == GroupSummary(completed=1)


async def test_one_bad_document_leaves_the_others_whole() -> None:
    """Failure and quarantine are outcomes of their own document only."""
    bench = Bench()
    tasks = bench.objects.of(b"a", b"bad", b"b", b"bomb")

    async def fail() -> Failed:
        return Failed("DAMAGED", "cannot be read")

    async def explode() -> Quarantined:
        return Quarantined("CRASHED", "twice")

    bench.extractor.behave = {b"bad": fail, b"bomb": explode}

    summary = await bench.process(*tasks)

    assert summary == GroupSummary(completed=2, failed=1, quarantined=1)
    results = [bench.intake.outcomes[task.document_id].result for task in tasks]
    assert results[1] == Failed("DAMAGED", "cannot be read")
    assert results[3] == Quarantined("CRASHED", "twice")


async def test_bytes_that_do_not_match_their_hash_are_not_extracted() -> None:
    """Damage in the store is named, not read as if it were the document."""
    bench = Bench()
    (task,) = bench.objects.of(b"text")
    bench.objects.stored[task.object_key] = b"tex!"

    await bench.process(task)

    result = bench.intake.outcomes[task.document_id].result
    assert isinstance(result, Failed)
    assert (result.reason, bench.extractor.seen) == ("DATA_LOSS", [])


async def test_a_vanished_object_fails_its_document() -> None:
    """Nothing to wait for: the document says that its file is gone."""
    bench = Bench()
    (task,) = bench.objects.of(b"text")
    bench.objects.stored.clear()

    await bench.process(task)

    result = bench.intake.outcomes[task.document_id].result
    assert isinstance(result, Failed)
    assert result.reason == "OBJECT_NOT_FOUND"


async def test_a_dependency_that_comes_back_is_waited_for() -> None:
    """Two failed fetches are not the document's fault."""
    bench = Bench()
    (task,) = bench.objects.of(b"text")
    bench.objects.failures = [Unavailable("S3_UNAVAILABLE", "")] * 2

    assert await bench.process(task) == GroupSummary(completed=1)


async def test_a_dependency_that_stays_down_releases_the_document() -> None:
    """It goes back to the queue, uncounted; it neither fails nor is lost."""
    bench = Bench(retry_s=0.0)
    first, second = bench.objects.of(b"a", b"b")
    bench.objects.failures = [Unavailable("S3_UNAVAILABLE", "")]

    summary = await bench.process(first, second)

    assert summary == GroupSummary(completed=1, released=1)
    assert bench.intake.released == [
        (bench.group.workflow_id, (first.document_id,), ReleaseCause.NOT_STARTED)
    ]
    assert set(bench.intake.outcomes) == {second.document_id}


async def test_a_document_that_is_lost_before_its_turn_is_not_touched() -> None:
    """Cancelled or taken over: the first renewal says so."""
    bench = Bench()
    kept, lost = bench.objects.of(b"kept", b"lost")
    bench.intake.lost = {lost.document_id}

    summary = await bench.process(kept, lost)

    assert bench.extractor.seen == [b"kept"]
    assert summary == GroupSummary(completed=1, lost=1)


async def test_a_document_that_is_lost_while_it_runs_is_stopped() -> None:
    """The renewal reaches running work and cancels it; the others go on."""
    bench = Bench()
    slow, other = bench.objects.of(b"slow", b"other")

    async def hang() -> Extraction:
        bench.intake.lost = {slow.document_id}
        await asyncio.Event().wait()
        raise AssertionError

    bench.extractor.behave = {b"slow": hang}

    summary = await bench.process(slow, other)

    assert bench.extractor.cancelled == [b"slow"]
    assert summary == GroupSummary(completed=1, lost=1)
    assert bench.intake.released == []


async def test_a_stopping_worker_finishes_what_runs_and_releases_the_rest() -> None:
    """No work is thrown away and no document waits for a lease."""
    bench = Bench(concurrency=1)
    first, second, third = bench.objects.of(b"1", b"2", b"3")

    async def stop() -> Extraction:
        bench.stopping.set()
        return Extraction(b"r", 1, 1, partial=False)

    bench.extractor.behave = {b"1": stop}

    summary = await bench.process(first, second, third)

    assert summary == GroupSummary(completed=1, released=2)
    assert bench.intake.released[0][1] == (second.document_id, third.document_id)


async def test_cancelling_the_group_leaves_the_rest_to_the_lease() -> None:
    """A cancelled activity releases nothing: whether it is alone cannot be known."""
    bench = Bench()
    (task,) = bench.objects.of(b"slow")
    started = asyncio.Event()

    async def hang() -> Extraction:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    bench.extractor.behave = {b"slow": hang}
    working = asyncio.create_task(bench.process(task))
    await asyncio.wait_for(started.wait(), 5)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working

    assert bench.extractor.cancelled == [b"slow"]
    assert (bench.intake.recorded, bench.intake.released) == ([], [])


async def test_documents_run_side_by_side_up_to_the_bound() -> None:
    """Three at once are allowed, so three and no more are seen."""
    bench = Bench(concurrency=3)
    tasks = bench.objects.of(*(str(number).encode() for number in range(12)))

    await bench.process(*tasks)

    assert bench.extractor.running_max == 3


async def test_outcomes_of_a_busy_group_share_a_call() -> None:
    """Many quick documents are recorded in few batches, each outcome once."""
    bench = Bench()
    tasks = bench.objects.of(*(str(number).encode() for number in range(40)))

    summary = await bench.process(*tasks)

    assert summary.completed == 40
    assert len(bench.intake.outcomes) == 40
    assert len(bench.intake.recorded) <= 5


async def test_outcomes_survive_a_metadata_service_that_is_away() -> None:
    """Recording is repeated: a lost reply does no harm, a lost outcome would."""
    bench = Bench()
    (task,) = bench.objects.of(b"text")
    bench.intake.failures = {"record": [Unavailable("X", "")] * 2}

    assert await bench.process(task) == GroupSummary(completed=1)


async def test_an_outcome_that_is_superseded_counts_as_lost() -> None:
    """Another workflow has the document by now; its outcome is the one that counts."""
    bench = Bench()
    (task,) = bench.objects.of(b"text")
    bench.intake.record_gate = asyncio.Event()
    working = asyncio.create_task(bench.process(task))
    await until(lambda: bench.observer.stages == ["fetch", "extract", "put"])
    bench.intake.lost = {task.document_id}
    bench.intake.record_gate.set()

    assert (await working).lost == 1


async def test_a_document_larger_than_the_budget_still_runs() -> None:
    """Alone, rather than never."""
    bench = Bench()
    (task,) = bench.objects.of(b"text")

    assert await bench.process(replace(task, size_bytes=2**21)) == GroupSummary(completed=1)


async def test_large_contents_are_checked_beside_the_event_loop() -> None:
    """In a thread of the CPU worker's, right or wrong; small ones are not worth a thread."""
    bench = Bench()
    small, large, broken = bench.objects.of(b"a", b"b" * 2**20, b"c" * 2**20)

    summary = await bench.process(small, large, replace(broken, sha256="0" * 64))

    assert bench.threads.jobs == 2
    assert summary == GroupSummary(completed=2, failed=1)
