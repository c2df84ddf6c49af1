"""Every activity measured, from outside: how long it waited, how long it took, how many run."""

import asyncio
import time
from typing import Any, Final

from temporalio import activity
from temporalio.exceptions import CancelledError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from sheaf_common.telemetry import catalogue

_SECONDS: Final = catalogue.ACTIVITY_SECONDS.histogram()
_SCHEDULE_TO_START_SECONDS: Final = catalogue.ACTIVITY_SCHEDULE_TO_START_SECONDS.histogram()
_IN_FLIGHT: Final = catalogue.ACTIVITIES_IN_FLIGHT.gauge()


class ActivityMetrics(Interceptor):
    """For every worker that runs activities.

    A worker refuses an activity that it does not have before it asks interceptors, so the types
    that are seen are ours.
    """

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """See the SDK."""
        return _Measured(next)


class _Measured(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        info = activity.info()
        waited = info.started_time - info.current_attempt_scheduled_time
        _SCHEDULE_TO_START_SECONDS.labels(info.activity_type).observe(
            max(0.0, waited.total_seconds())
        )
        running = _IN_FLIGHT.labels(info.activity_type)
        outcome = "failed"
        running.inc()
        started = time.perf_counter()
        try:
            answer = await super().execute_activity(input)
            outcome = "completed"
        except (asyncio.CancelledError, CancelledError):
            outcome = "cancelled"
            raise
        else:
            return answer
        finally:
            running.dec()
            _SECONDS.labels(info.activity_type, outcome).observe(time.perf_counter() - started)
