"""The tables of a load test, for people; the void is said first."""

from collections.abc import Sequence
from typing import Final

from sheaf_common.telemetry.kpis import Kpi
from sheaf_dev.bench.load.comparing import Comparison, Ratio
from sheaf_dev.bench.load.judging import Verdict, is_promised, judge
from sheaf_dev.bench.load.measured import CompareRun, RampRun, RatesRun, Run
from sheaf_dev.bench.load.ramp import Ramp
from sheaf_dev.bench.load.report import Quantiles, RateReport
from sheaf_dev.outcomes import show_table

_SUMMARY: Final = (
    *("requests/s", "accept p50", "accept p99", "status p99", "result p50", "result p99"),
    *("errors %", "backlog", "pending", "CPU ms/doc", "lag p99"),
)
_RATIOS: Final = (
    *("accept_p50_ms", "accept_p99_ms", "result_p50_ms", "result_p99_ms"),
    *("cpu_ms_per_document", "rss_mib"),
)


def show(run: Run) -> None:
    """Everything on standard output, the verdict at the end."""
    if run.verdict.void:
        show_verdict(run.verdict)
    match run:
        case RatesRun(report):
            for rate in report.rates:
                show_rate(rate)
            _heading("all rates, ms")
            show_table(_SUMMARY, [_summary(rate) for rate in report.rates])
        case RampRun(ramp):
            show_ramp(ramp)
        case CompareRun(comparison):
            show_comparison(comparison)
    print()
    show_verdict(run.verdict)


def show_verdict(verdict: Verdict) -> None:
    """Line by line."""
    for line in verdict.lines:
        print(line)


def show_rate(rate: RateReport) -> None:
    """One rate: latencies, what waited, who spent what, and the targets."""
    _heading(
        f"{rate.rps:g} requests/s for {rate.duration_s:g} s: {rate.offered} documents offered,"
        f" {rate.completed} completed"
    )
    latencies = {
        "accept": rate.accept,
        "status": rate.status,
        "result, text documents": rate.result,
        "group activity": rate.activity,
    }
    show_table(
        ("ms", "count", "p50", "p95", "p99", "p99.9"),
        [(name, *_quantile_cells(each)) for name, each in latencies.items()],
    )
    print(f"errors: {rate.error_rate:.2%} of {rate.requests} requests", end="")
    print("".join(f", {kind} {count}" for kind, count in sorted(rate.errors.items())))
    waited = {
        "backlog": max((sample.backlog for sample in rate.timeline), default=0),
        "pending": max((sample.pending_workflows for sample in rate.timeline), default=0.0),
        "oldest queued s": max((sample.oldest_queued_s for sample in rate.timeline), default=0.0),
    }
    print("at most: " + ", ".join(f"{name} {value:.4g}" for name, value in waited.items()), end="")
    print("".join(f", {pool} pool {s:.0%} used" for pool, s in sorted(rate.pool_used_max.items())))
    if rate.repeated:
        print(f"{rate.repeated} documents had a content that was sent before")
    if rate.documents_per_workflow is not None:
        print(f"documents per workflow: {rate.documents_per_workflow:.2f}")
    show_table(("process", "CPU ms/doc", "memory MiB"), _processes(rate))
    print(
        f"generator: {rate.generator_cpu_ms_per_document:.2f} ms CPU a document besides,"
        f" lag P99 {rate.schedule_lag_p99_ms:.2f} ms{': VOID' if rate.void else ''}"
    )
    show_table(
        ("target", "value", "limit", "", "verdict", "counts as"),
        [
            (
                kpi.target.name,
                _shown(kpi.value),
                _shown(kpi.target.threshold),
                kpi.target.unit,
                _verdict(kpi),
                "promise" if is_promised(rate.rps, kpi.target.name) else "stretch",
            )
            for kpi in rate.kpis
        ],
    )


def show_ramp(ramp: Ramp) -> None:
    """Every step in the order in which it was run, and what was found."""
    _heading("highest rate held, ms")
    show_table(
        (*_SUMMARY, "held", "why not"),
        [
            (*_summary(s.report), "yes" if s.held else "no", "; ".join(s.why_not) or None)
            for s in ramp.steps
        ],
    )
    if ramp.ok:  # else the verdict of the run says it
        print(ramp.verdict)


def show_comparison(comparison: Comparison) -> None:
    """The variants below each other, rate by rate, with their ratios to the first."""
    reports, ratios = comparison.reports, comparison.ratios()
    for index, first in enumerate(reports[0].rates):
        rate = f"{first.rps:g}"
        _heading(f"{rate} requests/s, medians of {len(comparison.rounds)} rounds, ms")
        show_table(
            ("variant", *_SUMMARY[1:], "MiB", "targets missed"),
            [
                (
                    report.name,
                    *_summary(report.rates[index])[1:],
                    round(sum(report.rates[index].rss_mib.values())) or None,
                    ", ".join(k.target.name for k in report.rates[index].kpis if not k.ok) or "-",
                )
                for report in reports
            ],
        )
        print(f"\ntimes {reports[0].name} (lowest - highest round)")
        show_table(
            ("variant", *_RATIOS),
            [
                (name, *(_ratio(by_rate[rate][figure]) for figure in _RATIOS))
                for name, by_rate in ratios.items()
            ],
        )
    print()
    for report in reports:
        verdict = judge(report)
        settings = " ".join(f"{name}={value}" for name, value in report.settings.items())
        print(f"{report.name}{f' ({settings})' if settings else ''}: {verdict.lines[-1]}")


def _heading(text: str) -> None:
    print(f"\n{text}")


def _summary(rate: RateReport) -> Sequence[object]:
    return (
        f"{rate.rps:g}",
        *(_shown(each) for each in (rate.accept.p50, rate.accept.p99, rate.status.p99)),
        *(_shown(each) for each in (rate.result.p50, rate.result.p99)),
        round(100 * rate.error_rate, 2),
        max((sample.backlog for sample in rate.timeline), default=0),
        _shown(max((sample.pending_workflows for sample in rate.timeline), default=0.0)),
        _shown(sum(rate.cpu_ms_per_document.values()) if rate.cpu_ms_per_document else None),
        f"{rate.schedule_lag_p99_ms:.1f} VOID" if rate.void else _shown(rate.schedule_lag_p99_ms),
    )


def _quantile_cells(quantiles: Quantiles) -> Sequence[object]:
    figures = (quantiles.p50, quantiles.p95, quantiles.p99, quantiles.p999)
    return (quantiles.count, *(_shown(each) for each in figures))


def _processes(rate: RateReport) -> Sequence[Sequence[object]]:
    names = sorted({*rate.cpu_ms_per_document, *rate.rss_mib})
    rows = [
        (name, _shown(rate.cpu_ms_per_document.get(name)), _shown(rate.rss_mib.get(name)))
        for name in names
    ]
    totals = sum(rate.cpu_ms_per_document.values()), sum(rate.rss_mib.values())
    return [*rows, ("total", *(_shown(each) for each in totals))]


def _verdict(kpi: Kpi) -> str:
    return {True: "met", False: "MISSED", None: "unknown"}[kpi.ok]


def _ratio(ratio: Ratio) -> str | None:
    if ratio.value is None:
        return None
    rounds = [each for each in ratio.by_round if each is not None]
    return f"{ratio.value:.2f} ({min(rounds):.2f}-{max(rounds):.2f})"


def _shown(value: float | None) -> float | None:
    """To three figures, or whole."""
    if value is None:
        return None
    return round(value) if abs(value) >= 100 else float(f"{value:.3g}")  # noqa: PLR2004 - three figures
