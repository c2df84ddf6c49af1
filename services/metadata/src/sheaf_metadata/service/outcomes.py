"""Ending claims: recording outcomes, and giving documents back."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from sheaf_common.errors import InvalidInput
from sheaf_common.failpoints import failpoint
from sheaf_metadata.domain import outcomes
from sheaf_metadata.domain.outcomes import Disposition, NeedsOcr, Outcome, ReleaseCause
from sheaf_metadata.ports import (
    Announcer,
    Changes,
    DocumentCache,
    Fairness,
    Outcomes,
    Released,
    Releases,
)
from sheaf_metadata.service.observer import Observer

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

        Raises:
            InvalidInput: `FIELD_INVALID`.
            SheafError: as `Outcomes`.
        """
        outcomes.check_outcomes(workflow_id, reported)
        scans = [o.document_id for o in reported if isinstance(o.result, NeedsOcr)]
        lags = (
            await self.fairness.lags(await self.outcomes.ocr_candidates(workflow_id, scans))
            if scans
            else {}
        )
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

    async def _publish(self, changes: Changes, started: float) -> None:
        """The cache first: who is woken reads it. Rows are as old as their transaction may be."""
        await self.cache.put(changes.documents, age_s=time.monotonic() - started)
        self.announcer.announce(changes)
