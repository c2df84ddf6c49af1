"""Dispatch and processing as Prometheus metrics."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector

from sheaf_common.telemetry.metrics import LATENCY_BUCKETS_S
from sheaf_orchestrator.adapters.scaling_metrics import workflows_limited
from sheaf_orchestrator.domain import GroupSummary, Lane, WorkflowState
from sheaf_orchestrator.extraction import ExtractionPool

DISPATCHED_GROUP_DOCUMENTS: Final = Histogram(
    "sheaf_dispatched_group_documents",
    "Documents of a dispatched group, by lane.",
    ["lane"],
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
)
LEASES_RESOLVED: Final = Counter(
    "sheaf_expired_leases_total", "Expired leases, by the state of their workflow.", ["workflow"]
)
GROUP_SECONDS: Final = Histogram(
    "sheaf_group_seconds",
    "Time to process a group, or of the last step of a recognised document, in seconds, by lane.",
    ["lane"],
    buckets=LATENCY_BUCKETS_S,
)
STAGE_SECONDS: Final = Histogram(
    "sheaf_document_stage_seconds",
    "Time of one document in a stage (fetch, extract, put, …; recognise: a page; record: a"
    " batch), in seconds.",
    ["stage"],
    buckets=LATENCY_BUCKETS_S,
)
DOCUMENTS: Final = Counter(
    "sheaf_documents_processed_total",
    "Documents that left processing, by lane and outcome.",
    ["lane", "outcome"],
)
OCR_PAGES: Final = Counter(
    "sheaf_ocr_pages_total", "Pages that went through character recognition.", ["outcome"]
)


class PrometheusObserver:
    """`DispatchObserver` and `ProcessingObserver`."""

    def dispatched(self, lane: Lane, documents: int) -> None:
        """See `DispatchObserver`."""
        DISPATCHED_GROUP_DOCUMENTS.labels(lane.value).observe(documents)

    def limited(self, lane: Lane, max_workflows: int) -> None:
        """See `DispatchObserver`."""
        workflows_limited(lane, max_workflows)

    def lease_resolved(self, state: WorkflowState, documents: int) -> None:  # noqa: ARG002 - counted by group
        """See `DispatchObserver`."""
        LEASES_RESOLVED.labels(state.value).inc()

    def group_processed(self, lane: Lane, summary: GroupSummary, duration_s: float) -> None:
        """See `ProcessingObserver`."""
        GROUP_SECONDS.labels(lane.value).observe(duration_s)
        for outcome, count in asdict(summary).items():
            if count:
                DOCUMENTS.labels(lane.value, outcome).inc(count)

    def page_recognised(self, *, failed: bool) -> None:
        """See `ProcessingObserver`."""
        OCR_PAGES.labels("failed" if failed else "read").inc()

    def stage_done(self, stage: str, duration_s: float) -> None:
        """See `ProcessingObserver`."""
        STAGE_SECONDS.labels(stage).observe(duration_s)


class SandboxCollector(Collector):
    """The figures of the sandbox's pools, by name, read when they are asked for."""

    def __init__(self, pools: Mapping[str, ExtractionPool]) -> None:
        """`pools` may get more of them meanwhile."""
        self._pools = pools

    def __enter__(self) -> None:
        REGISTRY.register(self)

    def __exit__(self, *_error: object) -> None:
        REGISTRY.unregister(self)

    def collect(self) -> list[Metric]:
        """One snapshot."""
        workers = GaugeMetricFamily(
            "sheaf_extract_processes",
            "Extraction subprocesses, by pool and state.",
            labels=["pool", "state"],
        )
        waiting = GaugeMetricFamily(
            "sheaf_extract_waiting", "Requests that wait for a subprocess.", labels=["pool"]
        )
        restarts = GaugeMetricFamily(
            "sheaf_extract_restarts",
            "Subprocesses replaced, by pool and cause.",
            labels=["pool", "cause"],
        )
        for name, pool in self._pools.items():
            stats = pool.stats()
            for state in ("size", "in_use", "ready", "starting"):
                workers.add_metric([name, state], getattr(stats, state))
            waiting.add_metric([name], stats.waiting)
            for cause, count in stats.restarts.items():
                restarts.add_metric([name, cause], count)
        return [workers, waiting, restarts]
