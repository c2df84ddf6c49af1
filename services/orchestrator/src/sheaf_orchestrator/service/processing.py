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
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, TypeVar

import structlog

from sheaf_common.backoff import backoff_s
from sheaf_common.errors import NotFound, SheafError
from sheaf_common.failpoints import failpoint
from sheaf_common.memory import ByteBudget
from sheaf_orchestrator.domain import (
    Completed,
    DocumentTask,
    Failed,
    Group,
    GroupSummary,
    Outcome,
    Quarantined,
    ReleaseCause,
    result_key,
)
from sheaf_orchestrator.ports import Extractor, Intake, Objects
from sheaf_orchestrator.service.lease import HeldLease
from sheaf_orchestrator.service.observer import ProcessingObserver
from sheaf_orchestrator.service.recorder import OutcomeRecorder

log = structlog.get_logger()

_RESULT_TYPE: Final = "application/zstd"
_BACKOFF_BASE_S: Final = 0.1
_BACKOFF_LIMIT_S: Final = 3.0

_HASH_IN_LOOP_BYTES: Final = 512 * 1024
"""Hashing so much takes less than handing it to a thread and back is worth."""

T = TypeVar("T")


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
    """Works on groups; one instance serves all groups of a worker process.

    `threads` check the content of large documents, beside the event loop: lease renewals and
    heartbeats do not wait for it.
    """

    intake: Intake
    objects: Objects
    extractor: Extractor
    limits: ProcessingLimits
    memory: ByteBudget
    observer: ProcessingObserver
    threads: Executor

    async def process(self, group: Group, *, stopping: asyncio.Event) -> GroupSummary:
        """Works on every document of the group that the workflow still owns.

        Once `stopping` is set no further document is begun and the rest is released.
        Cancelling stops the work at once and leaves the documents to the lease.

        Raises:
            SheafError: outcomes could not be recorded; the lease will tell.
        """
        started = time.perf_counter()
        summary = GroupSummary()
        async with (
            HeldLease(self.intake, group, renew_s=self.limits.renew_s) as lease,
            OutcomeRecorder(self.intake, group, summary, self.observer) as recorder,
        ):
            run = _GroupRun(self, group, lease, recorder, stopping)
            await run.all_documents()
        await self._release(group, run.unfinished, summary)
        summary.lost += len(lease.lost)
        self.observer.group_processed(summary, time.perf_counter() - started)
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
        with (await self._on.memory.reserve(task.size_bytes)).released():
            result = await self._result(task)
        self._recorder.add(Outcome(task.document_id, task.attempt, result))

    async def _result(self, task: DocumentTask) -> Completed | Failed | Quarantined:
        try:
            content = await self._staged("fetch", lambda: self._fetch(task))
        except NotFound:
            return Failed("OBJECT_NOT_FOUND", "The stored file is no longer there.")
        if await self._sha256(content) != task.sha256:
            log.error("stored bytes do not match their hash", key=task.object_key)
            return Failed("DATA_LOSS", "The stored bytes do not match the hash of the upload.")
        await failpoint("cpu.extracting")
        extracted = await self._staged("extract", lambda: self._on.extractor.extract(task, content))
        if isinstance(extracted, Failed | Quarantined):
            return extracted
        key = result_key(task, self._group.workflow_id)
        await self._staged(
            "put", lambda: self._on.objects.put(key, extracted.result, content_type=_RESULT_TYPE)
        )
        await failpoint("cpu.result_put")
        return Completed(
            result_key=key,
            page_count=extracted.page_count,
            character_count=extracted.character_count,
            partial=extracted.partial,
        )

    async def _sha256(self, content: bytes) -> str:
        if len(content) <= _HASH_IN_LOOP_BYTES:
            return sha256(content).hexdigest()
        loop = asyncio.get_running_loop()
        return (await loop.run_in_executor(self._on.threads, sha256, content)).hexdigest()

    async def _fetch(self, task: DocumentTask) -> bytes:
        return await self._on.objects.fetch(task.object_key, size_bytes=task.size_bytes)

    async def _staged(self, stage: str, step: Callable[[], Awaitable[T]]) -> T:
        """Runs a step, again while a dependency fails, for at most `retry_s` seconds."""
        deadline = time.monotonic() + self._on.limits.retry_s
        tries = 0
        while True:
            started = time.perf_counter()
            try:
                done = await step()
            except SheafError as error:
                pause_s = backoff_s(tries, base_s=_BACKOFF_BASE_S, limit_s=_BACKOFF_LIMIT_S)
                out_of_time = time.monotonic() + pause_s >= deadline
                if not error.retryable or out_of_time or self._stopping.is_set():
                    raise
                tries += 1
                await asyncio.sleep(pause_s)
            else:
                self._on.observer.stage_done(stage, time.perf_counter() - started)
                return done
