"""Recognition of one document in three kinds of steps, each an activity of its own.

Begin reads what the document itself holds, and says which pages are to be recognised; pages
are read a few at a time; finish puts all together and records the outcome. Between them the
parts lie in the store. Failures have the same three answers as in the text lane (see
`processing`); a page that cannot be read, even one that kills what reads it, is only missing:
the document is partial, unless there is nothing else in it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

import structlog

from sheaf_common.errors import SheafError
from sheaf_common.failpoints import failpoint
from sheaf_common.memory import ByteBudget
from sheaf_orchestrator.domain import (
    Completed,
    DocumentTask,
    Failed,
    Group,
    GroupSummary,
    Outcome,
    Progress,
    Quarantined,
    ReleaseCause,
    base_key,
    pages_key,
)
from sheaf_orchestrator.extraction import Recognised, encode_recognised
from sheaf_orchestrator.ports import Intake, Objects, PageRecogniser
from sheaf_orchestrator.service.intermediate import Base, encode_base
from sheaf_orchestrator.service.keeping import ResultKeeper
from sheaf_orchestrator.service.lease import HeldLease
from sheaf_orchestrator.service.merging import Merger
from sheaf_orchestrator.service.observer import ProcessingObserver
from sheaf_orchestrator.service.page_counts import PageCount, PageCounts
from sheaf_orchestrator.service.reading import DocumentReader, Opened
from sheaf_orchestrator.service.recorder import OutcomeRecorder
from sheaf_orchestrator.service.steps import Steps

log = structlog.get_logger()

_PAGE_BYTES: Final = 256 * 2**10
"""What a recognised page takes while a document is put together, words with boxes and all."""

Result = Completed | Failed | Quarantined
T = TypeVar("T")


class WorkerStopsError(Exception):
    """The worker shuts down: what is left is for another."""


@dataclass(frozen=True, slots=True)
class RecognitionLimits:
    """Bounds: `pages_at_once` over all documents of this process; the others as in processing."""

    pages_at_once: int
    retry_s: float
    renew_s: float


@dataclass(frozen=True, slots=True)
class Begun:
    """The pages to recognise; or what became of the document already."""

    pages: tuple[int, ...] = ()
    ended: GroupSummary | None = None


@dataclass(frozen=True, slots=True)
class PagesRead:
    """Where pages lie; or what became of the document; or neither, if the worker stops."""

    key: str = ""
    ended: GroupSummary | None = None


@dataclass(slots=True)
class DocumentRecogniser:
    """Recognises documents; one instance serves all of a worker process."""

    intake: Intake
    objects: Objects
    reader: DocumentReader
    keeper: ResultKeeper
    recogniser: PageRecogniser
    merger: Merger
    limits: RecognitionLimits
    memory: ByteBudget
    observer: ProcessingObserver
    threads: Executor
    _counts: PageCounts = field(default_factory=PageCounts)
    _places: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        """One place for each page that may be read at once."""
        self._places = asyncio.Semaphore(self.limits.pages_at_once)

    async def begin(self, group: Group, *, whole_up_to: int = 0, stopping: asyncio.Event) -> Begun:
        """Reads the document's own text, and puts it where `finish` finds it.

        A document of so few pages to recognise that they are no more than `whole_up_to` is
        brought to its end at once: two further activities would cost as much as half a page.

        Raises:
            SheafError: an outcome could not be recorded; the lease will tell.
        """
        pages: tuple[int, ...] = ()

        async def work(task: DocumentTask, steps: Steps) -> Result | None:
            nonlocal pages
            with (await self.memory.reserve(task.size_bytes)).released():
                opened = await self.reader.open(group.workflow_id, task, steps)
                if isinstance(opened, Failed):
                    return opened
                extracted = await self.reader.extract(task, opened, steps)
                if isinstance(extracted, Failed | Quarantined):
                    return extracted
                if not extracted.ocr_pages:
                    return await self.keeper.keep(task, group.workflow_id, extracted, steps)
                attachments, result = await self.keeper.keep_attachments(task, extracted, steps)
                base = Base(
                    result=result, content_type=extracted.content_type, attachments=attachments
                )
                encoded = await self._in_thread(encode_base, base)
                if len(extracted.ocr_pages) <= whole_up_to:
                    count.total = len(extracted.ocr_pages)
                    try:
                        read = await self._read_all(task, opened, extracted.ocr_pages, steps, count)
                    except WorkerStopsError:
                        log.info("pages left to another worker", document_id=task.document_id)
                    else:
                        part = encode_recognised(read)
                        return await self._put_together(group, task, [encoded, part], steps)
                await self.keeper.put(base_key(task, group.workflow_id), encoded, steps)
                pages = extracted.ocr_pages
                return None

        count = PageCount(0)
        ended = await self._attended(group, work, stopping, count)
        await failpoint("ocr.begun")
        return Begun(pages, ended)

    async def read_pages(
        self,
        group: Group,
        pages: Sequence[int],
        *,
        pages_done: int,
        pages_total: int,
        stopping: asyncio.Event,
    ) -> PagesRead:
        """Reads pages and puts them where `finish` finds them; not again if they are there.

        Raises:
            SheafError: an outcome could not be recorded.
        """
        (document,) = group.documents
        key = pages_key(document, group.workflow_id, pages[0], pages[-1])

        async def work(task: DocumentTask, steps: Steps) -> Failed | None:
            if await steps.run("look", lambda: self.objects.size_of(key)):
                count.add(len(pages))
                return None
            with (await self.memory.reserve(task.size_bytes)).released():
                opened = await self.reader.open(group.workflow_id, task, steps)
                if isinstance(opened, Failed):
                    return opened
                read = await self._read_all(task, opened, pages, steps, count)
            await self.keeper.put(key, encode_recognised(read), steps)
            return None

        with self._counts.counting(group.workflow_id, done=pages_done, total=pages_total) as count:
            try:
                ended = await self._attended(group, work, stopping, count)
            except WorkerStopsError:
                return PagesRead()
        await failpoint("ocr.pages_put")
        return PagesRead(key, ended)

    async def finish(
        self, group: Group, keys: Sequence[str], *, pages_total: int, stopping: asyncio.Event
    ) -> GroupSummary:
        """Puts everything together, records the outcome, and removes the parts.

        Raises:
            SheafError: the outcome could not be recorded.
        """
        (document,) = group.documents
        parts = [base_key(document, group.workflow_id), *keys]

        async def work(task: DocumentTask, steps: Steps) -> Completed | Failed:
            with (await self.memory.reserve(_PAGE_BYTES * pages_total)).released():
                encoded = [await steps.run("fetch", partial(self._part, key)) for key in parts]
                return await self._put_together(group, task, encoded, steps)

        ended = await self._attended(group, work, stopping, PageCount(pages_total, pages_total))
        await failpoint("ocr.finished")
        if ended is None:
            raise RuntimeError("finished without an outcome")
        await self._remove(parts)  # whatever became of it: another workflow makes its own
        return ended

    async def _put_together(
        self, group: Group, task: DocumentTask, parts: Sequence[bytes], steps: Steps
    ) -> Completed | Failed:
        """The whole of a document's parts, the first of which is what it held itself."""
        merged = await self._in_thread(self.merger.merge, task, parts[0], parts[1:])
        if isinstance(merged, Failed):
            return merged
        return await self.keeper.keep_whole(task, group.workflow_id, merged, steps)

    async def _attended(
        self,
        group: Group,
        work: Callable[[DocumentTask, Steps], Awaitable[Result | None]],
        stopping: asyncio.Event,
        count: PageCount,
    ) -> GroupSummary | None:
        """Works under the lease; what became of the document, None if it goes on."""
        started = time.perf_counter()
        (task,) = group.documents
        steps = Steps(self.limits.retry_s, self.observer, stopping)
        summary = GroupSummary()

        def progress() -> Sequence[Progress]:
            known = count.total > 0
            return (Progress(task.document_id, count.done, count.total),) if known else ()

        async with HeldLease(
            self.intake, group, renew_s=self.limits.renew_s, progress=progress
        ) as lease:
            if task.document_id in lease.lost:
                return self._ended(group, GroupSummary(lost=1), started)
            running = asyncio.ensure_future(self._recorded(group, work(task, steps), summary))
            with lease.guarding(task.document_id, running):
                try:
                    over = await running
                except asyncio.CancelledError:
                    own = asyncio.current_task()
                    if own is not None and own.cancelling():
                        raise
                    return self._ended(group, GroupSummary(lost=1), started)
                except SheafError as error:
                    return self._ended(group, await self._released(group, error), started)
        return self._ended(group, summary, started) if over else None

    async def _recorded(
        self, group: Group, work: Awaitable[Result | None], summary: GroupSummary
    ) -> bool:
        """Waits for the work and records its outcome; False if there is none yet."""
        result = await work
        if result is None:
            return False
        (task,) = group.documents
        async with OutcomeRecorder(self.intake, group, summary, self.observer) as recorder:
            recorder.add(Outcome(task.document_id, task.attempt, result))
        return True

    async def _released(self, group: Group, error: SheafError) -> GroupSummary:
        """A dependency stayed down: the document goes back to the queue, uncounted.

        An error that another try would meet again is counted, so that it cannot go on for ever.
        """
        ids = [task.document_id for task in group.documents]
        cause = ReleaseCause.NOT_STARTED if error.retryable else ReleaseCause.WORKER_LOST
        log.warning("document released", document_id=ids[0], error=str(error))
        await self.intake.release(group.workflow_id, ids, cause)
        return GroupSummary(released=1)

    def _ended(self, group: Group, summary: GroupSummary, started: float) -> GroupSummary:
        self.observer.group_processed(group.lane, summary, time.perf_counter() - started)
        return summary

    async def _read_all(
        self,
        task: DocumentTask,
        opened: Opened,
        pages: Sequence[int],
        steps: Steps,
        count: PageCount,
    ) -> Recognised:
        """All of the pages, side by side as far as there are places."""

        async def one(page: int) -> Recognised:
            async with self._places:
                if steps.stopping.is_set():
                    raise WorkerStopsError
                read = await steps.run(
                    "recognise",
                    lambda: self.recogniser.recognise(task, opened.content, page, opened.password),
                )
            count.add(1)
            for each in read.pages:
                self.observer.page_recognised(failed=each.failed)
            return read

        reading = [asyncio.ensure_future(one(page)) for page in pages]
        try:
            read = await asyncio.gather(*reading)
        finally:
            for each in reading:
                each.cancel()
            await asyncio.wait(reading)
        return Recognised(
            engine=next((some.engine for some in read if some.engine), ""),
            pages=[page for some in read for page in some.pages],
        )

    async def _part(self, key: str) -> bytes:
        return await self.objects.fetch(key, size_bytes=0)

    async def _remove(self, keys: Sequence[str]) -> None:
        """Removes the parts; what is left of them is the sweep's."""
        try:
            await self.objects.delete(keys)
        except SheafError as error:
            log.warning("parts left to the sweep", count=len(keys), error=str(error))

    async def _in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.threads, function, *arguments)
