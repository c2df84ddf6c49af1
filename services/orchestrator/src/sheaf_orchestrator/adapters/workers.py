"""The Temporal workers, one for each kind of task queue, tuned by the settings."""

from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final

from temporalio.client import Client
from temporalio.worker import (
    PollerBehavior,
    PollerBehaviorAutoscaling,
    PollerBehaviorSimpleMaximum,
    Worker,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from sheaf_orchestrator.adapters.activity_metrics import ActivityMetrics
from sheaf_orchestrator.settings import TemporalSettings
from sheaf_orchestrator.workflows.process_group import ProcessGroupWorkflow
from sheaf_orchestrator.workflows.recognise_document import RecogniseDocumentWorkflow
from sheaf_orchestrator.workflows.sweep import SweepWorkflow

_SANDBOX: Final = SandboxedWorkflowRunner(
    # Workflow modules hold no state, so they need not be imported anew for each workflow:
    # that import is most of what the sandbox costs.
    restrictions=SandboxRestrictions.default.with_passthrough_modules("sheaf_orchestrator")
)

_STICKY_TIMEOUT: Final = timedelta(seconds=2)
"""How long a workflow waits for the worker that knows it before any other may take it, by
default 10 s. Ours are short to replay, so what a killed worker held is soon taken up."""

FatalError = Callable[[BaseException], Awaitable[None]]
"""Told when a worker cannot go on."""


def workflow_worker(
    client: Client, settings: TemporalSettings, on_fatal_error: FatalError
) -> Worker:
    """Runs workflow code; no activity."""
    return Worker(
        client,
        task_queue=settings.queues.workflows,
        workflows=[ProcessGroupWorkflow, RecogniseDocumentWorkflow, SweepWorkflow],
        workflow_runner=_SANDBOX,
        max_concurrent_workflow_tasks=settings.max_concurrent_workflow_tasks,
        workflow_task_poller_behavior=_pollers(settings, settings.workflow_pollers_max),
        sticky_queue_schedule_to_start_timeout=_STICKY_TIMEOUT,
        graceful_shutdown_timeout=timedelta(seconds=settings.graceful_shutdown_s),
        on_fatal_error=on_fatal_error,
    )


def io_worker(
    client: Client,
    settings: TemporalSettings,
    executor: ThreadPoolExecutor,
    activities: Sequence[Callable[..., Any]],
    on_fatal_error: FatalError,
) -> Worker:
    """Runs activities that wait for others."""
    return _activity_worker(
        client,
        settings,
        settings.queues.io,
        executor,
        activities,
        on_fatal_error,
        slots=settings.io_max_concurrent_activities,
    )


def cpu_worker(
    client: Client,
    settings: TemporalSettings,
    executor: ThreadPoolExecutor,
    activities: Sequence[Callable[..., Any]],
    on_fatal_error: FatalError,
) -> Worker:
    """Runs activities that keep the extraction subprocesses busy."""
    return _activity_worker(
        client,
        settings,
        settings.queues.cpu,
        executor,
        activities,
        on_fatal_error,
        slots=settings.cpu_max_concurrent_activities,
    )


def ocr_worker(
    client: Client,
    settings: TemporalSettings,
    executor: ThreadPoolExecutor,
    activities: Sequence[Callable[..., Any]],
    on_fatal_error: FatalError,
    *,
    slots: int,
) -> Worker:
    """Runs activities that keep the recognition subprocesses busy."""
    return _activity_worker(
        client, settings, settings.queues.ocr, executor, activities, on_fatal_error, slots=slots
    )


def _activity_worker(
    client: Client,
    settings: TemporalSettings,
    task_queue: str,
    executor: ThreadPoolExecutor,
    activities: Sequence[Callable[..., Any]],
    on_fatal_error: FatalError,
    *,
    slots: int,
) -> Worker:
    return Worker(
        client,
        task_queue=task_queue,
        activities=activities,
        activity_executor=executor,
        interceptors=[ActivityMetrics()],
        max_concurrent_activities=slots,
        activity_task_poller_behavior=_pollers(settings, settings.activity_pollers_max),
        graceful_shutdown_timeout=timedelta(seconds=settings.graceful_shutdown_s),
        on_fatal_error=on_fatal_error,
    )


def _pollers(settings: TemporalSettings, maximum: int) -> PollerBehavior:
    """As many as the load asks for, up to a maximum; before it was a fixed number."""
    if settings.is_rolled_back:
        return PollerBehaviorSimpleMaximum(maximum)
    return PollerBehaviorAutoscaling(maximum=maximum)
