"""Offers a rate to a system and reports what came of it."""

import asyncio
import contextlib
import functools
import secrets
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sheaf_common.telemetry.kpis import KpiName, judged
from sheaf_dev.bench.load.documents import prepare
from sheaf_dev.bench.load.generator_process import generator
from sheaf_dev.bench.load.job import Findings, Job
from sheaf_dev.bench.load.plan import LoadPlan
from sheaf_dev.bench.load.remote_watch import watch_remote
from sheaf_dev.bench.load.report import Quantiles, RateReport
from sheaf_dev.bench.load.stack_watch import watch_stack
from sheaf_dev.bench.load.watching import Observed, Watch
from sheaf_dev.bench.scenario import Tell
from sheaf_dev.bench.statistics import percentile
from sheaf_dev.errors import DevError
from sheaf_dev.settings_in_force import settings_of
from sheaf_dev.stack import Stack

_GROUP_MAX: Final = "DISPATCH_GROUP_MAX_DOCUMENTS"


@dataclass(frozen=True, slots=True)
class LoadTarget:
    """A system that load is offered to, and how it is watched meanwhile."""

    url: str
    api_key: str
    watch: Watch
    stack: Stack | None = None
    """None of a system that somebody else runs."""


@contextlib.asynccontextmanager
async def own_stack(
    overrides: Mapping[str, Mapping[str, str]] | None = None,
) -> AsyncIterator[LoadTarget]:
    """A fresh stack on this machine, stopped at the end; `overrides` are variables by service.

    Raises:
        DevError: the stack could not be started.
    """
    with tempfile.TemporaryDirectory(prefix="sheaf-bench-") as folder:
        async with Stack.private(Path(folder), env_overrides=overrides) as stack:
            yield await stack_target(stack)


async def stack_target(stack: Stack) -> LoadTarget:
    """A stack that runs already; it stays the caller's.

    Raises:
        DevError: its settings cannot be read.
    """
    watch = functools.partial(watch_stack, stack, await _group_max_documents(stack))
    return LoadTarget(stack.env["SHEAF_URL"], stack.env["SHEAF_API_KEY"], watch, stack)


@contextlib.asynccontextmanager
async def remote(url: str, api_key: str) -> AsyncIterator[LoadTarget]:
    """A system that runs already. What a client cannot see is asked of its API, or unknown.

    Raises:
        DevError: that is not the address of an API.
    """
    if not url.startswith(("http://", "https://")):
        raise DevError(f"{url} is not an http:// or https:// address")
    yield LoadTarget(url, api_key, functools.partial(watch_remote, url, api_key))


async def run_rate(
    target: LoadTarget, plan: LoadPlan, rate: float, on_progress: Tell
) -> RateReport:
    """Warms up, which does not count, offers `rate` uploads a second, and waits for all ends.

    A document that has not ended two minutes after the last upload was due is given up, and an
    error. CPU time is that of the whole run, until the last end, and has nothing of making the
    documents or of warming up.

    Raises:
        DevError: the system takes no document, a process of it or the generator was lost, or the
            corpus cannot be read.
        ValueError: the plan or the rate makes no sense.
    """
    _check(plan, rate)
    wanted = round(rate * (plan.duration_s + plan.warm_up_s)) * plan.files + 1
    on_progress(f"{rate:g} rps: making documents")
    contents = await asyncio.to_thread(prepare, plan, wanted)
    job = Job(target.url, target.api_key, plan, rate, secrets.randbits(32), contents)
    with tempfile.TemporaryDirectory(prefix="sheaf-load-") as folder:
        path = Path(folder)
        await asyncio.to_thread(job.write, path)
        async with generator(path) as process:
            on_progress(f"{rate:g} rps: warming up for {plan.warm_up_s:g} s")
            priority = await process.ready(plan.warm_up_s)
            on_progress(f"{rate:g} rps: for {plan.duration_s:g} s")
            async with target.watch(on_progress) as watching:
                await process.go()
                await process.done(plan.duration_s, on_progress)
                observed = await watching.observed()
        findings = await asyncio.to_thread(Findings.read, path)
    return report_of(plan, rate, findings, observed, priority)


def report_of(
    plan: LoadPlan, rate: float, findings: Findings, observed: Observed, priority: str
) -> RateReport:
    """The figures of a rate, from what its clients saw and what was watched."""
    per_document_ms = 1000 / findings.completed if findings.completed else None
    accept, result = Quantiles.of(findings.accept_ms), Quantiles.of(findings.result_ms)
    errors = sum(findings.errors.values())
    values: dict[KpiName, float | None] = {
        **observed.kpis,
        "accept_p99_ms": accept.p99,
        "result_p99_ms": result.p99,
        "error_rate": errors / findings.requests if findings.requests else None,
    }
    return RateReport(
        rps=rate,
        duration_s=plan.duration_s,
        offered=findings.offered,
        completed=findings.completed,
        accept=accept,
        status=Quantiles.of(findings.status_ms),
        result=result,
        activity=observed.activity,
        requests=findings.requests,
        errors=findings.errors,
        timeline=observed.timeline,
        pool_used_max=observed.pool_used_max,
        documents_per_workflow=observed.documents_per_workflow,
        cpu_ms_per_document=(
            {}
            if per_document_ms is None
            else {name: cpu_s * per_document_ms for name, cpu_s in observed.cpu_s.items()}
        ),
        generator_cpu_ms_per_document=findings.cpu_s * (per_document_ms or 0.0),
        rss_mib=observed.rss_mib,
        kpis=judged(values),
        schedule_lag_p99_ms=percentile(findings.lag_ms, 99),
        repeated=findings.repeated,
        generator_priority=priority,
    )


def _check(plan: LoadPlan, rate: float) -> None:
    if not rate > 0:
        raise ValueError(f"a rate is above 0, not {rate}")
    if not plan.duration_s > 0 or plan.warm_up_s < 0:
        raise ValueError(f"{plan.duration_s} s after {plan.warm_up_s} s is no duration")
    if plan.files < 1 or plan.status_reads < 0:
        raise ValueError(f"{plan.files} files and {plan.status_reads} reads cannot be sent")


async def _group_max_documents(stack: Stack) -> int:
    """As the stack's orchestrator is set. Raises DevError if it cannot be read."""
    answer = await settings_of("orchestrator", stack.env_for("orchestrator"))
    for setting in answer.get("settings", ()):
        if setting["name"] == _GROUP_MAX:
            return int(setting["value"])
    raise DevError(f"the orchestrator has no setting {_GROUP_MAX}")
