"""Processing: every document of a group ends once, whatever happens to the others."""

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from sheaf_common.errors import Unavailable
from sheaf_common.memory import ByteBudget
from sheaf_common.sealing import SealingKeys
from sheaf_orchestrator.domain import (
    Completed,
    DocumentTask,
    Failed,
    GroupSummary,
    NeedsOcr,
    Quarantined,
    ReleaseCause,
    result_key,
)
from sheaf_orchestrator.extraction import (
    AttachedFile,
    Attachment,
    decode_result,
    encode_result,
)
from sheaf_orchestrator.extraction.identity import attachment_id
from sheaf_orchestrator.ports import Extraction
from sheaf_orchestrator.service.keeping import ResultKeeper
from sheaf_orchestrator.service.passwords import PasswordSafe
from sheaf_orchestrator.service.precedence import Precedence
from sheaf_orchestrator.service.processing import GroupProcessor, ProcessingLimits
from sheaf_orchestrator.service.reading import DocumentReader
from support.orchestrator_fakes import (
    FakeExtractor,
    FakeIntake,
    FakeObjects,
    FakeObserver,
    group_of,
    result_with,
)
from support.waiting import until

KEYS = SealingKeys([bytes(32)])


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

    def __init__(
        self, *, concurrency: int = 2, retry_s: float = 5.0, keys: SealingKeys | None = KEYS
    ) -> None:
        self.intake = FakeIntake()
        self.objects = FakeObjects()
        self.extractor = FakeExtractor()
        self.observer = FakeObserver()
        self.stopping = asyncio.Event()
        self.threads = CountingThreads()
        reader = DocumentReader(
            self.objects, self.extractor, PasswordSafe(self.intake, keys), self.threads
        )
        self.processor = GroupProcessor(
            self.intake,
            reader,
            ResultKeeper(self.objects, reader),
            ProcessingLimits(concurrency=concurrency, retry_s=retry_s, renew_s=0.01),
            ByteBudget(2**24, wait_s=5.0),
            self.observer,
            Precedence(0.25),
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


async def test_a_document_without_usable_text_goes_to_the_other_lane() -> None:
    """Handed over, with no result kept; the others of its group complete."""
    bench = Bench()
    scan, text = bench.objects.of(b"scan", b"text")

    async def scanned() -> Extraction:
        file = AttachedFile(filename="a", content=b"x")
        return Extraction(b"r", 2, 0, partial=False, ocr_pages=(1, 2), attachments=(file,))

    bench.extractor.behave = {b"scan": scanned}

    summary = await bench.process(scan, text)

    assert summary == GroupSummary(completed=1, needs_ocr=1)
    assert bench.intake.outcomes[scan.document_id].result == NeedsOcr()
    assert len(bench.objects.stored) == 3


async def test_attached_files_are_stored_before_they_are_recorded() -> None:
    """Each as a document of its own, under the same id in every attempt."""
    bench = Bench()
    (mail,) = bench.objects.of(b"mail")

    async def attached() -> Extraction:
        files = tuple(AttachedFile(filename=name, content=b"file") for name in ("a", "b"))
        return Extraction(b"r", 1, 0, partial=False, content_type="x/y", attachments=files)

    bench.extractor.behave = {b"mail": attached}

    await bench.process(mail)
    first = bench.intake.outcomes[mail.document_id].result
    await bench.process(mail)
    second = bench.intake.outcomes[mail.document_id].result

    assert isinstance(first, Completed)
    assert isinstance(second, Completed)
    assert first.content_type == "x/y"
    assert first.attachments == second.attachments
    digest = sha256(b"file").hexdigest()
    assert [file.document_id for file in first.attachments] == [
        attachment_id(mail.document_id, index, digest) for index in range(2)
    ]
    for file in first.attachments:
        assert bench.objects.stored[file.object_key] == b"file"
        assert (file.sha256, file.size_bytes, file.content_type) == (digest, 4, "text/plain")


async def test_an_attached_file_that_is_never_stored_is_only_named() -> None:
    """The result names no document that there is not."""
    bench = Bench()
    (mail,) = bench.objects.of(b"mail")
    digest = sha256(b"file").hexdigest()
    identity = attachment_id(mail.document_id, 0, digest)

    async def attached() -> Extraction:
        file = AttachedFile(filename="refused", content=b"file")
        result = result_with(Attachment(filename="refused", size_bytes=4, document_id=identity))
        return Extraction(encode_result(result), 1, 0, partial=False, attachments=(file,))

    bench.extractor.behave = {b"mail": attached}

    await bench.process(mail)

    recorded = bench.intake.outcomes[mail.document_id].result
    assert isinstance(recorded, Completed)
    assert recorded.attachments == ()
    result = decode_result(bench.objects.stored[recorded.result_key])
    assert result.attachments[0].document_id is None
    assert [warning.code for warning in result.warnings] == ["ATTACHMENT_REFUSED"]


async def test_a_password_reaches_the_extractor_and_nothing_else() -> None:
    """Opened just before; a document without one gets none."""
    bench = Bench()
    locked, other = bench.objects.of(b"locked", b"other")
    sealed = KEYS.seal(b"secret", belongs_to=locked.document_id)
    bench.intake.passwords = {locked.document_id: sealed}

    await bench.process(replace(locked, has_password=True), other)

    assert sorted(bench.extractor.passwords, key=repr) == [None, b"secret"]
    assert b"secret" not in b"".join(bench.objects.stored.values())


@pytest.mark.parametrize("fault", ["gone", "another's", "no keys"])
async def test_a_password_that_cannot_be_opened_has_a_reason(fault: str) -> None:
    """Gone, sealed for another document, or no key here: the document says so."""
    bench = Bench(keys=None if fault == "no keys" else KEYS)
    (task,) = bench.objects.of(b"locked")
    belongs_to = "another" if fault == "another's" else task.document_id
    if fault != "gone":
        bench.intake.passwords = {task.document_id: KEYS.seal(b"s", belongs_to=belongs_to)}

    await bench.process(replace(task, has_password=True))

    result = bench.intake.outcomes[task.document_id].result
    assert isinstance(result, Failed)
    assert (result.reason, bench.extractor.seen) == ("PASSWORD_UNAVAILABLE", [])


async def test_large_contents_are_checked_beside_the_event_loop() -> None:
    """In a thread of the CPU worker's, right or wrong; small ones are not worth a thread."""
    bench = Bench()
    small, large, broken = bench.objects.of(b"a", b"b" * 2**20, b"c" * 2**20)

    summary = await bench.process(small, large, replace(broken, sha256="0" * 64))

    assert bench.threads.jobs == 2
    assert summary == GroupSummary(completed=2, failed=1)
