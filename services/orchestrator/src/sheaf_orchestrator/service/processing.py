"""Processing of one group: fetch, extract, put, record, under a lease that is renewed.

Failures are of three kinds, and each has one answer:

- the *document's* (damaged, encrypted, too large, it kills its subprocess): its outcome
  says so, and the others go on;
- a *dependency's* (storage or metadata down): tried again for a while, then the document
  goes back to the queue, so nothing is lost and nothing is blamed on the document;
- the *worker's* (killed): nothing is done here; the lease expires and the group is taken up
  again (see `leases`).
"""

import asyncio
import time
from dataclasses import dataclass

import structlog

from sheaf_common.errors import SheafError
from sheaf_common.memory import ByteBudget
from sheaf_orchestrator.domain import (
    Completed,
    DocumentTask,
    Failed,
    Group,
    GroupSummary,
    Lane,
    NeedsOcr,
    Outcome,
    Quarantined,
    ReleaseCause,
)
from sheaf_orchestrator.ports import Intake
from sheaf_orchestrator.service.keeping import ResultKeeper
from sheaf_orchestrator.service.lease import HeldLease
from sheaf_orchestrator.service.observer import ProcessingObserver
from sheaf_orchestrator.service.precedence import Precedence
from sheaf_orchestrator.service.reading import DocumentReader
from sheaf_orchestrator.service.recorder import OutcomeRecorder
from sheaf_orchestrator.service.spans import document_span
from sheaf_orchestrator.service.steps import Steps

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ProcessingLimits:
    """Bounds of a group's processing.

    `concurrency` documents of a group are worked on at once; a dependency that stays down
    is given `retry_s` seconds for one document; the lease is renewed each `renew_s`.
    """

    concurrency: int
    retry_s: float
    renew_s: float


@dataclass(frozen=True, slots=True)
class GroupProcessor:
    """Works on groups; one instance serves all groups of a worker process."""

    intake: Intake
    reader: DocumentReader
    keeper: ResultKeeper
    limits: ProcessingLimits
    memory: ByteBudget
    observer: ProcessingObserver
    precedence: Precedence

    async def process(self, group: Group, *, stopping: asyncio.Event) -> GroupSummary:
        """Works on every document of the group that the workflow still owns.

        Once `stopping` is set no further document is begun and the rest is released.
        Cancelling stops the work at once and leaves the documents to the lease.

        Raises:
            SheafError: outcomes could not be recorded; the lease will tell.
        """
        started = time.perf_counter()
        summary = GroupSummary()
        with self.precedence.taken():
            async with (
                HeldLease(self.intake, group, renew_s=self.limits.renew_s) as lease,
                OutcomeRecorder(self.intake, group, summary, self.observer) as recorder,
            ):
                run = _GroupRun(self, group, lease, recorder, stopping)
                await run.all_documents()
        await self._release(group, run.unfinished, summary)
        summary.lost += len(lease.lost)
        self.observer.group_processed(group.lane, summary, time.perf_counter() - started)
        return summary

    async def _release(self, group: Group, document_ids: list[str], summary: GroupSummary) -> None:
        if not document_ids:
            return
        await self.intake.release(group.workflow_id, document_ids, ReleaseCause.NOT_STARTED)
        summary.released = len(document_ids)
        log.warning("documents released", workflow_id=group.workflow_id, count=len(document_ids))


class _GroupRun:
    """One group's documents on their way; collects those that must be released."""

    def __init__(
        self,
        processor: GroupProcessor,
        group: Group,
        lease: HeldLease,
        recorder: OutcomeRecorder,
        stopping: asyncio.Event,
    ) -> None:
        self._on = processor
        self._group = group
        self._lease = lease
        self._recorder = recorder
        self._stopping = stopping
        self._steps = Steps(processor.limits.retry_s, processor.observer, stopping)
        self.unfinished: list[str] = []

    async def all_documents(self) -> None:
        """Works on all of them, a bounded number at once, in claim order."""
        waiting = iter(self._group.documents)

        async def lane() -> None:
            for task in waiting:
                await self._one(task)

        async with asyncio.TaskGroup() as lanes:
            for _ in range(min(self._on.limits.concurrency, len(self._group.documents))):
                lanes.create_task(lane())

    async def _one(self, task: DocumentTask) -> None:
        """Works on one document, unless it is lost before or meanwhile."""
        if task.document_id in self._lease.lost:
            self._recorder.skip()
            return
        if self._stopping.is_set():
            self._recorder.skip()
            self.unfinished.append(task.document_id)
            return
        work = asyncio.ensure_future(self._work(task))
        with self._lease.guarding(task.document_id, work):
            try:
                await work
            except asyncio.CancelledError:
                own = asyncio.current_task()
                if own is not None and own.cancelling():
                    raise
                self._recorder.skip()
            except SheafError as error:
                self._recorder.skip()
                self.unfinished.append(task.document_id)
                log.warning(
                    "document not processed", document_id=task.document_id, error=str(error)
                )

    async def _work(self, task: DocumentTask) -> None:
        with document_span(task) as span:
            with (await self._on.memory.reserve(task.size_bytes)).released():
                result = await self._result(task)
            span.set("sheaf.outcome", type(result).__name__)
        self._recorder.add(Outcome(task.document_id, task.attempt, result))

    async def _result(self, task: DocumentTask) -> Completed | Failed | Quarantined | NeedsOcr:
        workflow_id = self._group.workflow_id
        extracted = await self._on.reader.read(workflow_id, task, self._steps)
        if isinstance(extracted, Failed | Quarantined):
            return extracted
        if extracted.ocr_pages and self._group.lane is Lane.TEXT:
            return NeedsOcr()
        return await self._on.keeper.keep(task, workflow_id, extracted, self._steps)
