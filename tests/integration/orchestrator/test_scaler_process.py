"""The scaler as a process: its workers are replaced, drained and never left behind.

No server is needed: without metadata it runs its fewest workers, and these wait for Temporal.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil

from support.metrics import Metrics
from support.waiting import until, until_answer

STARTED_S = 60.0


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def scaler(workers: int) -> AsyncIterator[tuple[asyncio.subprocess.Process, Metrics]]:
    """A scaler of so many workers, killed at the end if it still runs."""
    metrics_port, nobody = free_port(), f"127.0.0.1:{free_port()}"
    env = {
        **os.environ,
        "GRPC_TOKEN": "t",
        "ORCHESTRATOR_HOST": "127.0.0.1",
        "ORCHESTRATOR_PORT": str(free_port()),
        "ORCHESTRATOR_METRICS_PORT": str(metrics_port),
        "METADATA_ADDRESS": nobody,
        "TEMPORAL_ADDRESS": nobody,
        "CPU_WORKERS_MIN": str(workers),
        "CPU_WORKERS_MAX": str(workers),
        "SCALE_LOOK_S": "0.1",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sheaf_orchestrator", "--role", "scaler"), env=env
    )
    try:
        yield process, Metrics(f"http://127.0.0.1:{metrics_port}/metrics")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def tied(scaler_pid: int) -> list[psutil.Process]:
    """Its workers that have come so far as to tie their life to its own, or are about to."""
    return [each for each in psutil.Process(scaler_pid).children() if "--tied-to" in _said(each)]


def _said(process: psutil.Process) -> list[str]:
    """What a process was started with; nothing if it has ended meanwhile."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.cmdline()
    return []


def opened(process: psutil.Process) -> bool:
    """Whether a worker serves its metrics: by then it is tied, and waits for Temporal."""
    return any(each.status == psutil.CONN_LISTEN for each in process.net_connections("tcp"))


def gone(processes: list[psutil.Process]) -> bool:
    """Whether none runs any more."""
    return not any(
        each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in processes
    )


async def test_a_killed_worker_is_replaced_and_a_killed_scaler_leaves_none() -> None:
    """The replacement is another process, and counted; workers end when their scaler is gone."""
    async with scaler(2) as (process, metrics):
        await until(lambda: len(tied(process.pid)) == 2, timeout_s=STARTED_S)
        first, second = tied(process.pid)
        first.kill()
        await until(
            lambda: second in (now := tied(process.pid)) and len(now) == 2 and first not in now,
            timeout_s=STARTED_S,
        )
        changes = "sheaf_cpu_worker_changes_total"

        async def counted() -> bool:
            return await metrics.value(changes, change="replaced") == 1

        await until_answer(counted)
        assert await metrics.value(changes, change="added") == 2
        assert await metrics.value("sheaf_cpu_worker_processes", state="running") == 2
        workers = tied(process.pid)
        await until(lambda: all(map(opened, workers)), timeout_s=STARTED_S)

        process.send_signal(signal.SIGKILL)
        await process.wait()
        await until(lambda: gone(workers), timeout_s=5)


async def test_a_scaler_that_stops_drains_its_worker() -> None:
    """SIGTERM reaches what it started, that is gone before it ends, and it exits with 0."""
    async with scaler(1) as (process, _):
        await until(lambda: tied(process.pid), timeout_s=STARTED_S)
        (worker,) = tied(process.pid)
        await until(lambda: opened(worker), timeout_s=STARTED_S)
        process.terminate()
        async with asyncio.timeout(40):
            assert await process.wait() == 0
        assert gone([worker])
