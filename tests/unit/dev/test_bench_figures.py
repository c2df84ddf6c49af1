"""How `bench` repeats operations, and what it makes of their times."""

import asyncio
import os
from itertools import accumulate
from random import Random

import pytest

from sheaf_client import WaitTimeout
from sheaf_dev.bench.arrivals import Arrival, Latencies, open_loop
from sheaf_dev.bench.callers import run_round
from sheaf_dev.bench.cpu import CpuMeter
from sheaf_dev.bench.memory import MemoryLog, Slope
from sheaf_dev.bench.statistics import percentile
from sheaf_dev.errors import DevError


async def test_a_round_has_as_many_operations_as_asked_for() -> None:
    """By as many callers at once, and no more."""
    running, most = 0, 0

    async def operate() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    done = await run_round(
        operate, callers=4, operations=50, meter=CpuMeter([os.getpid()]), deadline_s=10
    )

    assert (len(done.latencies_ms), most) == (50, 4)


async def test_a_round_that_hangs_is_given_up_by_name() -> None:
    """At its deadline, saying how far it came."""

    async def hang() -> None:
        await asyncio.Event().wait()

    with pytest.raises(DevError, match="0 of 3 operations"):
        await run_round(hang, callers=2, operations=3, meter=CpuMeter([]), deadline_s=0.05)


@pytest.mark.parametrize(
    ("percent", "expected"), [(1, 1), (50, 50), (99, 99), (99.9, 100), (100, 100)]
)
def test_a_percentile_is_a_value_that_was_measured(percent: float, expected: float) -> None:
    """The nearest rank, of a hundred values in any order."""
    assert percentile([float(value) for value in range(100, 0, -1)], percent) == expected


async def test_an_arrival_counts_from_when_it_was_due() -> None:
    """Arrivals do not wait for those before them; what the client raises is one's error."""
    running, loop, ended = asyncio.Event(), asyncio.get_running_loop(), list[float]()
    began = loop.time()

    async def operate(number: int) -> None:
        if number == 3:
            ended.append(loop.time())
            running.set()
            raise WaitTimeout("document 3 is not done")
        await running.wait()

    arrivals = await open_loop(operate, rate=100.0, count=4, seed=1)
    latencies = [arrival.latency_s for arrival in arrivals]

    gaps = Random(1)  # noqa: S311 # the same as the generator's
    due = list(accumulate(gaps.expovariate(100.0) for _ in range(4)))
    waited = [ended[0] - began - each for each in due[:3]]
    assert all((latency or 0.0) >= least for least, latency in zip(waited, latencies, strict=False))
    assert waited[0] > waited[1] > waited[2] > 0
    assert (latencies[3], arrivals[3].error) == (None, "WaitTimeout: document 3 is not done")


def test_latencies_tell_how_far_the_generator_fell_behind() -> None:
    """And how many arrivals came to nothing."""
    arrivals = [Arrival(0.001, 0.1), Arrival(0.002, 0.3), Arrival(0.004, None, "refused")]
    figures = Latencies.of(arrivals).as_json()

    assert (figures["p50_ms"], figures["p99_ms"], figures["errors"]) == (200.0, 300.0, 1)
    assert figures["generator_lag_p99_ms"] == 4.0


def test_memory_is_compared_between_the_first_and_the_last_quarter() -> None:
    """By medians: one look at a subprocess that was about to be recycled changes nothing."""
    log = MemoryLog()
    for share in range(101):
        log.add("steady", share / 100, 400.0 if share == 99 else 100.0)
        log.add("leaking", share / 100, 100.0 + share)
    log.add("late", 0.9, 50.0)
    slopes = log.slopes()

    assert set(slopes) == {"steady", "leaking"}
    assert (slopes["steady"].growth_mib, slopes["steady"].flat) == (0.0, True)
    assert slopes["leaking"].flat is False


@pytest.mark.parametrize(("first", "last"), [(50, 70), (400, 440), (400, 100)])
def test_flat_is_a_tenth_or_twenty_mib(first: float, last: float) -> None:
    """Whichever is more; a MiB above it is growth."""
    assert Slope(first, last, last).flat
    assert not Slope(first, max(first + 20, 1.1 * first) + 1, last).flat
