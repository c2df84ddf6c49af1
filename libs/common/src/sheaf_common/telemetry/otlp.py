"""Spans by OpenTelemetry's SDK, sent over OTLP. Imported only where tracing is on."""

import asyncio
import logging
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from sheaf_common.errors import SheafError
from sheaf_common.telemetry.span_batches import SpanBatches
from sheaf_common.telemetry.trace_context import TraceContext
from sheaf_common.telemetry.tracing import (
    NO_SPAN,
    Attributes,
    Entered,
    Kind,
    Span,
    Value,
    enter,
)

_EXPORT_TIMEOUT_S: Final = 5.0
_KINDS: Final = {kind: SpanKind[kind.value] for kind in Kind}
_NO_PARENT: Final = Context()


class OtlpTracer:
    """`Tracer` that samples and sends to a collector, in batches and beside the work."""

    def __init__(self, service: str, endpoint: str, headers: str, ratio: float) -> None:
        """`headers` is as in `OTEL_EXPORTER_OTLP_HEADERS`. Nothing is connected yet."""
        # Each failed export says so at every try; what came of it is said by the batches, once.
        logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)
        exporter = OTLPSpanExporter(
            endpoint=endpoint, headers=headers or None, timeout=_EXPORT_TIMEOUT_S
        )
        self._batches = SpanBatches(exporter)
        provider = TracerProvider(
            sampler=ParentBasedTraceIdRatio(ratio),
            resource=Resource.create({"service.name": service}),
            shutdown_on_exit=False,
        )
        provider.add_span_processor(self._batches)
        self._tracer = provider.get_tracer("sheaf")

    def start(
        self,
        name: str,
        kind: Kind,
        parent: TraceContext | None,
        attributes: Attributes | None,
        links: Sequence[TraceContext],
        started_ns: int | None,
    ) -> Span:
        """See `Tracer`."""
        started = self._tracer.start_span(
            name,
            _NO_PARENT if parent is None else _below(parent),
            _KINDS[kind],
            attributes,
            [Link(_span_context(each)) for each in links],
            started_ns,
        )
        return RecordedSpan(started) if started.is_recording() else NO_SPAN

    def record(
        self,
        name: str,
        kind: Kind,
        parent: TraceContext,
        attributes: Attributes,
        begin_ns: int,
        end_ns: int,
    ) -> None:
        """See `Tracer`."""
        self._tracer.start_span(
            name, _below(parent), _KINDS[kind], attributes, start_time=begin_ns
        ).end(end_ns)

    def close(self, timeout_s: float) -> None:
        """Sends what is left, for at most so long. Blocks."""
        self._batches.close(timeout_s)


class RecordedSpan(Span):
    """A `Span` that is sampled, and so recorded."""

    __slots__ = ("_context", "_entered", "_failed", "_span")

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        context = span.get_span_context()
        self._context = TraceContext(context.trace_id, context.span_id)
        self._entered: Entered | None = None
        self._failed = False

    @property
    def context(self) -> TraceContext:
        """See `Span`."""
        return self._context

    def __enter__(self) -> Self:
        self._entered = enter(self._context)
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._entered is not None:
            self._entered.leave()
        self.end(error)

    def name(self, name: str) -> None:
        """See `Span`."""
        self._span.update_name(name)

    def set(self, key: str, value: Value) -> None:
        """See `Span`."""
        self._span.set_attribute(key, value)

    def fail(self, error_type: str) -> None:
        """See `Span`. The first to say so knows best."""
        if self._failed:
            return
        self._failed = True
        self._span.set_attribute("error.type", error_type)
        self._span.set_status(Status(StatusCode.ERROR))

    def end(self, error: BaseException | None = None) -> None:
        """See `Span`."""
        if isinstance(error, asyncio.CancelledError | GeneratorExit):
            self._span.set_attribute("sheaf.cancelled", True)
        elif error is not None:
            self.fail(error.reason if isinstance(error, SheafError) else type(error).__name__)
        self._span.end()


def _span_context(of: TraceContext) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if of.sampled else TraceFlags.DEFAULT)
    return SpanContext(of.trace_id, of.span_id, is_remote=True, trace_flags=flags)


def _below(parent: TraceContext) -> Context:
    return trace.set_span_in_context(NonRecordingSpan(_span_context(parent)), _NO_PARENT)
