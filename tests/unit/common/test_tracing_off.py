"""Without a collector tracing costs nothing."""

import subprocess
import sys
import time

from sheaf_common.grpc.spans import client_span, propagated, server_span
from sheaf_common.telemetry import tracing
from sheaf_common.telemetry.trace_context import TraceContext
from sheaf_common.telemetry.tracing import NO_SPAN, Kind

_TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_LIMIT_NS = 5_000
"""On an idle machine it is 0.2 µs; a real span is at least 15."""


def test_every_span_is_the_same_that_does_nothing() -> None:
    """Whatever the caller says, and nothing is passed on."""
    with tracing.under(TraceContext.parse(_TRACEPARENT)):
        spans = [
            tracing.span("a", Kind.CLIENT, {"b": "c"}),
            tracing.root("a", _TRACEPARENT),
            tracing.continued(_TRACEPARENT, "a", Kind.SERVER),
            server_span("/a.B/C", {"traceparent": _TRACEPARENT}),
            client_span("peer", None),
        ]
        assert all(span is NO_SPAN for span in spans)
        assert (tracing.current(), tracing.traceparent()) == (None, "")
        assert propagated(NO_SPAN.context) == ()


def test_a_span_costs_less_than_a_few_microseconds() -> None:
    """CPU of the best of five rounds."""

    def round_ns(spans: int = 5_000) -> float:
        started = time.process_time_ns()
        for _ in range(spans):
            with tracing.span("a") as span:
                span.set("b", 1)
        return (time.process_time_ns() - started) / spans

    assert min(round_ns() for _ in range(5)) < _LIMIT_NS


def test_services_do_not_even_import_opentelemetry() -> None:
    """Neither do their modules, nor the libraries that they use."""
    services = ("gateway", "storage", "metadata", "orchestrator")
    imports = ", ".join(f"sheaf_{name}.__main__, sheaf_{name}.wiring" for name in services)
    program = (
        f"import sys, {imports}\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=90,
    )
    assert found.stdout.strip() == "[]"
