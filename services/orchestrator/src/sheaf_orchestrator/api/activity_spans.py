"""The span of an activity, and the one of the time until the first of a workflow began."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from temporalio import activity

from sheaf_common.errors import InvalidInput
from sheaf_common.ids import time_of
from sheaf_common.telemetry import tracing
from sheaf_common.telemetry.trace_context import TraceContext
from sheaf_common.telemetry.tracing import Kind
from sheaf_orchestrator.domain import Group
from sheaf_orchestrator.service.spans import about_group


@contextmanager
def activity_span(group: Group, *, opens: bool = False) -> Iterator[None]:
    """The running activity as the current span, in the trace of the group.

    One that `opens` its workflow also tells of the way there: from the claim, whose time is in
    the workflow's id, over the start and Temporal's queues to this worker.
    """
    parent = TraceContext.sampled_or_none(group.traceparent) if tracing.enabled() else None
    if parent is None:
        yield
        return
    info = activity.info()
    attributes = {
        **about_group(group),
        "sheaf.activity.attempt": info.attempt,
        "sheaf.activity.schedule_to_start_ms": round(
            (info.started_time - info.current_attempt_scheduled_time).total_seconds() * 1000, 3
        ),
    }
    if opens and info.attempt == 1:
        tracing.record(
            parent,
            f"workflow {info.workflow_type}",
            Kind.INTERNAL,
            about_group(group),
            begin_ns=_ns(_claimed_at(group.workflow_id, info.scheduled_time)),
            end_ns=_ns(info.started_time),
        )
    with (
        tracing.under(parent),
        tracing.span(f"activity {info.activity_type}", Kind.CONSUMER, attributes),
    ):
        yield


def _claimed_at(workflow_id: str, otherwise: datetime) -> datetime:
    try:
        return time_of(UUID(workflow_id))
    except (ValueError, InvalidInput):
        return otherwise


def _ns(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1000
