"""What a load test found: the figures of each rate, as people and programs read them.

The JSON is a contract; names end in their unit, and shares are ratios from 0 to 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sheaf_common.telemetry.kpis import Kpi
from sheaf_dev.bench.statistics import percentile

LAG_LIMIT_MS: Final = 20.0
"""A run whose generator lagged more than this at P99 is void: it offered something else."""


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Of many latencies, in milliseconds; None where there were none."""

    count: int = 0
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    p999: float | None = None

    @classmethod
    def of(cls, values_ms: Sequence[float]) -> "Quantiles":
        """By nearest rank."""
        if not values_ms:
            return cls()
        figures = (percentile(values_ms, percent) for percent in (50, 95, 99, 99.9))
        return cls(len(values_ms), *figures)

    def as_json(self, *, without_p999: bool = False) -> dict[str, float | None]:
        """By the names of the contract."""
        figures = {"p50": self.p50, "p95": self.p95, "p99": self.p99, "p999": self.p999}
        if without_p999:
            del figures["p999"]
        return {name: _rounded(value) for name, value in figures.items()}


@dataclass(frozen=True, slots=True)
class Sample:
    """What was waiting at one moment, `at_s` seconds after the first arrival was due."""

    at_s: float
    backlog: int
    """Queued text documents."""
    oldest_queued_s: float
    pending_workflows: float
    """Tasks in Temporal's backlog + queued text documents / group limit."""
    in_flight: int
    """Workflows that hold text documents."""


@dataclass(frozen=True, slots=True)
class RateReport:
    """One rate. Latencies count from when a request was due, not from when it was sent."""

    rps: float
    duration_s: float
    offered: int
    """Documents that were to be sent."""
    completed: int
    """Documents that completed and of which the client was told."""
    accept: Quantiles
    status: Quantiles
    result: Quantiles
    """From the due time of the upload until the client knew the document's end: text documents."""
    activity: Quantiles
    """Group activities of the text lane."""
    requests: int
    """Requests of any kind that were sent."""
    errors: Mapping[str, int]
    """Failed requests and documents that did not end as expected, by kind."""
    timeline: Sequence[Sample]
    pool_used_max: Mapping[str, float]
    """The largest share of each pool that was in use: s3, db, redis."""
    documents_per_workflow: float | None
    cpu_ms_per_document: Mapping[str, float]
    """By process, without the generator."""
    generator_cpu_ms_per_document: float
    rss_mib: Mapping[str, float]
    """The highest resident memory, by process, subprocesses apart (`orchestrator/sub`)."""
    kpis: Sequence[Kpi]
    schedule_lag_p99_ms: float
    repeated: int = 0
    """Documents whose content had been sent before in this run: files of a small corpus."""
    generator_priority: str = "unknown"

    @property
    def error_rate(self) -> float:
        """Failures over requests."""
        return sum(self.errors.values()) / self.requests if self.requests else 0.0

    @property
    def void(self) -> bool:
        """Whether the generator did not keep its schedule."""
        return self.schedule_lag_p99_ms > LAG_LIMIT_MS

    @property
    def ok(self) -> bool:
        """Whether every target is known to be met, and the schedule was kept."""
        return not self.void and all(kpi.ok for kpi in self.kpis)

    def as_json(self) -> dict[str, Any]:
        """The contract's object of one rate."""
        cpu = {name: round(value, 2) for name, value in self.cpu_ms_per_document.items()}
        return {
            "rps": self.rps,
            "duration_s": round(self.duration_s, 1),
            "offered": self.offered,
            "completed": self.completed,
            "accept_ms": self.accept.as_json(),
            "status_ms": self.status.as_json(),
            "result_ms": self.result.as_json(),
            "error_rate": round(self.error_rate, 5),
            "errors": dict(sorted(self.errors.items())),
            "backlog_max": max((sample.backlog for sample in self.timeline), default=0),
            "oldest_queued_s_max": round(
                max((sample.oldest_queued_s for sample in self.timeline), default=0.0), 3
            ),
            "pending_workflows_max": round(
                max((sample.pending_workflows for sample in self.timeline), default=0.0), 2
            ),
            "activity_ms": self.activity.as_json(without_p999=True),
            "pool_used_max": {
                pool: round(share, 3) for pool, share in sorted(self.pool_used_max.items())
            },
            "documents_per_workflow": _rounded(self.documents_per_workflow),
            "cpu_ms_per_document": {
                "total": round(sum(cpu.values()), 2),
                "by_process": dict(sorted(cpu.items())),
                "generator": round(self.generator_cpu_ms_per_document, 2),
            },
            "rss_mib": {name: round(mib, 1) for name, mib in sorted(self.rss_mib.items())},
            "timeline": [
                {
                    "at_s": round(sample.at_s, 2),
                    "backlog": sample.backlog,
                    "oldest_queued_s": round(sample.oldest_queued_s, 3),
                    "pending_workflows": round(sample.pending_workflows, 2),
                    "in_flight": sample.in_flight,
                }
                for sample in self.timeline
            ],
            "kpis": [kpi.as_json() for kpi in self.kpis],
            "repeated": self.repeated,
            "schedule_lag_p99_ms": round(self.schedule_lag_p99_ms, 2),
            "void": self.void,
            "ok": self.ok,
        }


@dataclass(frozen=True, slots=True)
class LoadReport:
    """All rates of one run on one stack. `name` says how the stack was set up."""

    rates: Sequence[RateReport]
    name: str = "default"
    settings: Mapping[str, str] = field(default_factory=dict)
    """Variables that differ from the defaults."""

    @property
    def ok(self) -> bool:
        """Whether every rate is."""
        return bool(self.rates) and all(rate.ok for rate in self.rates)

    def as_json(self, machine: Mapping[str, Any]) -> dict[str, Any]:
        """The contract's object of a run."""
        lag = max((rate.schedule_lag_p99_ms for rate in self.rates), default=0.0)
        priorities = sorted({rate.generator_priority for rate in self.rates})
        return {
            "name": self.name,
            "settings": dict(self.settings),
            "rates": [rate.as_json() for rate in self.rates],
            "schedule_lag_p99_ms": round(lag, 2),
            "ok": self.ok,
            "machine": {**machine, "generator_priority": ", ".join(priorities)},
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
