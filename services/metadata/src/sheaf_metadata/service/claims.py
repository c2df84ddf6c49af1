"""Claiming groups of queued documents, and keeping their leases."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from sheaf_common import context
from sheaf_common.errors import InvalidInput
from sheaf_metadata.domain import claims, outcomes
from sheaf_metadata.domain.claims import ClaimedGroup, ClaimLimits, DocumentAttempt
from sheaf_metadata.ports.caching import DocumentCache
from sheaf_metadata.ports.claims import Claims, Leases, Pipelines
from sheaf_metadata.service.claim_spans import record_claim
from sheaf_metadata.service.observer import Observer
from sheaf_metadata.service.waiting import PlaceFreed, Waiters, WorkQueued

log = structlog.get_logger()

_ANSWER_S: Final = 0.5
_MAX_EXPIRED: Final = 100


@dataclass(frozen=True, slots=True)
class ClaimDocuments:
    """Claims groups, in claim order. `poll_s` is how often one looks without a hint."""

    claims: Claims
    waiters: Waiters
    cache: DocumentCache
    observer: Observer
    poll_s: float
    pipelines: Pipelines

    async def __call__(self, limits: ClaimLimits, wait_s: float) -> ClaimedGroup | None:
        """A group under a new workflow id and a lease; None if `wait_s` brought none.

        Raises:
            SheafError: as `claims.check_limits` and `Claims.try_claim`.
        """
        claims.check_limits(limits)
        if limits.pipeline_version:
            await self.pipelines.note(limits.pipeline_version)
        ends_at = (
            time.monotonic()
            + context.time_left_s(min(wait_s, claims.MAX_WAIT_S) + _ANSWER_S)
            - _ANSWER_S
        )
        work, place = WorkQueued(limits.lane), PlaceFreed(limits.lane)
        with (
            self.waiters.waiting_for(work) as on_work,
            self.waiters.waiting_for(place) as on_place,
        ):
            likely = True
            while True:
                on_work.clear()
                on_place.clear()
                began_ns = time.time_ns()
                tried = await self.claims.try_claim(limits, self.cache.outdate, likely=likely)
                if tried.group is not None:
                    record_claim(tried.group, begin_ns=began_ns, end_ns=time.time_ns())
                    return self._claimed(tried.group, tried.waited_s)
                left_s = ends_at - time.monotonic()
                signal = on_place if tried.work_waits else on_work
                if left_s <= 0 or signal.closed:
                    self.observer.claimed(limits.lane, 0)
                    return None
                if tried.linger_s is None:
                    likely = await signal.wait(min(self.poll_s, left_s))
                else:
                    await signal.wait(min(tried.linger_s, left_s))
                    likely = True

    def _claimed(self, group: ClaimedGroup, waited_s: Sequence[float]) -> ClaimedGroup:
        self.observer.claimed(group.lane, len(group.documents), waited_s)
        log.debug(
            "documents claimed",
            workflow_id=group.workflow_id,
            lane=group.lane.value,
            documents=len(group.documents),
        )
        return group


@dataclass(frozen=True, slots=True)
class KeepLeases:
    """Renews leases, finds those that expired, and tells holders what only they may know."""

    leases: Leases
    cache: DocumentCache

    async def renew(
        self, workflow_id: str, documents: Sequence[DocumentAttempt], lease_ttl_s: float
    ) -> Sequence[UUID]:
        """Extends a lease, and notes the pages done; returns what the workflow no longer owns.

        Raises:
            InvalidInput: `FIELD_INVALID`.
            SheafError: as `Leases`.
        """
        outcomes.check_workflow(workflow_id)
        claims.check_lease_ttl(lease_ttl_s)
        if len(documents) > claims.MAX_DOCUMENTS:
            raise InvalidInput(
                "FIELD_INVALID",
                f"documents must be at most {claims.MAX_DOCUMENTS}",
                evidence={"field": "documents"},
            )
        claims.check_progress(documents)
        if not documents:
            return ()
        return await self.leases.renew(workflow_id, documents, lease_ttl_s, self.cache.outdate)

    async def passwords(
        self, workflow_id: str, document_ids: Sequence[UUID]
    ) -> Mapping[UUID, bytes]:
        """The sealed passwords of the documents that the workflow holds and that have one.

        Raises:
            InvalidInput: `FIELD_INVALID`.
            SheafError: as `Leases`.
        """
        outcomes.check_workflow(workflow_id)
        if not 1 <= len(document_ids) <= claims.MAX_DOCUMENTS:
            raise InvalidInput(
                "FIELD_INVALID",
                f"document_ids must be 1 to {claims.MAX_DOCUMENTS}",
                evidence={"field": "document_ids"},
            )
        return await self.leases.passwords(workflow_id, document_ids)

    async def expired(self, max_workflows: int) -> Sequence[ClaimedGroup]:
        """Workflows whose lease has expired, each with all that it still holds.

        Raises:
            InvalidInput: `FIELD_INVALID`.
            SheafError: as `Leases`.
        """
        if not 1 <= max_workflows <= _MAX_EXPIRED:
            raise InvalidInput(
                "FIELD_INVALID",
                f"max_workflows must be 1 to {_MAX_EXPIRED}",
                evidence={"field": "max_workflows"},
            )
        return await self.leases.expired(max_workflows)
