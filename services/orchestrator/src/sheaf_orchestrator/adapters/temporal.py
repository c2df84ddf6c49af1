"""Temporal: the client, the engine behind the dispatcher, schedules and backlog."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Final

import structlog
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    WorkflowExecutionStatus,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError, RPCStatusCode

from sheaf_common.backoff import backoff_s
from sheaf_common.errors import (
    DeadlineExceeded,
    FailedPrecondition,
    InvalidInput,
    NotFound,
    SheafError,
    Unavailable,
)
from sheaf_common.ids import new_id
from sheaf_orchestrator.adapters.temporal_json import DATA_CONVERTER
from sheaf_orchestrator.domain import (
    DocumentTask,
    Group,
    Lane,
    QueueBacklog,
    SweepReport,
    WorkflowDescription,
    WorkflowState,
    group_deadline_s,
    pages_deadline_s,
)
from sheaf_orchestrator.service.spans import start_span
from sheaf_orchestrator.settings import TaskQueues, TemporalSettings
from sheaf_orchestrator.workflows.contracts import (
    PROCESS_GROUP,
    RECOGNISE_DOCUMENT,
    SWEEP,
    ProcessGroupInput,
    RecogniseDocumentInput,
    SweepInput,
    SweepOutput,
    TaskInput,
)

log = structlog.get_logger()

SWEEP_SCHEDULE_ID: Final = "sheaf-sweep"
_RPC_TIMEOUT: Final = timedelta(seconds=5)
_CONNECT_BACKOFF_LIMIT_S: Final = 2.0
_FINISH_S: Final = 600.0
"""For the largest document: a gigabyte of parts fetched, put together and put."""
_REFUSALS: Final = frozenset(
    {
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.NOT_FOUND,
        RPCStatusCode.PERMISSION_DENIED,
        RPCStatusCode.UNAUTHENTICATED,
        RPCStatusCode.FAILED_PRECONDITION,
        RPCStatusCode.UNIMPLEMENTED,
    }
)
"""Answers that say the workflow was not started; anything else leaves it open."""


def temporal_runtime(metrics_host: str, metrics_port: int) -> Runtime:
    """The SDK's runtime with its Prometheus endpoint. One a process."""
    bind_address = f"{metrics_host}:{metrics_port}"
    return Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=bind_address)))


async def connect(settings: TemporalSettings, runtime: Runtime) -> Client:
    """Connects, waiting for a server that is late.

    Raises:
        Unavailable: `TEMPORAL_UNAVAILABLE`, it did not answer within the start timeout.
    """
    deadline = asyncio.get_running_loop().time() + settings.start_timeout_s
    tries = 0
    while True:
        try:
            return await Client.connect(
                settings.address,
                namespace=settings.namespace,
                runtime=runtime,
                data_converter=DATA_CONVERTER,
            )
        except (RuntimeError, RPCError) as error:
            pause_s = backoff_s(tries, base_s=0.2, limit_s=_CONNECT_BACKOFF_LIMIT_S)
            if asyncio.get_running_loop().time() + pause_s > deadline:
                raise Unavailable(
                    "TEMPORAL_UNAVAILABLE",
                    f"Temporal at {settings.address} did not answer in "
                    f"{settings.start_timeout_s:g} s: {error}",
                ) from error
            log.info("waiting for Temporal", address=settings.address)
            tries += 1
            await asyncio.sleep(pause_s)


@dataclass(frozen=True, slots=True)
class ActivityLimits:
    """What the activities' timeouts follow from, and how a document's pages are cut."""

    heartbeat_timeout_s: float
    document_s: float
    base_document_s: float
    page_s: float
    pages_per_chunk: int
    chunks_at_once: int


@dataclass(frozen=True, slots=True)
class TemporalEngine:
    """`WorkflowEngine` on Temporal; ids are used once (`REJECT_DUPLICATE`)."""

    client: Client
    queues: TaskQueues
    limits: ActivityLimits
    eager: bool = False
    """Whether a workflow's first task is asked for with its start. The server grants it only where
    a worker of this client has room for it, so it may be asked for anywhere."""

    async def start(self, group: Group) -> None:
        """See `WorkflowEngine`."""
        name, given = self.workflow(group)
        try:
            with start_span(group, name):
                await self.client.start_workflow(
                    name,
                    given,
                    id=group.workflow_id,
                    task_queue=self.queues.workflows,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    rpc_timeout=_RPC_TIMEOUT,
                    request_eager_start=self.eager,
                )
        except WorkflowAlreadyStartedError as error:
            raise FailedPrecondition(
                "WORKFLOW_CLOSED", f"workflow {group.workflow_id} has run before"
            ) from error
        except RPCError as error:
            raise _mapped(error) from error

    def workflow(self, group: Group) -> tuple[str, ProcessGroupInput | RecogniseDocumentInput]:
        """The group's workflow by name, and its input.

        Raises:
            InvalidInput: `GROUP_TOO_LARGE`, the lane takes one document at a time.
        """
        limits = self.limits
        if group.lane is Lane.TEXT:
            return PROCESS_GROUP, ProcessGroupInput(
                lane=group.lane.value,
                documents=[_task_input(task) for task in group.documents],
                cpu_task_queue=self.queues.cpu,
                deadline_s=group_deadline_s(len(group.documents), limits.document_s),
                heartbeat_timeout_s=limits.heartbeat_timeout_s,
            )
        if len(group.documents) != 1:
            raise InvalidInput(
                "GROUP_TOO_LARGE", f"{len(group.documents)} documents for one workflow of pages"
            )
        return RECOGNISE_DOCUMENT, RecogniseDocumentInput(
            document=_task_input(group.documents[0]),
            ocr_task_queue=self.queues.ocr,
            pages_per_chunk=limits.pages_per_chunk,
            chunks_at_once=limits.chunks_at_once,
            begin_deadline_s=group_deadline_s(1, limits.base_document_s),
            pages_deadline_s=pages_deadline_s(limits.pages_per_chunk, limits.page_s),
            finish_deadline_s=_FINISH_S,
            heartbeat_timeout_s=limits.heartbeat_timeout_s,
        )

    async def state(self, workflow_id: str) -> WorkflowState:
        """See `WorkflowEngine`."""
        try:
            description = await self.client.get_workflow_handle(workflow_id).describe(
                rpc_timeout=_RPC_TIMEOUT
            )
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return WorkflowState.UNKNOWN
            raise Unavailable("TEMPORAL_UNAVAILABLE", f"Temporal: {error.message}") from error
        if description.status is WorkflowExecutionStatus.RUNNING:
            return WorkflowState.RUNNING
        return WorkflowState.CLOSED


