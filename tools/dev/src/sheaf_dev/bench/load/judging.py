"""Which of a rate's targets are promises, and what a whole run is worth.

The targets are promised up to 30 requests a second. Above that, two must still be met, accept P99
and the error rate: they say whether a rate is held. Source: requirements.md, "Targets", and
design.md section 6, "highest rate held". A void run is worth nothing, whatever it found.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sheaf_dev.bench.load.report import LAG_LIMIT_MS, LoadReport, RateReport

PROMISED_UP_TO_RPS: Final = 30.0
HELD_AT_LEAST_RPS: Final = 50.0
"""The highest rate that must be held."""
HOLDING: Final = frozenset({"accept_p99_ms", "error_rate"})
"""What a rate must keep to be held."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of a run. `void`, `missed` and `unknown` each name a rate and what is wrong with it."""

    void: Sequence[str] = ()
    missed: Sequence[str] = ()
    unknown: Sequence[str] = ()

    @property
    def ok(self) -> bool:
        """Whether the run counts and every promise is kept; what is unknown is only told."""
        return not self.void and not self.missed

    @property
    def lines(self) -> Sequence[str]:
        """For people: a void run is said first."""
        if self.void:
            return [
                "VOID: the generator did not keep its schedule; this is not the load asked for",
                *self.void,
                *(f"(and missed: {each})" for each in self.missed),
            ]
        return [
            *(f"missed: {each}" for each in self.missed),
            *(f"unknown: {each}" for each in self.unknown),
            "every promise is kept" if self.ok else "a promise is not kept",
        ]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "ok": self.ok,
            "void": list(self.void),
            "missed": list(self.missed),
            "unknown": list(self.unknown),
        }


def is_promised(rps: float, target: str) -> bool:
    """Whether a target counts at a rate."""
    return rps <= PROMISED_UP_TO_RPS or target in HOLDING


def judge(report: LoadReport, *, unknown_is_missed: bool = True) -> Verdict:
    """The verdict of a run.

    What an own stack does not tell is missed: it can tell everything. A system elsewhere may
    keep things to itself.
    """
    void: list[str] = []
    missed: list[str] = []
    unknown: list[str] = []
    for rate in report.rates:
        where = f"{rate.rps:g} requests/s"
        if rate.void:
            void.append(
                f"{where}: lag P99 {rate.schedule_lag_p99_ms:.1f} ms, limit {LAG_LIMIT_MS:g} ms"
            )
        for kpi in rate.kpis:
            if not is_promised(rate.rps, kpi.target.name) or kpi.ok:
                continue
            if kpi.value is None:
                (missed if unknown_is_missed else unknown).append(
                    f"{where}: {kpi.target.name} was not told"
                )
            else:
                missed.append(
                    f"{where}: {kpi.target.name} is {kpi.value:.4g},"
                    f" limit {kpi.target.threshold:g} {kpi.target.unit}"
                )
    if not report.rates:
        missed.append("no rate was measured")
    return Verdict(void, missed, unknown)


def why_not_held(rate: RateReport) -> Sequence[str]:
    """What keeps a rate from being held; empty if it is."""
    found = [
        f"{kpi.target.name} is {'unknown' if kpi.value is None else format(kpi.value, '.4g')},"
        f" limit {kpi.target.threshold:g}"
        for kpi in rate.kpis
        if kpi.target.name in HOLDING and not kpi.ok
    ]
    if rate.void:
        found.append(f"the generator's lag P99 is {rate.schedule_lag_p99_ms:.1f} ms")
    return found
