"""A span for each end of a gRPC call, named by its method, joined by the call's metadata."""

from collections.abc import Mapping
from typing import Any

from sheaf_common.telemetry import tracing
from sheaf_common.telemetry.trace_context import TRACEPARENT_KEY, TraceContext
from sheaf_common.telemetry.tracing import NO_SPAN, Kind, Span

Metadata = tuple[tuple[str, str], ...]


def client_span(peer: str, method: Any) -> Span:
    """The span of a call that this process makes; `method` is the stub's."""
    if tracing.current() is None:
        return NO_SPAN
    name = method._method.decode().lstrip("/")  # noqa: SLF001 - told nowhere else
    attributes = {"rpc.system.name": "grpc", "rpc.method": name, "sheaf.peer": peer}
    return tracing.span(name, Kind.CLIENT, attributes)


def server_span(method: str, metadata: Mapping[str, str]) -> Span:
    """The span of a call that this process answers, if its caller's is sampled."""
    if not tracing.enabled() or TRACEPARENT_KEY not in metadata:
        return NO_SPAN
    name = method.lstrip("/")
    attributes = {"rpc.system.name": "grpc", "rpc.method": name}
    return tracing.continued(metadata[TRACEPARENT_KEY], name, Kind.SERVER, attributes)


def propagated(context: TraceContext | None) -> Metadata:
    """What tells the peer of the span that calls it."""
    return () if context is None else ((TRACEPARENT_KEY, str(context)),)
