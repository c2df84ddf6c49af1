"""The metrics of every pool, one set of names for all: `sheaf_pool_*{pool}`.

`sheaf_pool_used_max / sheaf_pool_size` is the share of a pool that was in use; what it must stay
below is in requirements.md, "Targets". Operations are measured by those who know them.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final, Protocol

from prometheus_client.core import Metric
from prometheus_client.registry import REGISTRY, Collector

from sheaf_common.telemetry import catalogue
from sheaf_common.telemetry.catalogue import MetricSpec

_WAIT_SECONDS: Final = catalogue.POOL_WAIT_SECONDS.histogram()
_TIMEOUTS: Final = catalogue.POOL_TIMEOUTS.counter()
_GAUGES: Final[Mapping[str, MetricSpec]] = MappingProxyType(
    {
        "size": catalogue.POOL_SIZE,
        "open": catalogue.POOL_OPEN,
        "used": catalogue.POOL_USED,
        "used_max": catalogue.POOL_USED_MAX,
        "waiting": catalogue.POOL_WAITING,
    }
)
"""What a pool tells of itself, by the attribute that tells it."""


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
    def used_max(self) -> int:
        """The most in use at once during the last minute."""
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
        names = sorted({name for name, _ in self.pools})
        families: list[Metric] = []
        for gauge, spec in _GAUGES.items():
            family = spec.gauge_family()
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
