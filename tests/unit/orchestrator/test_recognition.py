"""Recognition: every page once, the document once, whatever happens to a page or a worker."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from sheaf_common.errors import Unavailable
from sheaf_common.memory import ByteBudget
from sheaf_orchestrator.domain import (
    Completed,
    Failed,
    Group,
    GroupSummary,
    Lane,
    Quarantined,
    ReleaseCause,
    base_key,
    result_key,
)
from sheaf_orchestrator.extraction import (
    AttachedFile,
    Limits,
    Recognised,
    decode_result,
    encode_result,
)
from sheaf_orchestrator.ports import Extraction
from sheaf_orchestrator.service.keeping import ResultKeeper
from sheaf_orchestrator.service.merging import Merger
from sheaf_orchestrator.service.passwords import PasswordSafe
from sheaf_orchestrator.service.reading import DocumentReader
from sheaf_orchestrator.service.recognition import (
    Begun,
    DocumentRecogniser,
    PagesRead,
    RecognitionLimits,
)
from support.orchestrator_fakes import (
    FakeExtractor,
    FakeIntake,
    FakeObjects,
    FakeObserver,
    FakeRecogniser,
    recognised,
    result_with,
)
from support.waiting import until


def scan(*pages: str, partial: bool = False, files: tuple[AttachedFile, ...] = ()) -> Extraction:
    """What the sandbox finds in a scan: those pages, the empty ones to be recognised."""
    return Extraction(
        encode_result(result_with(pages=pages)),
        len(pages),
        sum(map(len, pages)),
        partial=partial,
        content_type="application/pdf",
        ocr_pages=tuple(number for number, text in enumerate(pages, 1) if not text),
        attachments=files,
    )


class Bench:
    """A recogniser over fakes, and one document in the OCR lane."""

    def __init__(self, *, found: Extraction, at_once: int = 2, retry_s: float = 5.0) -> None:
        self.intake, self.objects = FakeIntake(), FakeObjects()
        self.extractor, self.pages = FakeExtractor(), FakeRecogniser()
        self.observer, self.stopping = FakeObserver(), asyncio.Event()
        (self.task,) = self.objects.of(b"scan")

        async def find() -> Extraction:
            return found

        self.extractor.behave = {b"scan": find}
        threads = ThreadPoolExecutor(1)
        reader = DocumentReader(
            self.objects, self.extractor, PasswordSafe(self.intake, None), threads
        )
        self.group = Group("w", Lane.OCR, (self.task,))
        self.recogniser = DocumentRecogniser(
            self.intake,
            self.objects,
            reader,
            ResultKeeper(self.objects, reader),
            self.pages,
            Merger(Limits()),
            RecognitionLimits(at_once, retry_s, renew_s=0.01),
            ByteBudget(2**24, wait_s=5.0),
            self.observer,
            threads,
        )

    async def begin(self, *, whole_up_to: int = 0) -> Begun:
        """The first activity."""
        return await self.recogniser.begin(
            self.group, whole_up_to=whole_up_to, stopping=self.stopping
        )

    async def read(self, *pages: int, done: int = 0, total: int = 3) -> PagesRead:
        """One of those in the middle."""
        return await asyncio.wait_for(
            self.recogniser.read_pages(
                self.group, pages, pages_done=done, pages_total=total, stopping=self.stopping
            ),
            5,
        )

    async def finish(self, *keys: str) -> GroupSummary:
        """The last."""
        return await self.recogniser.finish(self.group, keys, pages_total=3, stopping=self.stopping)

    @property
    def outcome(self) -> object:
        """What was recorded."""
        return self.intake.outcomes[self.task.document_id].result


def kept(bench: Bench) -> set[str]:
    """The names of what lies in the document's folder of this attempt."""
    return {key.rpartition("/")[2] for key in bench.objects.stored if "/1-w/" in key}


async def test_pages_are_read_in_parts_and_put_together() -> None:
    """The pages with text keep it, the others get theirs; of the parts nothing is left."""
    bench = Bench(found=scan("", "own", "", ""))

    begun = await bench.begin()
    assert begun == Begun((1, 3, 4))
    assert kept(bench) == {"base.msgpack.zst"}
    first, second = await bench.read(1, 3), await bench.read(4, done=2)
    assert kept(bench) == {
        "base.msgpack.zst",
        "pages-1-3.msgpack.zst",
        "pages-4-4.msgpack.zst",
    }
    assert await bench.finish(first.key, second.key) == GroupSummary(completed=1)

    key = result_key(bench.task, "w")
    assert bench.outcome == Completed(
        key, 4, 18, partial=False, content_type="application/pdf", attachments=()
    )
    result = decode_result(bench.objects.stored[key])
    assert [page.text for page in result.pages] == ["page1", "own", "page3", "page4"]
    assert kept(bench) == {"result.json.zst"}
    assert bench.observer.pages == [False, False, False]


