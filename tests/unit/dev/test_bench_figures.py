"""How `bench` repeats operations, and what it makes of their times."""

import asyncio
import os
from itertools import accumulate
from random import Random

import pytest
from sqlalchemy import text

from sheaf_client import WaitTimeout
from sheaf_dev.bench.arrivals import Arrival, Latencies, open_loop
from sheaf_dev.bench.callers import run_round
from sheaf_dev.bench.cpu import CpuMeter
from sheaf_dev.bench.growth import BETWEEN, Judged, Log, Slope
from sheaf_dev.bench.hot_queries import Query, Run
from sheaf_dev.bench.limits import limit_of
from sheaf_dev.bench.rows import LAG_LIMIT_MS, Change, ManyRows
from sheaf_dev.bench.statistics import percentile
from sheaf_dev.embedded import SERVERS
from sheaf_dev.errors import DevError
from sheaf_dev.services import SERVICES


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


def test_growth_is_between_the_first_and_the_last_quarter() -> None:
    """By medians: one look at a subprocess that was about to be recycled changes nothing."""
    log = Log()
    for share in range(101):
        log.add("steady", "memory", share / 100, 400.0 if share == 99 else 100.0)
        log.add("leaking", "memory", share / 100, 100.0 + share)
        log.add("leaking", "threads", share / 100, 8.0)
    log.add("late", "memory", 0.9, 50.0)
    slopes = log.slopes()

    assert set(slopes) == {("steady", "memory"), ("leaking", "memory"), ("leaking", "threads")}
    assert slopes["steady", "memory"].growth == 0.0
    assert slopes["leaking", "memory"].growth == 75.0


@pytest.mark.parametrize(("first", "last"), [(50, 70), (400, 440), (400, 100)])
@pytest.mark.parametrize("service", [*SERVICES, "orchestrator: largest subprocess"])
def test_flat_is_a_tenth_or_twenty_mib(service: str, first: float, last: float) -> None:
    """Whichever is more, for each service; a MiB above it is growth, however many documents."""
    limit = limit_of(service, "memory")
    assert limit is not None
    over = max(first + 20, 1.1 * first) + 1

    def flat(last: float) -> bool:
        return Judged(service, "memory", Slope(first, last, last), limit, 10**6).flat

    assert (flat(last), flat(over)) == (True, False)


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_may_keep_so_much_of_each_document(server: str) -> None:
    """And settle, but never have more than its own bound; its descriptors are its own affair."""
    limit = limit_of(server, "memory")
    assert limit is not None
    assert limit_of(server, "threads") is None
    settled = 100 + limit.least
    kept = limit.for_each_document * 10_000 * BETWEEN

    def flat(last: float, peak: float) -> bool:
        return Judged(server, "memory", Slope(100, last, peak), limit, 10_000).flat

    assert flat(settled + kept, peak=settled + kept)
    assert not flat(settled + kept + 1, peak=settled + kept + 1)
    assert not flat(100, peak=limit.peak + 1)


def test_a_figure_is_steady_within_a_ratio_or_some_milliseconds() -> None:
    """A tenth of a millisecond that became two is no finding; a second that became two is."""
    assert Change("status p50", few_ms=0.1, many_ms=2.0, ratio_limit=1.5, more_ms=25).ok
    assert Change("accept p99", few_ms=1000, many_ms=1500, ratio_limit=1.5, more_ms=25).ok
    assert not Change("accept p99", few_ms=1000, many_ms=1501, ratio_limit=1.5, more_ms=25).ok
    assert not Change("status p50", few_ms=1, many_ms=27, ratio_limit=1.5, more_ms=25).ok


def test_latencies_of_a_machine_that_is_too_busy_are_void() -> None:
    """However good they look: the generator had to wait itself."""
    good = Change("accept p99", few_ms=1000, many_ms=900, ratio_limit=1.5, more_ms=25)

    assert ManyRows(10, 1.0, LAG_LIMIT_MS, [good], []).ok
    late = ManyRows(10, 1.0, LAG_LIMIT_MS + 1, [good], [])
    assert (late.ok, late.void) == (False, True)
    assert "VOID" in late.verdict


def test_a_query_reads_along_its_index_and_no_further() -> None:
    """Another index, a sort, or one entry too many is told."""
    query = Query("a list", text("SELECT 1"), {}, "user_time_idx", 71)

    assert Run(query, ["user_time_idx"], "Using where", 71).ok
    assert not Run(query, ["user_time_idx"], "Using where", 72).ok
    assert not Run(query, ["user_status_idx"], "Using where", 10).ok
    assert not Run(query, ["user_time_idx"], "Using where; Using filesort", 10).ok
