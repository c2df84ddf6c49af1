"""Each pool against its roll-back switch, in one run, on fresh servers.

The two alternate, round by round, so that what else the machine does meets both. Servers
and callers share it. CPU time is the sturdy figure; wall times drift.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from prometheus_client import REGISTRY

from sheaf_dev.bench.callers import Operation, Round, run_round
from sheaf_dev.bench.cpu import CpuMeter
from sheaf_dev.bench.pool_subjects import (
    Subject,
    Variables,
    database_operations,
    redis_operations,
    s3_operations,
)
from sheaf_dev.bench.statistics import median, percentile
from sheaf_dev.stack import Stack

CALLERS: Final = (1, 8, 32)
_SERVERS: Final = ("mariadb", "seaweedfs", "valkey")
_DEADLINE_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two ways to open one pool, and how many operations a round has at scale 1."""

    pool: str
    subject: Subject
    server: str
    other: Variables
    """The variables that make the second way out of the first."""
    operations: int


ROLLBACKS: Final = (
    Comparison("s3", s3_operations, "seaweedfs", {"S3_CLIENT_MODE": "per_call"}, 120),
    Comparison("db", database_operations, "mariadb", {"DB_POOL_MODE": "baseline"}, 1000),
    Comparison("redis", redis_operations, "valkey", {"REDIS_CLIENT_MODE": "per_call"}, 1500),
)
ONE_WIDE_CLIENT: Final = Comparison(
    "s3",
    s3_operations,
    "seaweedfs",
    {"S3_POOL_SIZE": "1", "S3_MAX_POOL_CONNECTIONS": "200"},
    240,
)
"""Is a pool of 20 clients worth more than one client with as many connections?"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one way, over all its rounds; times of one operation in milliseconds.

    `acquire_ms` is the mean time until a caller had a client or connection.
    """

    p50_ms: float
    p99_ms: float
    cpu_ms: float
    client_cpu_ms: float
    server_cpu_ms: float
    acquire_ms: float


@dataclass(frozen=True, slots=True)
class Result:
    """Both ways at so many callers; ratios are the second's over the first's."""

    pool: str
    callers: int
    first: Figures
    second: Figures
    cpu_ratio: float

    def as_json(self, first: str, second: str) -> dict[str, Any]:
        """With the two under those names, rounded to a microsecond."""
        return {
            "pool": self.pool,
            "callers": self.callers,
            first: _rounded(asdict(self.first)),
            second: _rounded(asdict(self.second)),
            "cpu_ratio": round(self.cpu_ratio, 3),
        }


async def compare_pools(
    comparisons: Sequence[Comparison],
    *,
    callers: Sequence[int],
    rounds: int,
    scale: float,
    on_progress: Callable[[str], None],
) -> list[Result]:
    """Measures each comparison on servers of its own.

    Raises:
        DevError: a server could not be started, or a round was not done in two minutes.
    """
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="sheaf-bench-") as folder:
        servers = Stack.private(Path(folder), services=(), servers=_SERVERS)
        async with servers as stack:
            for comparison in comparisons:
                meter = CpuMeter([stack.pid(comparison.server)])
                async with AsyncExitStack() as pools:
                    first = await pools.enter_async_context(comparison.subject(stack.env))
                    second = await pools.enter_async_context(
                        comparison.subject({**stack.env, **comparison.other})
                    )
                    for count in callers:
                        on_progress(f"{comparison.pool}, {count} callers")
                        operations = max(count, round(comparison.operations * scale))
                        ways = await _alternate(
                            (first, second), comparison.pool, count, operations, rounds, meter
                        )
                        results.append(_result(comparison.pool, count, *ways))
    return results


@dataclass(frozen=True, slots=True)
class _Way:
    rounds: list[Round]
    acquired_s: list[float]


async def _alternate(
    operations_of: tuple[Operation, Operation],
    pool: str,
    callers: int,
    operations: int,
    rounds: int,
    meter: CpuMeter,
) -> tuple[_Way, _Way]:
    """Rounds in turn; the first of each, in which connections are opened, does not count."""
    ways = (_Way([], []), _Way([], []))
    for number in range(rounds + 1):
        order = (0, 1) if number % 2 else (1, 0)
        for index in order:
            waited_s = _waited_s(pool)
            done = await run_round(
                operations_of[index],
                callers=callers,
                operations=operations,
                meter=meter,
                deadline_s=_DEADLINE_S,
            )
            if number:
                ways[index].rounds.append(done)
                ways[index].acquired_s.append((_waited_s(pool) - waited_s) / operations)
    return ways


def _result(pool: str, callers: int, first: _Way, second: _Way) -> Result:
    ratios = [b.cpu_ms / a.cpu_ms for a, b in zip(first.rounds, second.rounds, strict=True)]
    return Result(pool, callers, _figures(first), _figures(second), median(ratios))


def _figures(way: _Way) -> Figures:
    latencies = [latency for done in way.rounds for latency in done.latencies_ms]
    return Figures(
        p50_ms=median(latencies),
        p99_ms=percentile(latencies, 99),
        cpu_ms=median(done.cpu_ms for done in way.rounds),
        client_cpu_ms=median(done.client_cpu_ms for done in way.rounds),
        server_cpu_ms=median(done.server_cpu_ms for done in way.rounds),
        acquire_ms=median(way.acquired_s) * 1000,
    )


def _waited_s(pool: str) -> float:
    """How long all callers of a pool together have waited for a connection so far."""
    labels = {"pool": pool}
    return REGISTRY.get_sample_value("sheaf_pool_wait_seconds_sum", labels) or 0.0


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in figures.items()}
