"""What the orchestrator answers to operators."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sheaf.orchestrator.v1 import orchestrator_pb2
from sheaf_orchestrator.api.servicer import OrchestratorServicer
from sheaf_orchestrator.domain import Lane, LaneBacklog, QueueBacklog


@dataclass
class Intake:
    """`IntakeBacklog` that holds this much."""

    held: Sequence[LaneBacklog]

    async def lanes(self) -> Sequence[LaneBacklog]:
        """It."""
        return self.held


@dataclass
class Operations:
    """The backlog of `WorkflowOperations`, of which nothing else is asked."""

    held: Sequence[QueueBacklog]

    async def backlog(self) -> Sequence[QueueBacklog]:
        """It."""
        return self.held


async def test_the_backlog_says_what_pending_workflows_are_made_of() -> None:
    """Documents by lane with what a group of it takes, tasks by what their queue is for."""
    operations: Any = Operations(
        [QueueBacklog("my-cpu", "cpu", workflow_tasks=False, count=3, age_s=0.5)]
    )
    servicer = OrchestratorServicer(
        Intake([LaneBacklog(Lane.TEXT, 130, 1.5, 2), LaneBacklog(Lane.OCR, 4, 60.0, 1)]),
        operations,
        min_age_floor_s=0,
        group_max_documents={Lane.TEXT: 64, Lane.OCR: 1},
        thumbnails=None,
    )
    context: Any = None
    answer = await servicer.GetBacklog(orchestrator_pb2.GetBacklogRequest(), context)

    assert [
        (lane.lane, lane.queued_documents, lane.group_max_documents) for lane in answer.lanes
    ] == [("text", 130, 64), ("ocr", 4, 1)]
    (queue,) = answer.task_queues
    assert (queue.task_queue, queue.purpose, queue.approximate_count) == ("my-cpu", "cpu", 3)
