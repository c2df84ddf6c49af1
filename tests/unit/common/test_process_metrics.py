"""What every process tells of itself."""

import time

from prometheus_client import REGISTRY

from sheaf_common.telemetry.process import process_metrics
from support.waiting import until


async def test_a_loop_that_stood_still_shows_it() -> None:
    """As late as it was; and which service it is, in which version."""

    def lag(suffix: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(f"sheaf_event_loop_lag_seconds_{suffix}", labels) or 0.0

    async with process_metrics("sheaf-storage"):
        looks, late_s = lag("count"), lag("sum")
        time.sleep(0.8)  # noqa: ASYNC251 - what is measured
        await until(lambda: lag("count") > looks)
        assert lag("sum") - late_s >= 0.25
        labels = {"service": "storage", "version": "0.1.0"}
        assert REGISTRY.get_sample_value("sheaf_process_info", labels) == 1
