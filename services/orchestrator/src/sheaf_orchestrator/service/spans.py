"""Spans of groups and documents: in whose trace a piece of work is.

What is done for a whole group is in the trace of its first document that is traced; each
document's own work is in the document's. Where that is another trace, the document's span has a
link to the group's activity.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sheaf_common.telemetry import tracing
from sheaf_common.telemetry.trace_context import TraceContext
from sheaf_common.telemetry.tracing import NO_SPAN, Attributes, Kind, Span
from sheaf_orchestrator.domain import DocumentTask, Group


def start_span(group: Group, workflow: str) -> Span:
    """The start of a group's workflow."""
    if not tracing.enabled():
        return NO_SPAN
    name = f"start {workflow}"
    return tracing.continued(group.traceparent, name, Kind.PRODUCER, about_group(group))


@contextmanager
def document_span(task: DocumentTask) -> Iterator[Span]:
    """A document's part of a group's activity, which is the current span, if any."""
    activity = tracing.current()
    own = TraceContext.sampled_or_none(task.traceparent) if tracing.enabled() else None
    parent: TraceContext | None = own  # None: untraced beside others, it makes no spans
    links = [] if activity is None else [activity]
    if own is not None and activity is not None and activity.trace_id == own.trace_id:
        parent, links = activity, []
    with (
        tracing.under(parent),
        tracing.span("document", Kind.INTERNAL, about_document(task), links) as span,
    ):
        yield span


def about_group(group: Group) -> Attributes:
    """What spans say of a group; of a document alone, also which it is."""
    attributes: dict[str, tracing.Value] = {
        "sheaf.lane": group.lane.value,
        "sheaf.workflow.id": group.workflow_id,
        "sheaf.group.documents": len(group.documents),
    }
    if len(group.documents) == 1:
        attributes["sheaf.document.id"] = group.documents[0].document_id
    return attributes


def about_document(task: DocumentTask) -> Attributes:
    """What spans say of a document: never its name."""
    return {
        "sheaf.document.id": task.document_id,
        "sheaf.attempt": task.attempt,
        "sheaf.size_bytes": task.size_bytes,
        "sheaf.content_type": task.content_type,
    }
