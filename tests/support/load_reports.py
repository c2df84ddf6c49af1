"""Reports of load tests made by hand, for claims about what is made of them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sheaf_common.telemetry.kpis import TARGETS, KpiName, judged
from sheaf_dev.bench.load.report import Quantiles, RateReport, Sample

GOOD: Mapping[KpiName, float] = {target.name: target.threshold / 2 for target in TARGETS}


def rate_report(
    rps: float = 30.0,
    *,
    kpis: Mapping[KpiName, float | None] | None = None,
    **changes: Any,
) -> RateReport:
    """A rate that keeps every target but for `kpis`; `changes` are other figures of it."""
    report = RateReport(
        rps=rps,
        duration_s=30.0,
        offered=900,
        completed=897,
        accept=quantiles(41.0),
        status=quantiles(7.0),
        result=quantiles(230.0),
        activity=quantiles(93.0),
        requests=2700,
        errors={"http_429": 2, "timeout": 1},
        timeline=[Sample(0.0, 0, 0.0, 0.0, 0), Sample(0.25, 17, 0.611, 1.23, 3)],
        pool_used_max={"s3": 0.151, "db": 0.082, "redis": 0.019},
        documents_per_workflow=3.45,
        cpu_ms_per_document={"gateway": 3.91, "metadata": 10.72, "orchestrator/sub": 8.33},
        generator_cpu_ms_per_document=2.22,
        rss_mib={"gateway": 89.4, "metadata": 117.3, "orchestrator/sub": 343.6},
        kpis=judged({**GOOD, **(kpis or {})}),
        schedule_lag_p99_ms=1.28,
        repeated=5,
        generator_priority="real time",
    )
    return replace(report, **changes)


def quantiles(p50: float) -> Quantiles:
    """Of 900, each further one twice the one before."""
    return Quantiles(900, p50, 2 * p50, 4 * p50, 8 * p50)
