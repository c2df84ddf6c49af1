"""`sheaf.orchestrator.v1` over gRPC: translate, delegate, nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from sheaf.orchestrator.v1 import orchestrator_pb2, orchestrator_pb2_grpc
from sheaf_common.errors import InvalidInput, Unavailable
from sheaf_common.ids import parse_id
from sheaf_orchestrator.domain import Lane
from sheaf_orchestrator.ports import IntakeBacklog, WorkflowOperations
from sheaf_orchestrator.service.thumbnails import Thumbnailer, ThumbnailRequest

SERVICE_NAME: Final = orchestrator_pb2.DESCRIPTOR.services_by_name["OrchestratorService"].full_name

_Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True)
class OrchestratorServicer(orchestrator_pb2_grpc.OrchestratorServiceServicer):
    """See the .proto. `min_age_floor_s` is the least age that a sweep may be asked for.

    `thumbnails` is None in roles that do not extract; `group_max_documents` has every lane.
    """

    intake: IntakeBacklog
    workflows: WorkflowOperations
    min_age_floor_s: float
    group_max_documents: Mapping[Lane, int]
    thumbnails: Thumbnailer | None

    def register(self, server: grpc.aio.Server) -> str:
        """Adds this servicer to a server; returns the service's full name."""
        orchestrator_pb2_grpc.add_OrchestratorServiceServicer_to_server(self, server)
        return SERVICE_NAME

    async def GetBacklog(
        self, _request: orchestrator_pb2.GetBacklogRequest, _context: _Context
    ) -> orchestrator_pb2.GetBacklogResponse:
        """See the .proto."""
        lanes = await self.intake.lanes()
        queues = await self.workflows.backlog()
        return orchestrator_pb2.GetBacklogResponse(
            lanes=[
                orchestrator_pb2.LaneBacklog(
                    lane=lane.lane.value,
                    queued_documents=lane.queued_documents,
                    oldest_age=_duration(lane.oldest_age_s),
                    workflows_in_flight=lane.workflows_in_flight,
                    group_max_documents=self.group_max_documents[lane.lane],
                )
                for lane in lanes
            ],
            task_queues=[
                orchestrator_pb2.TaskQueueBacklog(
                    task_queue=queue.task_queue,
                    purpose=queue.purpose,
                    kind=(
                        orchestrator_pb2.TASK_QUEUE_KIND_WORKFLOW
                        if queue.workflow_tasks
                        else orchestrator_pb2.TASK_QUEUE_KIND_ACTIVITY
                    ),
                    approximate_count=queue.count,
                    approximate_age=_duration(queue.age_s),
                )
                for queue in queues
            ],
        )

    async def DescribeWorkflow(
        self, request: orchestrator_pb2.DescribeWorkflowRequest, _context: _Context
    ) -> orchestrator_pb2.DescribeWorkflowResponse:
        """See the .proto."""
        found = await self.workflows.describe(request.workflow_id)
        if found.running:
            status = orchestrator_pb2.WORKFLOW_STATUS_RUNNING
        elif found.completed:
            status = orchestrator_pb2.WORKFLOW_STATUS_COMPLETED
        else:
            status = orchestrator_pb2.WORKFLOW_STATUS_FAILED
        return orchestrator_pb2.DescribeWorkflowResponse(
            workflow_id=found.workflow_id,
            run_id=found.run_id,
            status=status,
            started_at=_timestamp(found.started_at),
            closed_at=None if found.closed_at is None else _timestamp(found.closed_at),
        )

    async def RunSweep(
        self, request: orchestrator_pb2.RunSweepRequest, _context: _Context
    ) -> orchestrator_pb2.RunSweepResponse:
        """See the .proto. INVALID_ARGUMENT: SWEEP_TOO_EAGER."""
        min_age_s: float | None = None
        if request.HasField("min_age"):
            min_age_s = request.min_age.ToTimedelta().total_seconds()
            if min_age_s < self.min_age_floor_s:
                raise InvalidInput(
                    "SWEEP_TOO_EAGER",
                    f"min_age is {min_age_s:g} s; at least {self.min_age_floor_s:g} s are needed",
                    evidence={"field": "min_age"},
                )
        done = await self.workflows.sweep_now(min_age_s)
        return orchestrator_pb2.RunSweepResponse(
            objects_examined=done.objects_examined,
            orphans_deleted=done.orphans_deleted,
            losing_results_deleted=done.losing_results_deleted,
            uploads_aborted=done.uploads_aborted,
            events_deleted=done.events_deleted,
        )

    async def RenderThumbnail(
        self, request: orchestrator_pb2.RenderThumbnailRequest, _context: _Context
    ) -> orchestrator_pb2.RenderThumbnailResponse:
        """See the .proto."""
        if self.thumbnails is None:
            raise Unavailable(
                "ROLE_DOES_NOT_EXTRACT", "this role of the orchestrator does not extract"
            )
        picture, key = await self.thumbnails.draw(
            ThumbnailRequest(
                document_id=str(parse_id(request.document_id, "document_id")),
                object_key=request.object_key,
                content_type=request.content_type,
                size_bytes=request.size_bytes,
                sha256=request.sha256.hex(),
                page=request.page,
                width_px=request.width_px,
            )
        )
        return orchestrator_pb2.RenderThumbnailResponse(content=picture, object_key=key)


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromTimedelta(timedelta(seconds=seconds))
    return duration


def _timestamp(moment: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp
