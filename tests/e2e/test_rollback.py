"""Every roll-back switch, thrown alone on the running system: it works, and it takes effect."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from sheaf_dev.samples.generator import text_pdf
from support.metrics import Metrics, pool
from support.system import System
from support.waiting import until_answer


@dataclass(frozen=True)
class Switch:
    """A switch, the process that has it, where its effect shows, and what it must do there."""

    variable: str
    thrown: str
    process: str
    effect: Callable[[System], Awaitable[object]]
    default: object
    rolled_back: object


async def slots(system: System) -> object:
    """Slots of the workflow, IO and CPU workers, as the Temporal SDK counts them."""
    port = system.stack.port("orchestrator", "TEMPORAL_METRICS_PORT")
    metrics = Metrics(f"http://127.0.0.1:{port}/metrics")

    async def of(queue: str) -> float:
        labels = {"task_queue": f"sheaf-{queue}"}
        used = await metrics.value("temporal_worker_task_slots_used", **labels)
        return used + await metrics.value("temporal_worker_task_slots_available", **labels)

    return [await of(queue) for queue in ("workflows", "io", "cpu")]


async def idle_s3_clients(system: System) -> object:
    """Clients that there are while nothing runs."""
    return await pool(system, "storage", "open", "s3")


async def database_connections(system: System) -> object:
    """The most at once."""
    return await pool(system, "metadata", "size", "db")


async def redis_connections(system: System) -> object:
    """The most at once."""
    return await pool(system, "metadata", "size", "redis")


async def files_at_once(system: System) -> object:
    """Whether more than eight files of one upload were stored at once."""
    metrics = Metrics(f"{system.http.base_url}/metrics")
    all_uploads = await metrics.value("sheaf_upload_put_concurrency_count")
    up_to_eight = await metrics.value("sheaf_upload_put_concurrency_bucket", le="8.0")
    return all_uploads > up_to_eight


SWITCHES = (
    Switch("TEMPORAL_WORKER_PROFILE", "baseline", "orchestrator", slots, [50, 50, 20], [5, 5, 4]),
    Switch("S3_CLIENT_MODE", "per_call", "storage", idle_s3_clients, 20, 0),
    Switch("DB_POOL_MODE", "baseline", "metadata", database_connections, 150, 5),
    Switch("REDIS_CLIENT_MODE", "per_call", "metadata", redis_connections, 200, 100),
    Switch("UPLOAD_CONCURRENCY_MODE", "fixed", "gateway", files_at_once, True, False),
)
"""In the order in which they are rolled back (requirements, "Roll back")."""


@asynccontextmanager
async def restarted(system: System, process: str, **variables: str) -> AsyncIterator[None]:
    """The process with those variables for the block."""
    try:
        await system.stack.stop_process(process)
        await system.stack.start_process(process, extra_env=variables)
        await system.healthy()
        yield
    finally:
        await system.stack.stop_process(process)
        await system.stack.start_process(process)
        await system.healthy()


async def everything_works(system: System) -> None:
    """One upload of thirty files, all of which complete, and every one can be read."""
    files = {f"{number}.pdf": text_pdf(number, 1) for number in range(6)}
    files |= {f"{number}.txt": b"some text, number %d\n" % number for number in range(24)}
    documents = await system.finished(await system.processed(files))
    assert {document["status"] for document in documents} == {"completed"}
    for document in documents[::13]:
        assert (await system.http.get(f"/v1/documents/{document['id']}/text")).text


async def shows(system: System, switch: Switch, expected: object) -> None:
    """Returns once the effect is as expected: a process that has just started says it soon."""

    async def as_expected() -> bool:
        return await switch.effect(system) == expected

    await until_answer(as_expected)


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: switch.variable)
async def test_a_switch_works_alone(system: System, switch: Switch) -> None:
    """Thrown, documents complete and its effect shows; without it all is as before."""
    async with restarted(system, switch.process, **{switch.variable: switch.thrown}):
        await everything_works(system)
        await shows(system, switch, switch.rolled_back)
    if switch.effect is files_at_once:  # it shows while files are uploaded
        async with asyncio.timeout(30):
            while not await switch.effect(system):
                await everything_works(system)
    await shows(system, switch, switch.default)


async def test_nothing_was_lost_or_doubled_meanwhile(system: System) -> None:
    """Over all the switches, thrown and put back."""
    await system.assert_nothing_lost_or_doubled()
