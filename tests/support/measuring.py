"""Metrics of a process that a test makes, from the catalogue, and what it remembers of them."""

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, Histogram

from sheaf_common.telemetry import catalogue
from sheaf_common.telemetry.catalogue import MetricSpec
from sheaf_common.telemetry.measured import Recent
from sheaf_common.telemetry.recent import RecentPast

ACCEPTED: Final = {"route": "/v1/documents", "method": "POST", "status": "202"}


class Measured:
    """A process that starts now, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=True)
        self._histograms: dict[str, Histogram] = {}
        self._gauges: dict[str, Gauge] = {}
        self._past = RecentPast(registry=self._registry)
        self._past.note()

    def took(
        self, spec: MetricSpec, seconds: float, labels: Mapping[str, str], *, times: int = 1
    ) -> None:
        """A histogram takes something up."""
        histogram = self._histograms.get(spec.name)
        if histogram is None:
            histogram = self._histograms[spec.name] = Histogram(
                spec.name, spec.text, list(spec.labels), buckets=spec.buckets,
                registry=self._registry,
            )  # fmt: skip
        for _ in range(times):
            histogram.labels(**labels).observe(seconds)

    def stands(self, spec: MetricSpec, value: float, **labels: str) -> None:
        """A gauge has this value."""
        gauge = self._gauges.get(spec.name)
        if gauge is None:
            gauge = self._gauges[spec.name] = Gauge(
                spec.name, spec.text, list(spec.labels), registry=self._registry
            )
        gauge.labels(**labels).set(value)

    def answered(self, status: int, *, times: int = 1, route: str = "/v1/documents/{id}") -> None:
        """The gateway answers requests."""
        labels = {"route": route, "method": "GET", "status": str(status)}
        self.took(catalogue.HTTP_REQUEST_SECONDS, 0.01, labels, times=times)

    def pool(self, name: str, used: float, size: float) -> None:
        """A pool is used, at its peak."""
        self.stands(catalogue.POOL_USED_MAX, used, pool=name)
        self.stands(catalogue.POOL_SIZE, size, pool=name)

    def recent(self) -> Recent:
        """What it remembers."""
        return self._past.over(60)


def everything_well() -> dict[str, Recent]:
    """What every service measures of a system that does some work and is well."""
    gateway, storage, metadata, orchestrator = (Measured() for _ in range(4))
    gateway.took(catalogue.HTTP_REQUEST_SECONDS, 0.09, ACCEPTED, times=10)
    gateway.pool("redis", 20, 200)
    storage.pool("s3", 5, 20)
    metadata.pool("db", 15, 150)
    metadata.pool("redis", 100, 200)
    metadata.stands(catalogue.BACKLOG_OLDEST_SECONDS, 0.5, lane="text")
    metadata.stands(catalogue.BACKLOG_OLDEST_SECONDS, 900, lane="ocr")
    metadata.took(catalogue.DOCUMENT_RESULT_SECONDS, 0.6, {"lane": "text"}, times=10)
    metadata.took(catalogue.DOCUMENT_RESULT_SECONDS, 200, {"lane": "ocr"}, times=10)
    for activity, seconds in (("extract_group", 0.12), ("recognise_pages", 30)):
        labels = {"activity": activity, "outcome": "completed"}
        orchestrator.took(catalogue.ACTIVITY_SECONDS, seconds, labels)
    return {
        "gateway": gateway.recent(),
        "storage": storage.recent(),
        "metadata": metadata.recent(),
        "orchestrator": orchestrator.recent(),
    }
