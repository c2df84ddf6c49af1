"""The live state of a stack: what is on record, asked again now."""

import asyncio
import contextlib
import dataclasses
import functools
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Literal

import psutil

from sheaf_dev import credentials, embedded, state
from sheaf_dev.embedded import SERVERS
from sheaf_dev.errors import NotReadyError
from sheaf_dev.layout import Layout
from sheaf_dev.services import SERVICES

Health = Literal["serving", "starting", "down"]
_ANSWER_TIMEOUT_S = 5.0
_MIB = 1024 * 1024


@dataclasses.dataclass(frozen=True, slots=True)
class ProcessHealth:
    """A process now. One that is run by hand has no pid; only its health is known."""

    name: str
    pid: int | None
    port: int
    ports: dict[str, int]
    health: Health
    rss_mib: float | None
    uptime_s: float | None
    log: str | None
    external: bool = False


async def of_stack(layout: Layout, kept: state.State) -> list[ProcessHealth]:
    """Every process on record, and every service that is run by hand; asked all at once."""
    order = [*SERVERS, *SERVICES]
    recorded = (_of_process(layout, record, kept.external) for record in kept.processes)
    external = (_of_external(layout, name, port) for name, port in kept.external.items())
    found = await asyncio.gather(*recorded, *external)
    names = {record.name: record.kind for record in kept.processes}
    return sorted(found, key=lambda each: order.index(names.get(each.name, each.name)))


async def _of_process(
    layout: Layout, record: state.ProcessRecord, external: Collection[str]
) -> ProcessHealth:
    process = record.ref.find()
    health: Health = "down"
    if process is not None:
        serving = await _serves(layout, record.kind, record.ports, external)
        health = "serving" if serving else "down" if record.ready else "starting"
    return ProcessHealth(
        name=record.name,
        pid=record.ref.pid,
        port=next(iter(record.ports.values())),
        ports=dict(record.ports),
        health=health,
        rss_mib=_rss_mib(process) if process else None,
        uptime_s=round(time.time() - record.ref.create_time, 1) if process else None,
        log=record.log,
    )


async def _of_external(layout: Layout, name: str, port: int) -> ProcessHealth:
    ports = {SERVICES[name].port_variable: port}
    serving = await _serves(layout, name, ports, ())
    return ProcessHealth(
        name=name,
        pid=None,
        port=port,
        ports=ports,
        health="serving" if serving else "down",
        rss_mib=None,
        uptime_s=None,
        log=None,
        external=True,
    )


async def _serves(layout: Layout, kind: str, ports: state.Ports, external: Collection[str]) -> bool:
    ask: Callable[[], Awaitable[None]]
    if kind in SERVERS:
        secrets = credentials.load(layout.credentials)
        ask = embedded.build(kind, layout.state_dir, ports, secrets).ask
    else:
        ask = functools.partial(SERVICES[kind].probe(external), next(iter(ports.values())))
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            await ask()
    except (NotReadyError, TimeoutError):
        return False
    return True


def _rss_mib(process: psutil.Process) -> float | None:
    """Resident memory of the process and its descendants."""
    total = 0
    with contextlib.suppress(psutil.Error):
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += each.memory_info().rss
    return round(total / _MIB, 1) if total else None
