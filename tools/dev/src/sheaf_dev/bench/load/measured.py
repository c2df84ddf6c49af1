"""What one `./sheaf bench` found: its JSON, its verdict and so its exit code.

A run of some rates, a search for the highest, or a comparison; the JSON of the first two is that
of `LoadReport`, that of the last holds one of these for each variant (docs/load-test.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sheaf_dev.bench.load.comparing import Comparison
from sheaf_dev.bench.load.judging import Verdict, is_promised, judge
from sheaf_dev.bench.load.plan import LoadPlan
from sheaf_dev.bench.load.ramp import Ramp
from sheaf_dev.bench.load.report import LoadReport


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Under which it was measured. `command` is what repeats it, without its secrets."""

    command: str
    started_at: str
    """ISO 8601, UTC."""
    plan: LoadPlan
    target: str | None = None
    """The address of a running system; None for stacks of one's own."""
    machine: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """What stands beside the figures."""
        plan = self.plan
        return {
            "command": self.command,
            "started_at": self.started_at,
            "target": self.target,
            "plan": {
                "duration_s": plan.duration_s,
                "warm_up_s": plan.warm_up_s,
                "files": plan.files,
                "status_reads": plan.status_reads,
                "mix": {
                    "office": plan.mix.office,
                    "images": plan.mix.images,
                    "scans": plan.mix.scans,
                },
                "corpus": None if plan.corpus is None else str(plan.corpus),
                "arrivals": plan.arrivals,
                "seed": plan.seed,
                "duplicates": plan.duplicates,
            },
            "machine": dict(self.machine),
            "versions": dict(self.versions),
        }


@dataclass(frozen=True, slots=True)
class RatesRun:
    """Some rates, one after the other, on one system."""

    report: LoadReport
    is_own_stack: bool = True

    @property
    def verdict(self) -> Verdict:
        """By every rate that was asked for."""
        return judge(self.report, unknown_is_missed=self.is_own_stack)

    def as_json(self, machine: Mapping[str, Any]) -> dict[str, Any]:
        """The contract's object."""
        return _report_as_json(self.report, machine)


@dataclass(frozen=True, slots=True)
class RampRun:
    """A search for the highest rate held, on one system."""

    ramp: Ramp

    @property
    def verdict(self) -> Verdict:
        """By the highest rate held. A generator that is the limit below it makes the run void."""
        if self.ramp.ok:
            return Verdict()
        if self.ramp.generator_was_the_limit:
            return Verdict(void=[self.ramp.verdict])
        return Verdict(missed=[self.ramp.verdict])

    def as_json(self, machine: Mapping[str, Any]) -> dict[str, Any]:
        """The contract's object with every step as a rate, and what was found."""
        report = LoadReport([step.report for step in self.ramp.steps])
        return {**_report_as_json(report, machine), "ramp": self.ramp.as_json()}


@dataclass(frozen=True, slots=True)
class CompareRun:
    """Variants against the first of them."""

    comparison: Comparison

    @property
    def verdict(self) -> Verdict:
        """The promises are the first variant's; void is the run if any part of it is."""
        first, *others = self.comparison.reports
        verdict = judge(first)
        void = [f"{first.name}, {each}" for each in verdict.void]
        void += (f"{other.name}, {each}" for other in others for each in judge(other).void)
        return Verdict(void, [f"{first.name}, {each}" for each in verdict.missed])

    def as_json(self, machine: Mapping[str, Any]) -> dict[str, Any]:
        """One of the contract's objects for each variant, the ratios, and every round by itself."""
        reports = self.comparison.reports
        return {
            "compare": [
                {
                    **_report_as_json(report, machine),
                    "verdict": judge(report).as_json(),
                }
                for report in reports
            ],
            "ratios": self.comparison.ratios_as_json(),
            "rounds": [
                {name: _without_timeline(report) for name, report in each.items()}
                for each in self.comparison.rounds
            ],
            "schedule_lag_p99_ms": round(
                max((r.schedule_lag_p99_ms for each in reports for r in each.rates), default=0.0), 2
            ),
        }


Run = RatesRun | RampRun | CompareRun


def document(run: Run, circumstances: Circumstances) -> dict[str, Any]:
    """The whole JSON of a run; its `ok` is the verdict's, as is the exit code."""
    return {
        **run.as_json(circumstances.machine),
        "ok": run.verdict.ok,
        "verdict": run.verdict.as_json(),
        **circumstances.as_json(),
    }


def _report_as_json(report: LoadReport, machine: Mapping[str, Any]) -> dict[str, Any]:
    written = report.as_json(machine)
    for rate in written["rates"]:
        for kpi in rate["kpis"]:
            kpi["promised"] = is_promised(rate["rps"], kpi["name"])
    return written


def _without_timeline(report: LoadReport) -> Sequence[dict[str, Any]]:
    return [
        {name: value for name, value in rate.as_json().items() if name != "timeline"}
        for rate in report.rates
    ]