async def test_attached_files_of_a_scan_are_recorded_with_it() -> None:
    """Stored at the beginning, recorded at the end."""
    file = AttachedFile(filename="a.txt", content=b"file")
    bench = Bench(found=scan("", files=(file,)))

    await bench.begin()
    await bench.finish((await bench.read(1)).key)

    assert isinstance(bench.outcome, Completed)
    assert [each.filename for each in bench.outcome.attachments] == ["a.txt"]
    assert bench.objects.stored[bench.outcome.attachments[0].object_key] == b"file"


async def test_a_document_without_pages_to_read_ends_at_once() -> None:
    """It needs no recognition any more: what was found is its result."""
    bench = Bench(found=scan("own"))

    assert await bench.begin() == Begun(ended=GroupSummary(completed=1))
    assert kept(bench) == {"result.json.zst"}


async def test_a_short_document_is_read_in_one_step() -> None:
    """No part of it is ever put; a page more, and it takes its steps."""
    bench = Bench(found=scan("", "own", ""))

    assert await bench.begin(whole_up_to=1) == Begun((1, 3))
    assert await bench.begin(whole_up_to=2) == Begun(ended=GroupSummary(completed=1))

    assert isinstance(bench.outcome, Completed)
    result = decode_result(bench.objects.stored[bench.outcome.result_key])
    assert [page.ocr for page in result.pages] == [True, False, True]
    assert kept(bench) == {"base.msgpack.zst", "result.json.zst"}


async def test_a_short_document_of_a_stopping_worker_is_left_to_another() -> None:
    """What was read of it itself is put, its pages are to be read."""
    bench = Bench(found=scan("", ""))
    bench.stopping.set()

    assert await bench.begin(whole_up_to=4) == Begun((1, 2))

    assert kept(bench) == {"base.msgpack.zst"}
    assert not bench.intake.outcomes


@pytest.mark.parametrize("verdict", [Failed("DAMAGED", "No."), Quarantined("CRASHED", "Twice.")])
async def test_a_bad_document_ends_before_its_pages(verdict: Failed | Quarantined) -> None:
    """What the sandbox says of it is its outcome."""
    bench = Bench(found=scan(""))

    async def refuse() -> Failed | Quarantined:
        return verdict

    bench.extractor.behave = {b"scan": refuse}

    begun = await bench.begin()

    assert begun.ended is not None
    assert bench.outcome == verdict
    assert kept(bench) == set()


async def test_a_page_that_cannot_be_read_is_only_missing() -> None:
    """The document is partial and says which page; the others are read."""
    bench = Bench(found=scan("", ""))
    bench.pages.behave = {2: failing(2)}

    await bench.begin()
    await bench.finish((await bench.read(1, 2)).key)

    assert isinstance(bench.outcome, Completed)
    assert bench.outcome.partial
    result = decode_result(bench.objects.stored[bench.outcome.result_key])
    assert [(warning.code, warning.page) for warning in result.warnings] == [("TIME_LIMIT", 2)]
    assert bench.observer.pages == [False, True]


async def test_a_document_of_which_no_page_can_be_read_has_the_reason() -> None:
    """There is nothing in it."""
    bench = Bench(found=scan("", ""))
    bench.pages.behave = {1: failing(1), 2: failing(2)}

    await bench.begin()
    assert await bench.finish((await bench.read(1, 2)).key) == GroupSummary(failed=1)

    assert bench.outcome == Failed("TIME_LIMIT", "No.")
    assert kept(bench) == set()


def failing(page: int) -> Callable[[], "asyncio.Future[Recognised]"]:
    """Reads a page as one that took too long."""

    async def fail() -> Recognised:
        return recognised(page, failed_for="TIME_LIMIT")

    return lambda: asyncio.ensure_future(fail())


