"""Dispatch and processing as Prometheus metrics."""

from typing import Final

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector

from sheaf_common.telemetry.metrics import LATENCY_BUCKETS_S
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
    "sheaf_group_seconds", "Time to process a group, in seconds.", buckets=LATENCY_BUCKETS_S
)
STAGE_SECONDS: Final = Histogram(
    "sheaf_document_stage_seconds",
    "Time of one document in a stage (fetch, extract, put; record: a batch), in seconds.",
    ["stage"],
    buckets=LATENCY_BUCKETS_S,
)
DOCUMENTS: Final = Counter(
    "sheaf_documents_processed_total", "Documents that left processing, by outcome.", ["outcome"]
)


class PrometheusObserver:
    """`DispatchObserver` and `ProcessingObserver`."""

    def dispatched(self, lane: Lane, documents: int) -> None:
        """See `DispatchObserver`."""
        DISPATCHED_GROUP_DOCUMENTS.labels(lane.value).observe(documents)

    def lease_resolved(self, state: WorkflowState, documents: int) -> None:  # noqa: ARG002 - counted by group
        """See `DispatchObserver`."""
        LEASES_RESOLVED.labels(state.value).inc()

    def group_processed(self, summary: GroupSummary, duration_s: float) -> None:
        """See `ProcessingObserver`."""
        GROUP_SECONDS.observe(duration_s)
        for outcome in ("completed", "failed", "quarantined", "lost", "released"):
            if count := getattr(summary, outcome):
                DOCUMENTS.labels(outcome).inc(count)

    def stage_done(self, stage: str, duration_s: float) -> None:
        """See `ProcessingObserver`."""
        STAGE_SECONDS.labels(stage).observe(duration_s)


class SandboxCollector(Collector):
    """The sandbox's figures, read when they are asked for."""

    def __init__(self, pool: ExtractionPool) -> None:
        self._pool = pool

    def __enter__(self) -> None:
        REGISTRY.register(self)

    def __exit__(self, *_error: object) -> None:
        REGISTRY.unregister(self)

    def collect(self) -> list[Metric]:
        """One snapshot."""
        stats = self._pool.stats()
        workers = GaugeMetricFamily(
            "sheaf_extract_processes", "Extraction subprocesses, by state.", labels=["state"]
        )
        for state in ("size", "in_use", "ready", "starting"):
            workers.add_metric([state], getattr(stats, state))
        waiting = GaugeMetricFamily(
            "sheaf_extract_waiting", "Documents that wait for a subprocess.", value=stats.waiting
        )
        restarts = GaugeMetricFamily(
            "sheaf_extract_restarts", "Subprocesses replaced, by cause.", labels=["cause"]
        )
        for cause, count in stats.restarts.items():
            restarts.add_metric([cause], count)
        return [workers, waiting, restarts]
