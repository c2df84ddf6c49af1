"""The metrics of every pool, one set of names for all: `sheaf_pool_*{pool}`.

`sheaf_pool_used / sheaf_pool_size` is the share of a pool that is in use; what it must stay
below is in requirements.md, "Targets". Operations are measured by those who know them.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector

from sheaf_common.telemetry.metrics import LATENCY_BUCKETS_S

_WAIT_SECONDS: Final = Histogram(
    "sheaf_pool_wait_seconds",
    "Time until a caller had a connection of a pool, or gave up, in seconds.",
    ["pool"],
    buckets=(0.00001, 0.0001, *LATENCY_BUCKETS_S),
)
_TIMEOUTS: Final = Counter(
    "sheaf_pool_timeouts_total", "Callers that got no connection in the pool's own time.", ["pool"]
)


class Pool(Protocol):
    """What a pool tells of itself. Reading it costs nothing and never blocks."""

    @property
    def size(self) -> int:
        """The most that can be in use at once."""
        ...

    @property
    def open(self) -> int:
        """Connections to the server (of S3: clients), in use or idle."""
        ...

    @property
    def used(self) -> int:
        """In use now."""
        ...

    @property
    def waiting(self) -> int:
        """Callers that wait for one."""
        ...


class WaitQueue:
    """Callers of one pool that wait; each wait is counted and timed."""

    def __init__(self, pool: str) -> None:
        self.length = 0
        self._seconds = _WAIT_SECONDS.labels(pool)
        self._timeouts = _TIMEOUTS.labels(pool)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """One caller waits for as long as the block runs."""
        started = time.perf_counter()
        self.length += 1
        try:
            yield
        finally:
            self.length -= 1
            self._seconds.observe(time.perf_counter() - started)

    def timed_out(self) -> None:
        """One of them waited as long as the pool lets anybody wait."""
        self._timeouts.inc()


class _PoolCollector(Collector):
    """All pools of this process; two of one name are added up."""

    def __init__(self) -> None:
        self.pools: list[tuple[str, Pool]] = []

    def describe(self) -> list[Metric]:
        """Nothing: what there is depends on what is open."""
        return []

    def collect(self) -> list[Metric]:
        """One snapshot."""
        gauges = {
            "size": "The most connections of a pool that can be in use at once.",
            "open": "Connections of a pool (s3: clients) that are open, in use or idle.",
            "used": "Connections of a pool that are in use.",
            "waiting": "Callers that wait for a connection of a pool.",
        }
        names = sorted({name for name, _ in self.pools})
        families: list[Metric] = []
        for gauge, text in gauges.items():
            family = GaugeMetricFamily(f"sheaf_pool_{gauge}", text, labels=["pool"])
            for name in names:
                value = sum(getattr(pool, gauge) for each, pool in self.pools if each == name)
                family.add_metric([name], value)
            families.append(family)
        return families


_collector: Final = _PoolCollector()
REGISTRY.register(_collector)


@contextmanager
def pool_metrics(name: str, pool: Pool) -> Iterator[None]:
    """Serves a pool's figures under its name for as long as the block runs."""
    entry = (name, pool)
    _collector.pools.append(entry)
    try:
        yield
    finally:
        _collector.pools.remove(entry)
