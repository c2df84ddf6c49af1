"""Open-loop arrivals: each begins when it is due, however slow those before it are.

Latency counts from when an arrival was due, so that a generator that falls behind cannot hide
what it waited for; how far it fell behind is told besides.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Any

from sheaf_client import SheafClientError
from sheaf_dev.bench.load.schedule import when_due
from sheaf_dev.bench.statistics import median, percentile


@dataclass(frozen=True, slots=True)
class Arrival:
    """One arrival; `latency_s` is None if it came to nothing, and `error` says why."""

    lag_s: float
    """How long after it was due it began."""
    latency_s: float | None
    error: str | None = None


async def open_loop(
    operation: Callable[[int], Awaitable[object]], *, rate: float, count: int, seed: int
) -> list[Arrival]:
    """Begins `count` operations, about `rate` a second, and waits for all of them.

    They come as from many who know nothing of each other (a Poisson process), some close together
    and some far apart, at the same times for the same seed. At even times none would ever meet
    another, and whatever else is done would look worse than it is. What the client raises is that
    arrival's error; anything else passes.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def arrive(number: int, due: float) -> Arrival:
        lag_s = loop.time() - due
        try:
            await operation(number)
        except SheafClientError as error:
            return Arrival(lag_s, None, f"{type(error).__name__}: {error}")
        return Arrival(lag_s, loop.time() - due)

    tasks: list[asyncio.Task[Arrival]] = []
    async with asyncio.TaskGroup() as group:
        gaps = Random(seed)  # noqa: S311 # to be repeated, not to be secret
        due_s = list(accumulate(gaps.expovariate(rate) for _ in range(count)))
        async for number, due in when_due(due_s, began):
            tasks.append(group.create_task(arrive(number, due)))
    return [task.result() for task in tasks]


@dataclass(frozen=True, slots=True)
class Latencies:
    """Of many arrivals, in milliseconds."""

    count: int
    p50_ms: float
    p99_ms: float
    worst_ms: float
    lag_p99_ms: float
    """Of the generator."""
    errors: tuple[str, ...]

    @classmethod
    def of(cls, arrivals: Sequence[Arrival]) -> "Latencies":
        """Raises ValueError if none came to an end."""
        ended = [arrival.latency_s * 1000 for arrival in arrivals if arrival.latency_s is not None]
        return cls(
            count=len(arrivals),
            p50_ms=median(ended) if ended else 0.0,
            p99_ms=percentile(ended, 99),
            worst_ms=max(ended),
            lag_p99_ms=percentile([arrival.lag_s * 1000 for arrival in arrivals], 99),
            errors=tuple(arrival.error for arrival in arrivals if arrival.error),
        )

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "count": self.count,
            "p50_ms": round(self.p50_ms, 1),
            "p99_ms": round(self.p99_ms, 1),
            "worst_ms": round(self.worst_ms, 1),
            "generator_lag_p99_ms": round(self.lag_p99_ms, 2),
            "errors": len(self.errors),
            "first_errors": list(self.errors[:3]),
        }
