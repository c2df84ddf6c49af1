"""Dispatch: what is claimed is started, and only a definite refusal releases it."""

import asyncio

import pytest

from sheaf_common.errors import DeadlineExceeded, FailedPrecondition, InvalidInput, Unavailable
from sheaf_orchestrator.domain import GroupLimits, Lane, ReleaseCause
from sheaf_orchestrator.service.dispatcher import Dispatcher
from support.orchestrator_fakes import FakeEngine, FakeIntake, FakeObserver, group_of, task_of
from support.waiting import until

LIMITS = GroupLimits(max_workflows=3, max_documents=64, max_bytes=2**25, max_work_s=0.2)


def dispatcher(intake: FakeIntake, engine: FakeEngine, observer: FakeObserver) -> Dispatcher:
    """One over the fakes."""
    return Dispatcher(intake, engine, Lane.TEXT, lambda: LIMITS, 1.0, observer)


async def test_each_claimed_group_is_started_under_its_id() -> None:
    """The workflow's id is the claim's."""
    groups = [group_of(task_of()), group_of(task_of(), task_of())]
    intake, engine, observer = FakeIntake(groups=list(groups)), FakeEngine(), FakeObserver()
    running = asyncio.create_task(dispatcher(intake, engine, observer).run())
    await until(lambda: len(engine.started) == 2)
    running.cancel()

    assert engine.started == [group.workflow_id for group in groups]
    assert observer.dispatches == [1, 2]


@pytest.mark.parametrize(
    "refusal",
    [InvalidInput("WORKFLOW_REFUSED", ""), FailedPrecondition("WORKFLOW_CLOSED", "")],
)
async def test_a_definite_refusal_releases_the_claim(refusal: Exception) -> None:
    """No workflow runs, so the documents are queued again, uncounted."""
    group = group_of(task_of())
    intake, engine = FakeIntake(), FakeEngine(failures=[refusal])  # type: ignore[list-item]

    taken = await dispatcher(intake, engine, FakeObserver()).dispatch(group)

    ids = (group.documents[0].document_id,)
    assert not taken
    assert intake.released == [(group.workflow_id, ids, ReleaseCause.NOT_STARTED)]


@pytest.mark.parametrize("unknown", [Unavailable("X", ""), DeadlineExceeded("X", "")])
async def test_an_unknown_start_is_left_to_the_lease(unknown: Exception) -> None:
    """The workflow may run: releasing could make two of it."""
    intake, engine = FakeIntake(), FakeEngine(failures=[unknown])  # type: ignore[list-item]

    taken = await dispatcher(intake, engine, FakeObserver()).dispatch(group_of(task_of()))

    assert (taken, intake.released) == (False, [])


async def test_a_failed_claim_is_tried_again() -> None:
    """The intake may be down; dispatch goes on when it is back."""
    intake = FakeIntake(
        groups=[group_of(task_of())], failures={"claim": [Unavailable("X", "")] * 2}
    )
    engine = FakeEngine()
    running = asyncio.create_task(dispatcher(intake, engine, FakeObserver()).run())
    await until(lambda: engine.started)
    running.cancel()

    assert len(engine.started) == 1