def _task_input(task: DocumentTask) -> TaskInput:
    return TaskInput(
        document_id=task.document_id,
        attempt=task.attempt,
        dispatches=task.dispatches,
        object_key=task.object_key,
        content_type=task.content_type,
        size_bytes=task.size_bytes,
        sha256=task.sha256,
        filename=task.filename,
        words=task.words,
        ocr=task.ocr.value,
        ocr_languages=list(task.ocr_languages),
        has_password=task.has_password,
        depth=task.depth,
        traceparent=task.traceparent,
        pages=[list(each) for each in task.pages],
    )


def _mapped(error: RPCError) -> SheafError:
    if error.status in _REFUSALS:
        return InvalidInput("WORKFLOW_REFUSED", f"Temporal refused: {error.message}")
    if error.status is RPCStatusCode.DEADLINE_EXCEEDED:
        return DeadlineExceeded("TEMPORAL_TIMEOUT", f"Temporal: {error.message}")
    return Unavailable("TEMPORAL_UNAVAILABLE", f"Temporal: {error.message}")


@dataclass(frozen=True, slots=True)
class TemporalOperations:
    """`WorkflowOperations` on Temporal, and its schedule of sweeps."""

    client: Client
    queues: TaskQueues

    async def ping(self) -> None:
        """Returns if the server answers. Raises `RPCError`."""
        await self.client.service_client.check_health(timeout=timedelta(seconds=2))

    async def describe(self, workflow_id: str) -> WorkflowDescription:
        """See `WorkflowOperations`."""
        try:
            found = await self.client.get_workflow_handle(workflow_id).describe(
                rpc_timeout=_RPC_TIMEOUT
            )
        except RPCError as error:
            if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
                raise NotFound(
                    "WORKFLOW_NOT_FOUND",
                    f"there is no workflow {workflow_id[:64]!r}",
                    evidence={"workflow_id": workflow_id[:64]},
                ) from error
            raise _mapped(error) from error
        return WorkflowDescription(
            workflow_id=found.id,
            run_id=found.run_id,
            running=found.status is WorkflowExecutionStatus.RUNNING,
            completed=found.status is WorkflowExecutionStatus.COMPLETED,
            started_at=found.start_time,
            closed_at=found.close_time,
        )

    async def backlog(self) -> Sequence[QueueBacklog]:
        """See `WorkflowOperations`."""
        asked = (
            ("workflows", self.queues.workflows, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
            ("cpu", self.queues.cpu, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
            ("ocr", self.queues.ocr, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
            ("io", self.queues.io, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
        )
        return await asyncio.gather(*(self._backlog(*each) for each in asked))

    async def _backlog(
        self, purpose: str, name: str, kind: "TaskQueueType.ValueType"
    ) -> QueueBacklog:
        try:
            answer = await self.client.workflow_service.describe_task_queue(
                DescribeTaskQueueRequest(
                    namespace=self.client.namespace,
                    task_queue=TaskQueue(name=name),
                    task_queue_type=kind,
                    report_stats=True,
                ),
                timeout=_RPC_TIMEOUT,
            )
        except RPCError as error:
            raise _mapped(error) from error
        return QueueBacklog(
            task_queue=name,
            purpose=purpose,
            workflow_tasks=kind == TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            count=answer.stats.approximate_backlog_count,
            age_s=answer.stats.approximate_backlog_age.ToTimedelta().total_seconds(),
        )

    async def sweep_now(self, min_age_s: float | None) -> SweepReport:
        """See `WorkflowOperations`."""
        try:
            output: SweepOutput = await self.client.execute_workflow(
                SWEEP,
                SweepInput(io_task_queue=self.queues.io, min_age_s=min_age_s),
                id=f"{SWEEP_SCHEDULE_ID}-{new_id()}",
                task_queue=self.queues.workflows,
                result_type=SweepOutput,
                rpc_timeout=_RPC_TIMEOUT,
            )
        except RPCError as error:
            raise _mapped(error) from error
        return SweepReport(**asdict(output))

    async def schedule_sweeps(self, interval_s: float) -> None:
        """Makes the schedule of sweeps if there is none. Raises `Unavailable`."""
        schedule = Schedule(
            action=ScheduleActionStartWorkflow(
                SWEEP,
                SweepInput(io_task_queue=self.queues.io),
                id=SWEEP_SCHEDULE_ID,
                task_queue=self.queues.workflows,
            ),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(timedelta(seconds=interval_s))]),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
        )
        try:
            await self.client.create_schedule(
                f"{SWEEP_SCHEDULE_ID}-{self.queues.workflows}", schedule, rpc_timeout=_RPC_TIMEOUT
            )
        except ScheduleAlreadyRunningError:
            return
        except RPCError as error:
            raise _mapped(error) from error
