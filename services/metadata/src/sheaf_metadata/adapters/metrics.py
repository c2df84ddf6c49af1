"""The service's metrics in Prometheus form."""

from collections.abc import Callable
from typing import Final

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector

from sheaf_common.telemetry.metrics import LATENCY_BUCKETS_S
from sheaf_metadata.domain.documents import Lane
from sheaf_metadata.domain.outcomes import Disposition
from sheaf_metadata.service.observer import CachedKind, CoalescedKind

DATABASE_SECONDS: Final = Histogram(
    "sheaf_database_seconds",
    "Time of a use case in the database, the wait for a connection included, in seconds.",
    ["use_case"],
    buckets=LATENCY_BUCKETS_S,
)
DATABASE_RETRIES: Final = Counter(
    "sheaf_database_retries_total", "Transactions repeated, by cause.", ["cause"]
)
CACHE_READS: Final = Counter(
    "sheaf_cache_reads_total",
    "Documents and batches looked for in the cache, by result.",
    ["kind", "result"],
)
COALESCED_READS: Final = Counter(
    "sheaf_coalesced_reads_total", "Reads that shared another read's query, by kind.", ["kind"]
)
REDIS_SECONDS: Final = Histogram(
    "sheaf_redis_seconds",
    "Time of a Redis call, in seconds, by operation.",
    ["operation"],
    buckets=LATENCY_BUCKETS_S,
)
REDIS_FAILURES: Final = Counter(
    "sheaf_redis_failures_total", "Redis calls given up, by operation.", ["operation"]
)
CLAIMS: Final = Counter(
    "sheaf_claims_total", "Answered claims, by lane and whether they got a group.",
    ["lane", "result"],
)  # fmt: skip
CLAIMED_GROUP_DOCUMENTS: Final = Histogram(
    "sheaf_claimed_group_documents",
    "Documents of a claimed group, by lane.",
    ["lane"],
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
)
OUTCOMES: Final = Counter(
    "sheaf_outcomes_total", "Reported outcomes, by what became of them.", ["disposition"]
)


class PrometheusObserver:
    """The use cases' `Observer`."""

    def claimed(self, lane: Lane, documents: int) -> None:
        """See `Observer`."""
        CLAIMS.labels(lane.value, "group" if documents else "empty").inc()
        if documents:
            CLAIMED_GROUP_DOCUMENTS.labels(lane.value).observe(documents)

    def recorded(self, disposition: Disposition) -> None:
        """See `Observer`."""
        OUTCOMES.labels(disposition.value).inc()

    def coalesced(self, kind: CoalescedKind) -> None:
        """See `Observer`."""
        COALESCED_READS.labels(kind).inc()

    def cache_read(self, kind: CachedKind, *, hit: bool) -> None:
        """See `Observer`."""
        CACHE_READS.labels(kind, "hit" if hit else "miss").inc()


class WaiterCollector(Collector):
    """How many calls wait for a change, read when it is asked for."""

    def __init__(self, count: Callable[[], float]) -> None:
        self._count = count

    def __enter__(self) -> None:
        REGISTRY.register(self)

    def __exit__(self, *_error: object) -> None:
        REGISTRY.unregister(self)

    def describe(self) -> list[Metric]:
        """Nothing: so that a test may run two services in one process."""
        return []

    def collect(self) -> list[Metric]:
        """One snapshot."""
        return [
            GaugeMetricFamily(
                "sheaf_metadata_waiters", "Calls that wait for a change.", value=self._count()
            )
        ]
