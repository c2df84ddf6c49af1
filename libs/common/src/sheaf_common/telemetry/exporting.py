"""Switching tracing on: its variables, and its life in a process.

The variables have the names of OpenTelemetry's specification. Others of it that the exporter
itself reads (`OTEL_EXPORTER_OTLP_CERTIFICATE`, `OTEL_RESOURCE_ATTRIBUTES`, …) work too.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from pydantic import SecretStr

from sheaf_common.settings import SettingsGroup, variable
from sheaf_common.telemetry import catalogue, tracing

log = structlog.get_logger()

TRACE_SPANS_DROPPED: Final = catalogue.TRACE_SPANS_DROPPED.counter()
"""Served by every process, so that an alert on it needs no knowledge of who traces."""

_CLOSE_S: Final = 3.0
"""The most that a stop waits for a collector."""


class TracingSettings(SettingsGroup):
    """Whether and where a process sends traces."""

    endpoint: str | None = variable(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        None,
        "OTLP collector, over gRPC, as http://host:4317 or https://…; unset means no tracing",
        pattern=r"^https?://[^/?#\s]+/?$",
    )
    headers: SecretStr | None = variable(
        "OTEL_EXPORTER_OTLP_HEADERS", None, "what the collector asks for, as name=value,…"
    )
    sampled_ratio: float = variable(
        "OTEL_TRACES_SAMPLER_ARG",
        1.0,
        "share of the requests that are traced, unless the caller has decided",
        ge=0,
        le=1,
    )
    service_name: str | None = variable(
        "OTEL_SERVICE_NAME", None, "name in traces; unset means the service's own"
    )


@asynccontextmanager
async def process_tracing(settings: TracingSettings, service: str) -> AsyncIterator[None]:
    """Traces for the block, if a collector is configured; at its end sends what is left.

    A collector that does not answer holds nothing up, but for 3 s at the end.
    """
    if settings.endpoint is None:
        yield
        return
    from sheaf_common.telemetry.otlp import OtlpTracer  # noqa: PLC0415 - not where it is off

    headers = "" if settings.headers is None else settings.headers.get_secret_value()
    tracer = OtlpTracer(
        settings.service_name or service, settings.endpoint, headers, settings.sampled_ratio
    )
    tracing.install(tracer)
    log.info("tracing is on", endpoint=settings.endpoint, sampled_ratio=settings.sampled_ratio)
    try:
        yield
    finally:
        tracing.install(None)
        await asyncio.to_thread(tracer.close, _CLOSE_S)
