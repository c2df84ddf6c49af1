"""A collector of traces: a real OTLP receiver over gRPC, which keeps what it is sent."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2


@dataclass(frozen=True)
class ReceivedSpan:
    """One span, ids in hex; `parent_id` is empty for a root."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: str
    service: str
    begin_ns: int
    end_ns: int
    failed: bool
    attributes: dict[str, Any]
    links: tuple[tuple[str, str], ...]
    """Trace and span of each."""


@dataclass
class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """See the module."""

    endpoint: str = ""
    spans: list[ReceivedSpan] = field(default_factory=list)
    metadata: list[dict[str, str]] = field(default_factory=list)
    """Of each export."""

    def Export(
        self,
        request: trace_service_pb2.ExportTraceServiceRequest,
        context: grpc.ServicerContext,
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        """Takes spans."""
        self.metadata.append({key: str(value) for key, value in context.invocation_metadata()})
        for of_resource in request.resource_spans:
            service = _values(of_resource.resource.attributes)["service.name"]
            for of_scope in of_resource.scope_spans:
                self.spans += [_received(span, service) for span in of_scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()

    def trace(self, trace_id: str) -> list[ReceivedSpan]:
        """The spans of a trace so far, by their begin."""
        found = [span for span in self.spans if span.trace_id == trace_id]
        return sorted(found, key=lambda span: span.begin_ns)


@contextmanager
def collector(port: int = 0) -> Iterator[Collector]:
    """A collector on loopback for the block; port 0 takes a free one."""
    server = grpc.server(ThreadPoolExecutor(4))
    receiving = Collector()
    add: Any = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
    add(receiving, server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    receiving.endpoint = f"http://127.0.0.1:{bound}"
    server.start()
    try:
        yield receiving
    finally:
        server.stop(grace=None).wait()


def _received(span: trace_pb2.Span, service: str) -> ReceivedSpan:
    return ReceivedSpan(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        name=span.name,
        kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        service=service,
        begin_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
        attributes=_values(span.attributes),
        links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
    )


def _values(attributes: Sequence[KeyValue]) -> dict[str, Any]:
    values = {}
    for each in attributes:
        kind = each.value.WhichOneof("value") or "string_value"
        values[each.key] = getattr(each.value, kind)
    return values
