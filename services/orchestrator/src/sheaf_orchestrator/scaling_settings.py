"""The settings of the scaler: how many CPU worker processes it runs, and when that changes."""

from typing import Self

from pydantic import model_validator

from sheaf_common.settings import SettingsGroup, variable
from sheaf_orchestrator.domain import default_processes
from sheaf_orchestrator.scaling import ScalingRule

PORTS_EACH = 3
"""gRPC, metrics, metrics of the Temporal SDK."""


class ScalingSettings(SettingsGroup):
    """CPU worker processes of this host, for `--role scaler`."""

    workers_min: int = variable(
        "CPU_WORKERS_MIN", 1, "CPU worker processes that a scaler always runs", ge=1, le=512
    )
    workers_max: int = variable(
        "CPU_WORKERS_MAX",
        default_processes(),
        "the most of them; the cores by default",
        ge=1,
        le=512,
    )
    extract_processes: int = variable(
        "CPU_WORKERS_EXTRACT_PROCESSES", 1, "EXTRACT_PROCESSES of each of them", ge=1, le=512
    )
    first_port: int | None = variable(
        "CPU_WORKERS_FIRST_PORT",
        None,
        "first of their ports, three each: gRPC, metrics, SDK metrics; unset means free ones",
        ge=1,
        le=65_000,
    )
    look_s: float = variable("SCALE_LOOK_S", 0.5, "seconds between looks at the load", gt=0, le=60)
    up_age_s: float = variable(
        "SCALE_UP_AGE_S", 1.0, "age in seconds of the oldest queued text that is too old", gt=0
    )
    up_after_s: float = variable(
        "SCALE_UP_AFTER_S", 2.0, "seconds that it must be so before a worker is added", ge=0
    )
    down_after_s: float = variable(
        "SCALE_DOWN_AFTER_S",
        60.0,
        "seconds of a young backlog and little use before a worker is removed",
        ge=0,
    )
    cooldown_s: float = variable(
        "SCALE_COOLDOWN_S",
        5.0,
        "least seconds between two changes: a new worker needs about that to be of use",
        ge=0,
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.workers_max < self.workers_min:
            raise ValueError("CPU_WORKERS_MAX must be at least CPU_WORKERS_MIN")
        last = (self.first_port or 0) + PORTS_EACH * self.workers_max
        if last > 65_536:  # noqa: PLR2004 - the ports there are
            raise ValueError("CPU_WORKERS_FIRST_PORT leaves no room for CPU_WORKERS_MAX workers")
        return self

    def rule(self) -> ScalingRule:
        """When the number changes."""
        return ScalingRule(
            minimum=self.workers_min,
            maximum=self.workers_max,
            up_age_s=self.up_age_s,
            up_after_s=self.up_after_s,
            down_after_s=self.down_after_s,
            cooldown_s=self.cooldown_s,
        )
