"""Ending claims: recording outcomes, and giving documents back."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from sheaf_common.errors import InvalidInput
from sheaf_common.failpoints import failpoint
from sheaf_metadata.domain import outcomes
from sheaf_metadata.domain.attachments import MAX_ATTACHMENTS_A_TRANSACTION
from sheaf_metadata.domain.documents import Lane
from sheaf_metadata.domain.outcomes import (
    Disposition,
    HeldDocument,
    NeedsOcr,
    Outcome,
    ReleaseCause,
    attachments_of,
)
from sheaf_metadata.domain.work import estimated_work_ms
from sheaf_metadata.ports.caching import DocumentCache
from sheaf_metadata.ports.changes import Announcer, Changes
from sheaf_metadata.ports.fairness import Fairness, Lags, QueuedWork
from sheaf_metadata.ports.outcomes import Outcomes, Released, Releases
from sheaf_metadata.service.observer import Observer, tell

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class EndClaims:
    """What a workflow says of the documents that it holds."""

    outcomes: Outcomes
    releases: Releases
    fairness: Fairness
    cache: DocumentCache
    announcer: Announcer
    observer: Observer

    async def record(self, workflow_id: str, reported: Sequence[Outcome]) -> Sequence[Disposition]:
        """Records outcomes; one disposition each, in their order.

        In several transactions, where they have many attachments: a repeated call goes on.

        Raises:
            InvalidInput: `FIELD_INVALID`.
            SheafError: as `Outcomes`.
        """
        outcomes.check_outcomes(workflow_id, reported)
        dispositions: list[Disposition] = []
        for some in _transactions(reported):
            dispositions += await self._record(workflow_id, some)
        return dispositions

    async def _record(self, workflow_id: str, reported: Sequence[Outcome]) -> Sequence[Disposition]:
        lags = await self._lags(workflow_id, reported)
        started = time.monotonic()
        dispositions, changes = await self.outcomes.record(
            workflow_id, reported, lags, self.cache.outdate
        )
        await failpoint("metadata.outcomes_recorded")
        await self._publish(changes, started)
        for disposition in dispositions:
            self.observer.recorded(disposition)
        log.debug(
            "outcomes recorded",
            workflow_id=workflow_id,
            outcomes=len(reported),
            superseded=sum(d is Disposition.SUPERSEDED for d in dispositions),
            finished_batches=len(changes.finished_batches),
        )
        return dispositions

    async def release(
        self, workflow_id: str, document_ids: Sequence[UUID], cause: ReleaseCause
    ) -> Released:
        """Gives back what the workflow still holds of the documents; of all, if none are named.

        Raises:
            InvalidInput: `FIELD_INVALID`.
            SheafError: as `Releases`.
        """
        outcomes.check_workflow(workflow_id)
        if len(document_ids) > outcomes.MAX_OUTCOMES:
            raise InvalidInput(
                "FIELD_INVALID",
                f"document_ids must be at most {outcomes.MAX_OUTCOMES}",
                evidence={"field": "document_ids"},
            )
        started = time.monotonic()
        released = await self.releases.release(workflow_id, document_ids, cause, self.cache.outdate)
        await self._publish(released.changes, started)
        log.info(
            "claim released",
            workflow_id=workflow_id,
            cause=cause.value,
            requeued=len(released.requeued),
            quarantined=len(released.quarantined),
        )
        return released

    async def _lags(self, workflow_id: str, reported: Sequence[Outcome]) -> Lags:
        """Puts what follows from the outcomes in line: scans, and what documents hold."""
        parents = [
            outcome
            for outcome in reported
            if isinstance(outcome.result, NeedsOcr) or attachments_of(outcome)
        ]
        if not parents:
            return {}
        held = await self.outcomes.held(workflow_id, [each.document_id for each in parents])
        by_id = {each.document_id: each for each in held}
        work = [
            work
            for outcome in parents
            if (parent := by_id.get(outcome.document_id)) is not None
            for work in _work_after(outcome, parent)
        ]
        return await self.fairness.lags(work) if work else {}

    async def _publish(self, changes: Changes, started: float) -> None:
        """The cache first: who is woken reads it. Rows are as old as their transaction may be."""
        tell(self.observer, changes)
        await self.cache.put(changes.documents, age_s=time.monotonic() - started)
        self.announcer.announce(changes)


def _transactions(reported: Sequence[Outcome]) -> Iterator[Sequence[Outcome]]:
    """The outcomes, in order, in as many parts as their attachments need."""
    part: list[Outcome] = []
    count = 0
    for outcome in reported:
        count += len(attachments_of(outcome))
        if part and count > MAX_ATTACHMENTS_A_TRANSACTION:
            yield part
            part, count = [], len(attachments_of(outcome))
        part.append(outcome)
    yield part


def _work_after(outcome: Outcome, parent: HeldDocument) -> Iterator[QueuedWork]:
    if isinstance(outcome.result, NeedsOcr) and parent.lane is Lane.TEXT:
        work_ms = estimated_work_ms(parent.content_type, parent.size_bytes, Lane.OCR)
        yield QueuedWork(parent.document_id, parent.user_id, Lane.OCR, work_ms)
    for new in attachments_of(outcome):
        work_ms = estimated_work_ms(new.content_type, new.size_bytes, Lane.TEXT)
        yield QueuedWork(new.document_id, parent.user_id, Lane.TEXT, work_ms)
