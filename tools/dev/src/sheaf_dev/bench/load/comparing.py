"""Ways against each other: in turn, each on a fresh stack.

So what else the machine does meets all of them. Every other round goes backwards (A B, B A, …).
Over the rounds, latencies, CPU and memory are medians; documents and errors are sums; backlog,
pending work, pool use and the generator's lag are the worst.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from sheaf_common.telemetry.kpis import Kpi, KpiName, judged
from sheaf_dev.bench.load.report import LoadReport, Quantiles, RateReport
from sheaf_dev.bench.load.variants import Variant
from sheaf_dev.bench.scenario import Tell
from sheaf_dev.bench.statistics import median

NumberT = TypeVar("NumberT", int, float)
RunVariant = Callable[[Variant], Awaitable[LoadReport]]
"""All rates of one variant, on a stack of its own that is gone when it returns."""

_WORST: Final[frozenset[KpiName]] = frozenset(
    {"pending_workflows", "oldest_queued_s", "pool_s3_used", "pool_db_used", "pool_redis_used"}
)

FIGURES: Final[Mapping[str, Callable[[RateReport], float | None]]] = {
    "accept_p50_ms": lambda rate: rate.accept.p50,
    "accept_p99_ms": lambda rate: rate.accept.p99,
    "status_p99_ms": lambda rate: rate.status.p99,
    "result_p50_ms": lambda rate: rate.result.p50,
    "result_p99_ms": lambda rate: rate.result.p99,
    "activity_p99_ms": lambda rate: rate.activity.p99,
    "documents_per_workflow": lambda rate: rate.documents_per_workflow,
    "cpu_ms_per_document": lambda rate: _total(rate.cpu_ms_per_document),
    "rss_mib": lambda rate: _total(rate.rss_mib),
}
"""What ratios are told of."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure over the first variant's: of the medians, and of each round by itself."""

    value: float | None
    by_round: Sequence[float | None]

    def as_json(self) -> dict[str, Any]:
        """For programs; how far the rounds differ says what the ratio is worth."""
        rounded = [None if each is None else round(each, 3) for each in self.by_round]
        return {"ratio": None if self.value is None else round(self.value, 3), "by_round": rounded}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`rounds` holds each round's report of each variant, by its name, in the order of the list."""

    variants: Sequence[Variant]
    rounds: Sequence[Mapping[str, LoadReport]]

    @property
    def reports(self) -> Sequence[LoadReport]:
        """One for each variant, over all rounds; the first is what the others stand against."""
        return [
            LoadReport(
                [over_rounds(rates) for rates in self._by_rate(variant.name)],
                variant.name,
                variant.settings,
            )
            for variant in self.variants
        ]

    def ratios(self) -> dict[str, dict[str, dict[str, Ratio]]]:
        """By variant (but the first), rate and figure."""
        first, *others = self.variants
        found: dict[str, dict[str, dict[str, Ratio]]] = {}
        for other in others:
            pairs = zip(self._by_rate(first.name), self._by_rate(other.name), strict=True)
            found[other.name] = {
                f"{mine[0].rps:g}": _ratios(mine, theirs) for mine, theirs in pairs
            }
        return found

    def ratios_as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            name: {
                rate: {figure: ratio.as_json() for figure, ratio in figures.items()}
                for rate, figures in rates.items()
            }
            for name, rates in self.ratios().items()
        }

    def _by_rate(self, name: str) -> Sequence[Sequence[RateReport]]:
        """The rounds of each rate."""
        return list(zip(*(each[name].rates for each in self.rounds), strict=True))


async def compare(
    variants: Sequence[Variant], rounds: int, run: RunVariant, on_progress: Tell
) -> Comparison:
    """Runs every variant in every round, one after the other."""
    found: list[Mapping[str, LoadReport]] = []
    for number in range(rounds):
        reports: dict[str, LoadReport] = {}
        for variant in in_order(variants, number):
            on_progress(f"round {number + 1} of {rounds}: {variant.name}")
            reports[variant.name] = await run(variant)
        found.append({variant.name: reports[variant.name] for variant in variants})
    return Comparison(variants, found)


def in_order(variants: Sequence[Variant], number: int) -> Sequence[Variant]:
    """The variants as round `number`, from 0, runs them: backwards in every other."""
    return variants if number % 2 == 0 else variants[::-1]


def over_rounds(rates: Sequence[RateReport]) -> RateReport:
    """One report of several rounds of one rate; the timeline is that of the largest backlog."""
    worst = max(rates, key=lambda rate: max((s.backlog for s in rate.timeline), default=0))
    return replace(
        worst,
        duration_s=sum(rate.duration_s for rate in rates),
        offered=sum(rate.offered for rate in rates),
        completed=sum(rate.completed for rate in rates),
        accept=_quantiles([rate.accept for rate in rates]),
        status=_quantiles([rate.status for rate in rates]),
        result=_quantiles([rate.result for rate in rates]),
        activity=_quantiles([rate.activity for rate in rates]),
        requests=sum(rate.requests for rate in rates),
        errors=_by_name([rate.errors for rate in rates], sum),
        pool_used_max=_by_name([rate.pool_used_max for rate in rates], max),
        documents_per_workflow=_median([rate.documents_per_workflow for rate in rates]),
        cpu_ms_per_document=_by_name([rate.cpu_ms_per_document for rate in rates], median),
        generator_cpu_ms_per_document=median(
            [rate.generator_cpu_ms_per_document for rate in rates]
        ),
        rss_mib=_by_name([rate.rss_mib for rate in rates], median),
        kpis=_kpis(rates),
        schedule_lag_p99_ms=max(rate.schedule_lag_p99_ms for rate in rates),
        repeated=sum(rate.repeated for rate in rates),
    )


def _kpis(rates: Sequence[RateReport]) -> Sequence[Kpi]:
    """One that a round did not tell is not told."""
    values: dict[KpiName, float | None] = {}
    for kpis in zip(*(rate.kpis for rate in rates), strict=True):
        name = kpis[0].target.name
        known = [kpi.value for kpi in kpis if kpi.value is not None]
        if len(known) < len(kpis):
            values[name] = None
        elif name == "error_rate":
            failed = sum(sum(rate.errors.values()) for rate in rates)
            values[name] = failed / max(1, sum(rate.requests for rate in rates))
        else:
            values[name] = max(known) if name in _WORST else median(known)
    return judged(values)


def _quantiles(rounds: Sequence[Quantiles]) -> Quantiles:
    return Quantiles(
        sum(each.count for each in rounds),
        _median([each.p50 for each in rounds]),
        _median([each.p95 for each in rounds]),
        _median([each.p99 for each in rounds]),
        _median([each.p999 for each in rounds]),
    )


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _by_name(
    rounds: Sequence[Mapping[str, NumberT]], combine: Callable[[list[NumberT]], NumberT]
) -> dict[str, NumberT]:
    """What has a name in some rounds only is combined over these."""
    names = dict.fromkeys(name for each in rounds for name in each)
    return {name: combine([each[name] for each in rounds if name in each]) for name in names}


def _ratios(mine: Sequence[RateReport], theirs: Sequence[RateReport]) -> dict[str, Ratio]:
    first, other = over_rounds(mine), over_rounds(theirs)
    return {
        name: Ratio(
            _over(figure(other), figure(first)),
            [_over(figure(b), figure(a)) for a, b in zip(mine, theirs, strict=True)],
        )
        for name, figure in FIGURES.items()
    }


def _over(value: float | None, first: float | None) -> float | None:
    return value / first if value is not None and first else None


def _total(by_process: Mapping[str, float]) -> float | None:
    return sum(by_process.values()) if by_process else None
