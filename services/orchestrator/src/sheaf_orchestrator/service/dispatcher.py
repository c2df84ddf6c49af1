"""Dispatch: claims queued documents and starts a workflow for each group."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from sheaf_common.backoff import backoff_s
from sheaf_common.errors import FailedPrecondition, InvalidInput, SheafError
from sheaf_common.failpoints import failpoint
from sheaf_orchestrator.domain import Group, GroupLimits, Lane, ReleaseCause
from sheaf_orchestrator.ports import Intake, WorkflowEngine
from sheaf_orchestrator.service.observer import DispatchObserver
from sheaf_orchestrator.service.precedence import Precedence

log = structlog.get_logger()

_BACKOFF_BASE_S: Final = 0.1
_BACKOFF_LIMIT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Claims groups of one lane, for ever, and starts their workflows.

    At most `limits().max_workflows` hold documents at once, over all dispatchers: the claim
    itself waits for a place. While the engine does not start workflows no more documents
    are claimed than one group a back-off, so what it leaves to the lease stays small.
    """

    intake: Intake
    engine: WorkflowEngine
    lane: Lane
    limits: Callable[[], GroupLimits]
    """Asked for each claim, as they follow the live workers."""
    claim_wait_s: float
    observer: DispatchObserver
    precedence: Precedence | None = None
    """What is told that text comes; None for a lane that gives way itself."""

    async def run(self) -> None:
        """Dispatches until cancelled."""
        failures = 0
        while True:
            limits = self.limits()
            self.observer.limited(self.lane, limits.max_workflows)
            try:
                group = await self.intake.claim(self.lane, limits, wait_s=self.claim_wait_s)
            except SheafError as error:
                log.warning("cannot claim", lane=self.lane.value, error=str(error))
                healthy = False
            else:
                healthy = group is None or await self.dispatch(group)
            failures = 0 if healthy else failures + 1
            if failures:
                await asyncio.sleep(
                    backoff_s(failures, base_s=_BACKOFF_BASE_S, limit_s=_BACKOFF_LIMIT_S)
                )

    async def dispatch(self, group: Group) -> bool:
        """Starts a claimed group's workflow; whether the engine took it.

        Only a definite refusal releases the claim: after a timeout the workflow may run,
        so its documents are left to the lease.
        """
        if self.precedence is not None:
            self.precedence.expect()
        await failpoint("dispatcher.claimed")
        try:
            await self.engine.start(group)
        except (FailedPrecondition, InvalidInput) as error:
            log.error(  # noqa: TRY400 - the reason says it all
                "workflow refused", workflow_id=group.workflow_id, error=str(error)
            )
            await self._release(group)
            return False
        except SheafError as error:
            log.warning(
                "workflow start unknown, left to the lease",
                workflow_id=group.workflow_id,
                documents=len(group.documents),
                error=str(error),
            )
            return False
        await failpoint("dispatcher.started")
        self.observer.dispatched(self.lane, len(group.documents))
        log.debug("dispatched", workflow_id=group.workflow_id, documents=len(group.documents))
        return True

    async def _release(self, group: Group) -> None:
        ids = [task.document_id for task in group.documents]
        try:
            await self.intake.release(group.workflow_id, ids, ReleaseCause.NOT_STARTED)
        except SheafError as error:
            log.warning("cannot release, left to the lease", error=str(error))
