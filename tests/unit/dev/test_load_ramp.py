"""The search for the highest rate held, over a model of a system with a known limit."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheaf_dev.bench.load.measured import RampRun
from sheaf_dev.bench.load.ramp import MOST_STEPS, Ramp, find_highest
from sheaf_dev.bench.load.report import RateReport
from sheaf_dev.bench.load.showing import show
from support.load_reports import rate_report


def search(limit_rps: float, start_rps: float = 20.0) -> Ramp:
    """What is found of a system that holds rates up to `limit_rps`."""

    async def run(rps: float) -> RateReport:
        return rate_report(rps, kpis={"accept_p99_ms": 3000.0 if rps > limit_rps else 2999.0})

    return asyncio.run(find_highest(run, start_rps))


@given(limit_rps=st.floats(1.0, 999.0), start_rps=st.floats(1.0, 1000.0))
def test_the_limit_is_found_within_five_percent(limit_rps: float, start_rps: float) -> None:
    """From any start, in a bounded number of steps, none of them run twice."""
    ramp = search(limit_rps, start_rps)

    found, missed = ramp.highest_held_rps, ramp.lowest_missed_rps
    assert found is not None
    assert missed is not None
    assert found <= limit_rps < missed <= 1.05 * found
    rates = [step.report.rps for step in ramp.steps]
    assert len(set(rates)) == len(rates) < MOST_STEPS


@pytest.mark.parametrize(("limit_rps", "held", "missed"), [(0.5, None, 1.0), (5000, 1000.0, None)])
def test_a_search_ends_at_its_bounds(limit_rps: float, held: float, missed: float) -> None:
    """Where nothing is held or everything is, and says so."""
    ramp = search(limit_rps)

    assert (ramp.highest_held_rps, ramp.lowest_missed_rps) == (held, missed)
    assert len(ramp.steps) < MOST_STEPS
    assert ("no rate is held" in ramp.verdict) == (held is None)


def test_a_rate_is_held_by_latency_errors_and_schedule() -> None:
    """Each alone keeps it from being; a stretch that is missed does not."""

    async def run(rps: float) -> RateReport:
        return {
            20.0: rate_report(rps, kpis={"result_p99_ms": 1e6, "pool_s3_used": 1.0}),
            30.0: rate_report(rps, kpis={"error_rate": 0.01}),
            24.5: rate_report(rps, schedule_lag_p99_ms=25.0),
        }.get(rps, rate_report(rps))

    ramp = asyncio.run(find_highest(run))
    steps = {step.report.rps: step for step in ramp.steps}

    assert [steps[rps].held for rps in (20.0, 30.0, 24.5, 22.1)] == [True, False, False, True]
    assert steps[30.0].why_not == ["error_rate is 0.01, limit 0.01"]
    assert steps[24.5].why_not == ["the generator's lag P99 is 25.0 ms"]
    assert ramp.lowest_missed_rps == 24.5
    assert ramp.generator_was_the_limit


def test_fifty_must_be_held() -> None:
    """Else the run fails; it is void if the generator was the limit."""

    async def lagging(rps: float) -> RateReport:
        return rate_report(rps, schedule_lag_p99_ms=rps)

    below, above = RampRun(search(49.0)), RampRun(search(55.0))
    void = RampRun(asyncio.run(find_highest(lagging)))

    assert (below.verdict.ok, above.verdict.ok, void.verdict.ok) == (False, True, False)
    assert [bool(each.verdict.void) for each in (below, above, void)] == [False, False, True]
    written = above.as_json({})
    assert written["ramp"]["highest_held_rps"] == above.ramp.highest_held_rps
    assert [step["rps"] for step in written["ramp"]["steps"]] == [
        rate["rps"] for rate in written["rates"]
    ]


def test_the_steps_are_shown_with_what_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    """Once: by the verdict of the run where the promise is not kept."""
    for limit_rps, found in ((49.0, "must be at least 50"), (70.0, "highest rate held")):
        run = RampRun(search(limit_rps))
        show(run)
        shown = capsys.readouterr().out

        assert shown.count(found) - (limit_rps > 50) == 1
        assert all(f"{step.report.rps:g}" in shown for step in run.ramp.steps)
        assert shown.count("accept_p99_ms is 3000, limit 3000") >= 1
