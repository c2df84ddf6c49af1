"""Spans on their way to a real collector, and without one."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from pydantic import SecretStr

from sheaf_common import logs
from sheaf_common.errors import NotFound
from sheaf_common.telemetry import tracing
from sheaf_common.telemetry.exporting import (
    TRACE_SPANS_DROPPED,
    TracingSettings,
    process_tracing,
)
from sheaf_common.telemetry.span_batches import SpanBatches
from sheaf_common.telemetry.trace_context import TraceContext
from sheaf_common.telemetry.tracing import NO_SPAN, Kind
from support.otlp import Collector, collector
from support.waiting import until

_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@asynccontextmanager
async def traced(ratio: float = 1.0) -> AsyncIterator[Collector]:
    """This process with tracing on; at the end of the block the collector has all."""
    with collector() as receiving:
        async with process_tracing(settings(receiving.endpoint, ratio), "tests"):
            yield receiving


def settings(endpoint: str, ratio: float = 1.0) -> TracingSettings:
    """Of a collector that wants a header."""
    return TracingSettings.model_construct(
        endpoint=endpoint,
        headers=SecretStr("authorization=Bearer%20x"),
        sampled_ratio=ratio,
        service_name=None,
    )


async def test_a_tree_of_spans_arrives_as_it_was() -> None:
    """Names, parents, kinds, attributes, errors by reason, and the service that made them."""
    async with traced() as receiving:
        with (
            contextlib.suppress(NotFound),
            tracing.root("root", f"00-{_TRACE}-00f067aa0ba902b7-01", {"a": 1}),
            tracing.span("child", Kind.CLIENT) as child,
        ):
            child.set("b", "c")
            assert tracing.traceparent() == str(child.context)
            raise NotFound("GONE", "secret.pdf is not there")
    root, child_span = receiving.trace(_TRACE)
    assert (root.name, root.kind, root.parent_id) == ("root", "SERVER", "00f067aa0ba902b7")
    assert (child_span.name, child_span.kind, child_span.parent_id) == (
        "child", "CLIENT", root.span_id,
    )  # fmt: skip
    assert child_span.failed
    assert child_span.attributes == {"b": "c", "error.type": "GONE"}
    assert (root.service, root.attributes["a"]) == ("tests", 1)
    assert receiving.metadata[0]["authorization"] == "Bearer x"


async def test_the_caller_decides_before_the_sampler() -> None:
    """One that has decided for or against; the ratio is for all others, bad ones included."""
    async with traced(ratio=0.0):
        assert tracing.root("a", "") is NO_SPAN
        assert tracing.root("a", "nonsense") is NO_SPAN
        with tracing.root("a", f"00-{_TRACE}-00f067aa0ba902b7-01") as span:
            assert span.context is not None
            assert span.context.trace_id_hex == _TRACE
    async with traced(ratio=1.0):
        assert tracing.root("a", f"00-{_TRACE}-00f067aa0ba902b7-00") is NO_SPAN
        with tracing.root("a", "nonsense") as span:
            assert span is not NO_SPAN


async def test_a_span_needs_one_above_it() -> None:
    """What belongs to no request makes none; nor does what is taken out of it."""
    async with traced():
        assert tracing.span("alone") is NO_SPAN
        with tracing.root("request", ""):
            assert tracing.span("below") is not NO_SPAN
            with tracing.under(None):
                assert tracing.span("beside") is NO_SPAN


async def test_lines_of_a_traced_request_name_its_trace() -> None:
    """Others have no such field."""
    add = logs._add_request
    async with traced():
        with tracing.root("request", f"00-{_TRACE}-00f067aa0ba902b7-01"):
            assert add(None, "info", {})["trace_id"] == _TRACE
        assert "trace_id" not in add(None, "info", {})


async def test_a_dead_collector_harms_nothing() -> None:
    """Spans are made as fast as ever, what is lost is counted, and the stop is not held up."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        dead = f"http://127.0.0.1:{taken.getsockname()[1]}"
        before = TRACE_SPANS_DROPPED._value.get()
        with structlog.testing.capture_logs() as lines:
            async with process_tracing(settings(dead), "tests"):
                with tracing.root("request", ""):
                    slowest_s = max(_timed_span() for _ in range(1000))
                stopping_at = time.monotonic()
            stopped_after_s = time.monotonic() - stopping_at
    assert slowest_s < 0.5  # of which the machine's own pauses are the most
    assert stopped_after_s < 5
    assert TRACE_SPANS_DROPPED._value.get() - before == 1001
    warnings = [line["event"] for line in lines if line["log_level"] == "warning"]
    assert warnings == [
        "the trace collector does not take all spans, going on without",
        "spans were not exported",
    ]


def _timed_span() -> float:
    started = time.perf_counter()
    with tracing.span("a"):
        pass
    return time.perf_counter() - started


class _Stuck(SpanExporter):
    """Takes nothing until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.taken: list[str] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Waits."""
        assert self.go.wait(30)
        self.taken += [span.name for span in spans]
        return SpanExportResult.SUCCESS


async def test_the_queue_of_spans_is_bounded() -> None:
    """Beyond it they are dropped and counted; the others arrive when the collector is back."""
    exporter = _Stuck()
    batches = SpanBatches(exporter, queue_spans=10, batch_spans=1, interval_s=0.01)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(batches)
    tracer = provider.get_tracer("tests")
    before = TRACE_SPANS_DROPPED._value.get()
    tracer.start_span("first").end()
    await until(lambda: not batches._queue)  # it is being exported
    for _ in range(25):
        tracer.start_span("later").end()
    exporter.go.set()
    await asyncio.to_thread(batches.close, 10)
    assert exporter.taken == ["first"] + ["later"] * 10
    assert TRACE_SPANS_DROPPED._value.get() - before == 15


async def test_a_link_names_a_span_of_another_trace() -> None:
    """For documents whose group is another's."""
    other = TraceContext(int(_TRACE, 16), 1)
    async with traced() as receiving:
        with tracing.root("request", ""), tracing.span("linked", links=[other]):
            pass
    linked = next(span for span in receiving.spans if span.name == "linked")
    assert linked.links == ((_TRACE, f"{1:016x}"),)
