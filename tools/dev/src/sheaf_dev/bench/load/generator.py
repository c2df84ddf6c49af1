"""`python -m sheaf_dev.bench.load.generator FOLDER`: the process that offers the load.

It is a process of its own, so that nothing else that the bench does disturbs its schedule, and its
CPU time can be told apart. It ends when its standard input does: with its bench.
"""

import asyncio
import contextlib
import gc
import json
import resource
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import uvloop

from sheaf_dev.bench.load.clients import WARM_UP_DRAIN_S, Clients, Tally, TargetRefuses
from sheaf_dev.bench.load.job import GO, Findings, Job
from sheaf_dev.bench.load.priority import raise_priority
from sheaf_dev.bench.load.schedule import Schedule

CONNECTIONS_MAX: Final = 4096
"""More requests at once wait for a connection, which is part of their latency."""
_SPARE_FILES: Final = 64
_KEPT_S: Final = 30.0
_PROGRESS_S: Final = 1.0
_OPENED_MIN: Final = 16
_OPENED_MAX: Final = 256
_OPEN_WITHIN_S: Final = 30.0
_YOUNG_OBJECTS: Final = 100_000
_REFUSED: Final = 1
_ABANDONED: Final = 2
"""Its bench has gone."""


async def run(folder: Path, priority: str) -> int:
    """One job, from warming up to the findings; returns the exit code."""
    job = Job.read(folder)
    async with _until_bench_is_gone() as go, _session(job) as session:
        clients = Clients(session, job)
        try:
            await _open_connections(session, job)
            await clients.prime()
        except (TargetRefuses, aiohttp.ClientError, TimeoutError) as error:
            tell("refused", reason=str(error) or type(error).__name__)
            return _REFUSED
        plan = job.plan
        if plan.warm_up_s > 0:
            warm_up = Schedule.of(plan, job.rate, plan.warm_up_s, f"warm-up/{plan.seed}")
            await clients.offer(warm_up, Tally(), WARM_UP_DRAIN_S)
        schedule = Schedule.of(plan, job.rate, plan.duration_s, f"rate/{plan.seed}")
        gc.collect()
        gc.freeze()
        gc.set_threshold(_YOUNG_OBJECTS)
        tell("ready", priority=priority)
        await go.wait()
        findings = await _measured(clients, schedule)
        findings.write(folder)
        tell("done")
        return 0


async def _measured(clients: Clients, schedule: Schedule) -> Findings:
    tally = Tally()
    telling = asyncio.create_task(_progress(tally))
    began, cpu_s = time.monotonic(), time.process_time()
    try:
        await clients.offer(schedule, tally)
    finally:
        telling.cancel()
    return tally.findings(time.process_time() - cpu_s, time.monotonic() - began)


async def _progress(tally: Tally) -> None:
    while True:
        await asyncio.sleep(_PROGRESS_S)
        tell("progress", offered=tally.offered, ended=tally.ended)


def tell(event: str, **facts: Any) -> None:
    """A line for the bench."""
    print(json.dumps({"event": event, **facts}), flush=True)


@contextlib.asynccontextmanager
async def _until_bench_is_gone() -> AsyncIterator[asyncio.Event]:
    """Cancels the block when standard input ends; the event is set when it says go."""
    commands, go = asyncio.StreamReader(), asyncio.Event()
    owner = asyncio.current_task()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin
    )

    async def listen() -> None:
        while line := await commands.readline():
            if line == GO:
                go.set()
        if owner is not None:
            owner.cancel()

    listening = asyncio.create_task(listen())
    try:
        yield go
    finally:
        listening.cancel()
        transport.close()


@contextlib.asynccontextmanager
async def _session(job: Job) -> AsyncIterator[aiohttp.ClientSession]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_MAX + _SPARE_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    connector = aiohttp.TCPConnector(
        limit=min(CONNECTIONS_MAX, soft - _SPARE_FILES), keepalive_timeout=_KEPT_S
    )
    async with aiohttp.ClientSession(
        connector=connector,
        headers={"Authorization": f"Bearer {job.api_key}"},
        timeout=aiohttp.ClientTimeout(total=None),  # every call has a deadline of its own
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("User-Agent", "Accept-Encoding"),
    ) as session:
        yield session


async def _open_connections(session: aiohttp.ClientSession, job: Job) -> None:
    """So that the first uploads find them open; they are kept while there is work."""
    count = min(_OPENED_MAX, max(_OPENED_MIN, round(2 * job.rate)))

    async def ask() -> None:
        async with session.get(f"{job.url.rstrip('/')}/livez") as answer:
            await answer.read()

    async with asyncio.timeout(_OPEN_WITHIN_S):
        await asyncio.gather(*(ask() for _ in range(count)))


def main() -> int:
    """Runs the job in the folder that is the only argument."""
    try:
        return uvloop.run(run(Path(sys.argv[1]), raise_priority()))
    except asyncio.CancelledError:
        return _ABANDONED


if __name__ == "__main__":
    sys.exit(main())
