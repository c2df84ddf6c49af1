"""Activities as they are measured from outside."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from sheaf_orchestrator.adapters.activity_metrics import ActivityMetrics

_SCHEDULED = datetime(2026, 1, 1, tzinfo=UTC)


class Activity(ActivityInboundInterceptor):
    """What is measured: it ends as the test says."""

    def __init__(self, end: BaseException | None) -> None:
        self.end = end
        self.in_flight = 0.0

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        """Notes how many run; then ends."""
        self.in_flight = value("sheaf_activities_in_flight")
        if self.end is not None:
            raise self.end
        return "answer"


def value(name: str, **labels: str) -> float:
    """A sample of the measured activity; 0 if there is none."""
    return REGISTRY.get_sample_value(name, {"activity": "measured", **labels}) or 0.0


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        (None, "completed"),
        (ApplicationError("no"), "failed"),
        (CancelledError("by the server"), "cancelled"),
        (asyncio.CancelledError(), "cancelled"),
    ],
)
async def test_an_activity_is_measured_by_its_outcome(
    end: BaseException | None, outcome: str
) -> None:
    """Once; in flight while it runs, and how long its task waited by the server's times."""
    environment, activity = ActivityEnvironment(), Activity(end)
    environment.info = replace(
        environment.info,
        activity_type="measured",
        current_attempt_scheduled_time=_SCHEDULED,
        started_time=_SCHEDULED + timedelta(seconds=2),
    )
    interceptor = ActivityMetrics().intercept_activity(activity)
    waited = "sheaf_activity_schedule_to_start_seconds_sum"
    before = value("sheaf_activity_seconds_count", outcome=outcome), value(waited)

    async def run() -> Any:
        return await interceptor.execute_activity(None)  # type: ignore[arg-type] # not looked at

    if end is None:
        assert await environment.run(run) == "answer"
    else:
        with pytest.raises(type(end)):
            await environment.run(run)
    assert value("sheaf_activity_seconds_count", outcome=outcome) - before[0] == 1
    assert value(waited) - before[1] == pytest.approx(2.0)
    assert (activity.in_flight, value("sheaf_activities_in_flight")) == (1, 0)
