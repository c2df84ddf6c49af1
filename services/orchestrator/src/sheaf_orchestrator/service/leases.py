"""Leases that nobody renewed: what became of their workflows, and what to do."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from sheaf_common.errors import FailedPrecondition, InvalidInput, SheafError
from sheaf_orchestrator.domain import Group, ReleaseCause, WorkflowState
from sheaf_orchestrator.ports import Intake, WorkflowEngine
from sheaf_orchestrator.service.observer import DispatchObserver

log = structlog.get_logger()

_WORKFLOWS_A_ROUND: Final = 50


@dataclass(frozen=True, slots=True)
class LeaseKeeper:
    """Resolves expired leases, each by its workflow (design, section 2.4).

    Every step may be repeated and may meet another keeper doing the same: a start uses the
    id that exists, and a release matches only what the workflow still holds.
    """

    intake: Intake
    engine: WorkflowEngine
    interval_s: float
    observer: DispatchObserver

    async def run(self) -> None:
        """Looks for expired leases until cancelled."""
        while True:
            try:
                groups = await self.intake.expired(limit=_WORKFLOWS_A_ROUND)
                await self._resolve_all(groups)
            except SheafError as error:
                log.warning("cannot resolve expired leases", error=str(error))
            await asyncio.sleep(self.interval_s)

    async def _resolve_all(self, groups: Sequence[Group]) -> None:
        for group in groups:
            state = await self.resolve(group)
            self.observer.lease_resolved(state, len(group.documents))

    async def resolve(self, group: Group) -> WorkflowState:
        """Does what the state of the group's workflow asks for; returns that state.

        Raises:
            SheafError: the engine or the intake does not answer; try again later.
        """
        state = await self.engine.state(group.workflow_id)
        log.info(
            "lease expired",
            workflow_id=group.workflow_id,
            workflow=state.value,
            documents=len(group.documents),
        )
        match state:
            case WorkflowState.RUNNING:
                await self.intake.renew(group.workflow_id, group.documents)
            case WorkflowState.CLOSED:
                await self._requeue(group, ReleaseCause.WORKER_LOST)
            case WorkflowState.UNKNOWN:
                await self._start_again(group)
        return state

    async def _start_again(self, group: Group) -> None:
        """The dispatcher died before its start arrived: the same id, the same documents."""
        await self.intake.renew(group.workflow_id, group.documents)
        try:
            await self.engine.start(group)
        except InvalidInput:
            await self._requeue(group, ReleaseCause.NOT_STARTED)
        except FailedPrecondition:
            await self._requeue(group, ReleaseCause.WORKER_LOST)

    async def _requeue(self, group: Group, cause: ReleaseCause) -> None:
        ids = [task.document_id for task in group.documents]
        await self.intake.release(group.workflow_id, ids, cause)
