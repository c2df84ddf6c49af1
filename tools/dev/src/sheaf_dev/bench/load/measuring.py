"""Rates, ramps and comparisons on live systems."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial

from sheaf_dev.bench.load.comparing import compare
from sheaf_dev.bench.load.measured import CompareRun, RampRun, RatesRun
from sheaf_dev.bench.load.plan import LoadPlan
from sheaf_dev.bench.load.ramp import find_highest
from sheaf_dev.bench.load.report import LoadReport, RateReport
from sheaf_dev.bench.load.running import LoadTarget, own_stack, run_rate
from sheaf_dev.bench.load.variants import Variant
from sheaf_dev.bench.scenario import Tell

Open = Callable[[], AbstractAsyncContextManager[LoadTarget]]


async def measure_rates(
    open_target: Open, plan: LoadPlan, rates: Sequence[float], on_progress: Tell
) -> RatesRun:
    """Every rate in its turn on one system.

    Raises:
        DevError: the system could not be started or reached.
    """
    async with open_target() as target:
        reports = [await _told(target, plan, on_progress, rate) for rate in rates]
        return RatesRun(LoadReport(reports), is_own_stack=target.stack is not None)


async def measure_ramp(
    open_target: Open, plan: LoadPlan, start_rps: float, on_progress: Tell
) -> RampRun:
    """The highest rate that one system holds.

    Raises:
        DevError: the system could not be started or reached.
    """
    async with open_target() as target:
        return RampRun(await find_highest(partial(_told, target, plan, on_progress), start_rps))


async def measure_comparison(
    variants: Sequence[Variant],
    owners: Mapping[str, Sequence[str]],
    plan: LoadPlan,
    rates: Sequence[float],
    rounds: int,
    on_progress: Tell,
) -> CompareRun:
    """Every rate on every variant in every round, each time on a fresh stack.

    Raises:
        DevError: a stack could not be started.
    """

    async def run(variant: Variant) -> LoadReport:
        async with own_stack(variant.overrides(owners)) as target:
            reports = [await _told(target, plan, on_progress, rate) for rate in rates]
        return LoadReport(reports, variant.name, variant.settings)

    return CompareRun(await compare(variants, rounds, run, on_progress))


async def _told(target: LoadTarget, plan: LoadPlan, on_progress: Tell, rate: float) -> RateReport:
    """One rate, and a line of what it gave."""
    report = await run_rate(target, plan, rate, on_progress)
    accept, result = report.accept.p99, report.result.p99
    on_progress(
        f"{rate:g} requests/s: {report.completed} of {report.offered} documents completed,"
        f" accept P99 {'-' if accept is None else round(accept)} ms,"
        f" result P99 {'-' if result is None else round(result)} ms,"
        f" errors {report.error_rate:.2%}, lag P99 {report.schedule_lag_p99_ms:.1f} ms"
        f"{': VOID' if report.void else ''}"
    )
    return report
