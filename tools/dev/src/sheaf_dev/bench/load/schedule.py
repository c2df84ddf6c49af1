"""When each request of a load test is due, whatever became of those before it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
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


async def when_due(due_s: Sequence[float], start: float) -> AsyncIterator[tuple[int, float]]:
    """Each number, when it is due, and its due time by the loop's clock; late if the loop is.

    `due_s` ascends and counts from `start`. What is begun with a number must not be waited for
    here: the next would wait for it.
    """
    loop = asyncio.get_running_loop()
    for number, each_s in enumerate(due_s):
        due = start + each_s
        await asyncio.sleep(max(0.0, due - loop.time()))
        yield number, due


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
