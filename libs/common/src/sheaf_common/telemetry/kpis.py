"""The targets that an operator watches: one list for the API, the load test and the alerts.

Source: requirements.md, "Targets", and design.md section 6, the column "must". A target is met
while its value is below its threshold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Unit = Literal["ms", "s", "ratio", "workflows"]
KpiName = Literal[
    "accept_p99_ms",
    "result_p99_ms",
    "error_rate",
    "pending_workflows",
    "oldest_queued_s",
    "activity_p99_ms",
    "pool_s3_used",
    "pool_db_used",
    "pool_redis_used",
]


@dataclass(frozen=True, slots=True)
class Target:
    """What is promised: the value stays below `threshold`, in `unit`."""

    name: KpiName
    text: str
    unit: Unit
    threshold: float


TARGETS: Final[tuple[Target, ...]] = (
    Target("accept_p99_ms", "P99 of accepting an upload", "ms", 3000.0),
    Target("result_p99_ms", "P99 of the time to a text document's result", "ms", 3000.0),
    Target("error_rate", "share of requests that failed", "ratio", 0.01),
    Target(
        "pending_workflows",
        "workflows that wait: Temporal's backlog + queued text documents / group limit",
        "workflows",
        10.0,
    ),
    Target("oldest_queued_s", "age of the oldest queued text document", "s", 2.0),
    Target("activity_p99_ms", "P99 of a group's activity, text documents", "ms", 500.0),
    Target("pool_s3_used", "most of the S3 pool in use", "ratio", 0.8),
    Target("pool_db_used", "most of the database pool in use", "ratio", 0.8),
    Target("pool_redis_used", "most of the Redis pool in use", "ratio", 0.8),
)


@dataclass(frozen=True, slots=True)
class Kpi:
    """A target with its value; `value` is None where nothing was there to be measured."""

    target: Target
    value: float | None

    @property
    def ok(self) -> bool | None:
        """Whether the target is met; None where that cannot be said."""
        return None if self.value is None else self.value < self.target.threshold

    def as_json(self) -> dict[str, object]:
        """For programs: `{"name", "value", "threshold", "ok"}` and what a person needs."""
        return {
            "name": self.target.name,
            "value": None if self.value is None else round(self.value, 4),
            "threshold": self.target.threshold,
            "unit": self.target.unit,
            "ok": self.ok,
            "text": self.target.text,
        }


def judged(values: Mapping[KpiName, float | None]) -> Sequence[Kpi]:
    """Every target with its value, in order; a target without a value has None."""
    return [Kpi(target, values.get(target.name)) for target in TARGETS]