async def test_pages_that_are_there_are_not_read_again() -> None:
    """A retried activity finds what the one before had put."""
    bench = Bench(found=scan("", ""))
    await bench.begin()

    assert await bench.read(1, 2) == await bench.read(1, 2)
    assert bench.pages.seen == [1, 2]


async def test_pages_of_all_documents_share_the_places() -> None:
    """No more at once than there are subprocesses, over all activities."""
    bench = Bench(found=scan(""), at_once=2)

    await asyncio.gather(bench.read(1, 2, 3), bench.read(4, 5, 6), bench.read(7, 8, 9))

    assert bench.pages.running_max == 2


async def test_progress_is_told_with_the_renewals() -> None:
    """By page, over all activities of the document, never backwards."""
    bench = Bench(found=scan(""))
    gate = asyncio.Event()

    async def wait() -> Recognised:
        await gate.wait()
        return recognised(9)

    bench.pages.behave = {9: wait}
    reading = asyncio.create_task(bench.read(5, 6, 9, done=4, total=9))
    await until(lambda: any(each.pages_done == 6 for each in bench.intake.progress))
    await bench.read(1, 2, done=0, total=9)
    await until(lambda: any(each.pages_done == 8 for each in bench.intake.progress))
    gate.set()
    await reading

    told = [each.pages_done for each in bench.intake.progress]
    assert told == sorted(told)
    assert {each.pages_total for each in bench.intake.progress} == {9}


async def test_a_lost_document_stops_its_pages() -> None:
    """Cancelled meanwhile: what reads is stopped, and the document is not recorded."""
    bench = Bench(found=scan(""))

    async def hang() -> Recognised:
        bench.intake.lost = {bench.task.document_id}
        await asyncio.Event().wait()
        raise AssertionError

    bench.pages.behave = {1: hang}

    assert await bench.read(1, 2) == PagesRead(
        f"documents/{bench.task.document_id}/1-w/pages-1-2.msgpack.zst",
        GroupSummary(lost=1),
    )
    assert bench.pages.cancelled == [1]
    assert (bench.intake.recorded, bench.intake.released) == ([], [])


async def test_a_lost_document_is_not_begun_or_finished() -> None:
    """The first renewal says so."""
    bench = Bench(found=scan(""))
    await bench.begin()
    key = (await bench.read(1)).key
    bench.intake.lost = {bench.task.document_id}

    assert (await bench.begin()).ended == GroupSummary(lost=1)
    assert await bench.finish(key) == GroupSummary(lost=1)
    assert bench.intake.recorded == []


async def test_a_stopping_worker_leaves_pages_to_others() -> None:
    """Those that run are ended too: another reads them all."""
    bench = Bench(found=scan(""), at_once=1)

    async def stop() -> Recognised:
        bench.stopping.set()
        return recognised(1)

    bench.pages.behave = {1: stop}

    assert await bench.read(1, 2, 3) == PagesRead()
    assert bench.pages.seen == [1]
    assert (bench.intake.recorded, bench.intake.released) == ([], [])


async def test_a_dependency_that_stays_down_releases_the_document() -> None:
    """It goes back to the queue, uncounted."""
    bench = Bench(found=scan(""), retry_s=0.0)
    bench.objects.failures = [Unavailable("S3_UNAVAILABLE", "")]

    assert (await bench.begin()).ended == GroupSummary(released=1)
    assert bench.intake.released == [("w", (bench.task.document_id,), ReleaseCause.NOT_STARTED)]


async def test_what_another_try_would_meet_again_is_counted() -> None:
    """A part that is broken in the store: not for ever."""
    bench = Bench(found=scan(""))
    await bench.begin()
    key = (await bench.read(1)).key
    bench.objects.stored[base_key(bench.task, "w")] = b"broken"

    assert await bench.finish(key) == GroupSummary(released=1)
    assert bench.intake.released[0][2] is ReleaseCause.WORKER_LOST


async def test_cancelling_an_activity_leaves_the_document_to_the_lease() -> None:
    """Nothing is recorded or released by one that may not be alone."""
    bench = Bench(found=scan(""))

    async def hang() -> Recognised:
        await asyncio.Event().wait()
        raise AssertionError

    bench.pages.behave = {1: hang}
    reading = asyncio.create_task(bench.read(1))
    await until(lambda: bench.pages.running == 1)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert bench.pages.cancelled == [1]
    assert (bench.intake.recorded, bench.intake.released) == ([], [])
