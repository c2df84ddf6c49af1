"""Claims about the load test: against the running system, at a low rate, for seconds."""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any, Final

import psutil
import pytest

from sheaf_common.telemetry.kpis import KpiName
from sheaf_dev.bench.load.plan import LoadPlan, Mix
from sheaf_dev.bench.load.report import LoadReport, RateReport
from sheaf_dev.bench.load.running import LoadTarget, remote, run_rate, stack_target
from sheaf_dev.errors import DevError
from support.system import System

QUANTILES = {"p50", "p95", "p99", "p999"}
PROCESSES = {
    *("gateway", "storage", "metadata", "orchestrator", "orchestrator/sub"),
    *("mariadb", "valkey", "seaweedfs", "temporal"),
}
WATCHED: Final[tuple[KpiName, ...]] = ("pending_workflows", "oldest_queued_s", "activity_p99_ms")
PAUSE_S = 0.6


@pytest.fixture(scope="module")
async def target(system: System) -> LoadTarget:
    """The running system, as what load is offered to."""
    return await stack_target(system.stack)


async def test_a_rate_is_reported_field_by_field(target: LoadTarget) -> None:
    """As the contract has it: every figure is there, and of what was sent all completed."""
    plan = LoadPlan(duration_s=3.0, warm_up_s=1.0, files=2, status_reads=2, mix=Mix(office=0.3))
    said: list[str] = []
    report = await run_rate(target, plan, 4.0, said.append)
    found: dict[str, Any] = LoadReport([report]).as_json({"cores": 2})
    (rate,) = found["rates"]

    assert (rate["rps"], rate["offered"], rate["completed"]) == (4.0, 24, 24), rate["errors"]
    assert (rate["errors"], rate["error_rate"], rate["repeated"]) == ({}, 0.0, 0)
    for name, count in (("accept_ms", report.accept.count), ("status_ms", report.status.count)):
        assert set(rate[name]) == QUANTILES
        assert 0 < rate[name]["p50"] <= rate[name]["p99"] <= rate[name]["p999"]
        assert count == {"accept_ms": 12, "status_ms": 24}[name]
    assert rate["result_ms"]["p50"] > rate["accept_ms"]["p50"]
    assert report.result.count == 24
    assert set(rate["activity_ms"]) == QUANTILES - {"p999"}
    assert rate["activity_ms"]["p99"] > 0
    assert set(rate["pool_used_max"]) == {"s3", "db", "redis"}
    # A pool may have been full in the minute before, which this counts too.
    assert all(0 <= share <= 1 for share in rate["pool_used_max"].values())
    assert 1 <= rate["documents_per_workflow"] <= 64
    cpu = rate["cpu_ms_per_document"]
    assert set(cpu["by_process"]) >= PROCESSES
    assert set(rate["rss_mib"]) >= PROCESSES
    assert cpu["total"] == pytest.approx(sum(cpu["by_process"].values()), abs=0.1)
    assert cpu["by_process"]["orchestrator/sub"] > 0
    assert 0 < cpu["generator"] < cpu["total"] / 2
    assert min(rate["rss_mib"].values()) > 1
    assert [sample["at_s"] for sample in rate["timeline"]] == sorted(
        {sample["at_s"] for sample in rate["timeline"]}
    )
    assert rate["backlog_max"] == max(sample["backlog"] for sample in rate["timeline"])
    assert {kpi["name"]: kpi["value"] for kpi in rate["kpis"]}.items() >= {
        "error_rate": 0.0
    }.items()
    assert all(kpi["value"] is not None for kpi in rate["kpis"])
    assert found["machine"]["generator_priority"] != "unknown"
    assert found["schedule_lag_p99_ms"] == rate["schedule_lag_p99_ms"] >= 0
    assert any("warming up" in line for line in said)


async def test_a_system_that_stands_still_is_seen_in_latency_alone(
    system: System, target: LoadTarget
) -> None:
    """Uploads that were due meanwhile count from then; the generator kept its schedule."""
    report = await _with_pause(target, lambda: system.stack.pid("gateway"))

    assert (report.accept.p99 or 0.0) > PAUSE_S * 1000 / 2
    assert report.schedule_lag_p99_ms < PAUSE_S * 1000 / 4
    assert report.completed == report.offered


async def test_a_generator_that_stands_still_voids_the_run(target: LoadTarget) -> None:
    """Its lag says that it offered something else than it was to; no verdict holds."""
    report = await _with_pause(target, _generator)

    assert report.schedule_lag_p99_ms > PAUSE_S * 1000 / 2
    assert report.void
    assert not report.ok


async def test_a_running_system_is_measured_from_outside(target: LoadTarget) -> None:
    """What a client sees is there; what only the system knows is asked of it, or unknown."""
    said: list[str] = []
    plan = LoadPlan(duration_s=1.0, warm_up_s=0.0)
    async with remote(target.url, target.api_key) as system:
        report = await run_rate(system, plan, 4.0, said.append)

    assert (report.completed, report.cpu_ms_per_document, report.rss_mib) == (4, {}, {})
    by_name = {kpi.target.name: kpi for kpi in report.kpis}
    assert by_name["accept_p99_ms"].ok
    unknown = [name for name in WATCHED if by_name[name].value is None]
    assert unknown == [] or any("unknown" in line for line in said)


async def test_a_key_that_is_not_known_ends_the_run_at_once(target: LoadTarget) -> None:
    """With the system's answer, before anything is offered."""
    async with remote(target.url, "sk_unknown") as system:
        with pytest.raises(DevError, match="accepts no document: 401"):
            await run_rate(system, LoadPlan(duration_s=1.0), 4.0, lambda _: None)


async def _with_pause(target: LoadTarget, pid: Callable[[], int]) -> RateReport:
    """A run of which a process stands still for a while, from its first due time on."""
    pausing: list[asyncio.Task[None]] = []

    async def pause() -> None:
        await asyncio.sleep(PAUSE_S / 2)  # the run has begun
        stopped = pid()
        os.kill(stopped, signal.SIGSTOP)
        try:
            await asyncio.sleep(PAUSE_S)
        finally:
            os.kill(stopped, signal.SIGCONT)

    def tell(line: str) -> None:
        if "for 1.5 s" in line:
            pausing.append(asyncio.create_task(pause()))

    plan = LoadPlan(duration_s=1.5, warm_up_s=0.0, arrivals="even", status_reads=0)
    report = await run_rate(target, plan, 20.0, tell)
    await pausing[0]
    return report


def _generator() -> int:
    return next(
        child.pid
        for child in psutil.Process().children()
        if "sheaf_dev.bench.load.generator" in child.cmdline()
    )
