"""When each request of a load test is due, whatever became of those before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Self

from sheaf_dev.bench.load.plan import Arrivals, LoadPlan


def due_times(count: int, duration_s: float, arrivals: Arrivals, random: Random) -> Sequence[float]:
    """`count` times from 0 to `duration_s`, in seconds, ascending.

    `poisson` is the Poisson process given its count: independent, uniform times. So a rate is
    offered exactly, and yet as unevenly as by many who know nothing of each other.
    """
    if arrivals == "even":
        return [number * duration_s / count for number in range(count)]
    return sorted(random.uniform(0.0, duration_s) for _ in range(count))


@dataclass(frozen=True, slots=True)
class Schedule:
    """Due times in seconds from the start: of uploads, and of the reads beside them."""

    uploads_s: Sequence[float]
    reads_s: Sequence[float]

    @classmethod
    def of(cls, plan: LoadPlan, rate: float, duration_s: float, seed: str) -> Self:
        """At least one upload. The same arguments give the same times."""
        random = Random(seed)  # noqa: S311 # to be repeated, not to be secret
        uploads = max(1, round(rate * duration_s))
        return cls(
            due_times(uploads, duration_s, plan.arrivals, random),
            due_times(uploads * plan.status_reads, duration_s, "poisson", random),
        )
