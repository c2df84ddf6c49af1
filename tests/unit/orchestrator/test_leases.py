"""Expired leases are resolved by what Temporal says of their workflow."""

import asyncio

import pytest

from sheaf_common.errors import FailedPrecondition, Unavailable
from sheaf_orchestrator.domain import Group, ReleaseCause, WorkflowState
from sheaf_orchestrator.service.leases import LeaseKeeper
from support.orchestrator_fakes import FakeEngine, FakeIntake, FakeObserver, group_of, task_of
from support.waiting import until


@pytest.fixture
def group() -> Group:
    """A group whose lease has expired."""
    return group_of(task_of(), task_of())


def ids(group: Group) -> tuple[str, ...]:
    """Its documents' ids."""
    return tuple(task.document_id for task in group.documents)


def keeper(intake: FakeIntake, engine: FakeEngine) -> LeaseKeeper:
    """One over the fakes."""
    return LeaseKeeper(intake, engine, 0.01, FakeObserver())


async def test_a_running_workflow_keeps_its_documents(group: Group) -> None:
    """Its lease is renewed, and nothing else happens."""
    intake = FakeIntake()
    engine = FakeEngine(states={group.workflow_id: WorkflowState.RUNNING})

    await keeper(intake, engine).resolve(group)

    assert intake.renewals == [frozenset(ids(group))]
    assert (engine.started, intake.released) == ([], [])


async def test_a_closed_workflow_loses_what_it_left(group: Group) -> None:
    """The rest goes back to the queue, counted as a lost dispatch."""
    intake = FakeIntake()
    engine = FakeEngine(states={group.workflow_id: WorkflowState.CLOSED})

    await keeper(intake, engine).resolve(group)

    assert intake.released == [(group.workflow_id, ids(group), ReleaseCause.WORKER_LOST)]


async def test_an_unknown_workflow_is_started_under_the_same_id(group: Group) -> None:
    """The dispatcher died between claim and start: the same id, the whole group."""
    intake, engine = FakeIntake(), FakeEngine()

    await keeper(intake, engine).resolve(group)

    assert engine.started == [group.workflow_id]
    assert intake.released == []


async def test_a_workflow_that_closes_meanwhile_loses_its_documents(group: Group) -> None:
    """Unknown at the question, closed at the start."""
    intake = FakeIntake()

    class ClosesMeanwhile(FakeEngine):
        async def start(self, group: Group) -> None:
            raise FailedPrecondition("WORKFLOW_CLOSED", "")

    await keeper(intake, ClosesMeanwhile()).resolve(group)

    assert intake.released == [(group.workflow_id, ids(group), ReleaseCause.WORKER_LOST)]


async def test_an_engine_that_does_not_answer_changes_nothing(group: Group) -> None:
    """While Temporal is down leases wait; the keeper goes on when it is back."""
    intake = FakeIntake(expired_groups=[group])
    engine = FakeEngine(failures=[Unavailable("TEMPORAL_UNAVAILABLE", "")] * 3)
    running = asyncio.create_task(keeper(intake, engine).run())
    await until(lambda: engine.started)
    running.cancel()

    assert intake.released == []
