"""CPU worker processes of this host: started, asked to drain, watched, and never left behind."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import psutil
import structlog

log = structlog.get_logger()

_LOOK_S: Final = 0.2
_CONNECT_S: Final = 1.0

PORTS: Final = ("ORCHESTRATOR_PORT", "ORCHESTRATOR_METRICS_PORT", "TEMPORAL_METRICS_PORT")


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """How a worker is started: beside these, it has this process's environment.

    `first_port` is that of place 0, each place has three; None takes free ones. A worker that
    was told to end is killed after `grace_s`.
    """

    host: str
    subprocesses: int
    first_port: int | None
    grace_s: float

    def command(self) -> Sequence[str]:
        """The command line."""
        module = ("-m", "sheaf_orchestrator")
        return [sys.executable, *module, "--role", "cpu", "--tied-to", str(os.getpid())]

    def environment(self, place: int) -> Mapping[str, str]:
        """The variables that are its own.

        Where there are several workers a busy host should leave groups to others: slots go by
        resources, unless they are set.
        """
        if self.first_port is None:
            ports = _free_ports(self.host, len(PORTS))
        else:
            first = self.first_port + place * len(PORTS)
            ports = list(range(first, first + len(PORTS)))
        own = dict(zip(PORTS, map(str, ports), strict=True))
        slots = os.environ.get("TEMPORAL_CPU_SLOTS", "resource")
        return {
            **own,
            "EXTRACT_PROCESSES": str(self.subprocesses),
            "TEMPORAL_CPU_SLOTS": slots,
        }


class LocalWorkers:
    """`WorkerProcesses`, as an async context: at its end all are drained, and then are gone."""

    def __init__(self, plan: WorkerPlan) -> None:
        self._plan = plan
        self._workers: list[_Worker] = []
        self._ended: list[int] = []
        self._used_since = time.monotonic()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.drain(self._plan.grace_s)
        await asyncio.gather(*(worker.watching for worker in list(self._workers)))

    @property
    def running(self) -> int:
        """See `WorkerProcesses`."""
        return sum(not worker.draining for worker in self._workers)

    @property
    def starting(self) -> bool:
        """See `WorkerProcesses`. It is of use when it listens: by then it has reached Temporal."""
        return any(not worker.listens and not worker.draining for worker in self._workers)

    @property
    def draining(self) -> int:
        """See `WorkerProcesses`."""
        return sum(worker.draining for worker in self._workers)

    async def add(self) -> None:
        """See `WorkerProcesses`."""
        taken = {worker.place for worker in self._workers}
        place = next(each for each in range(len(taken) + 1) if each not in taken)
        own = self._plan.environment(place)
        process = await asyncio.create_subprocess_exec(
            *self._plan.command(),
            env={**os.environ, **own},
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C is for the scaler, which drains them in order
        )
        worker = _Worker(place, process)
        self._workers.append(worker)
        worker.watching = asyncio.create_task(self._watch(worker, int(own[PORTS[0]])))
        log.info("CPU worker started", pid=process.pid, ports=[own[name] for name in PORTS])

    def remove(self) -> None:
        """See `WorkerProcesses`. Place 0 is the last to go: its ports are the steadiest."""
        worker = max(
            (each for each in self._workers if not each.draining), key=lambda each: each.place
        )
        log.info("CPU worker drains", pid=worker.process.pid)
        worker.drain(self._plan.grace_s)

    def ended(self) -> Sequence[int]:
        """See `WorkerProcesses`."""
        ended, self._ended = self._ended, []
        return ended

    def use(self) -> float:
        """See `WorkerProcesses`. By CPU time, their own and their subprocesses'."""
        since, self._used_since = self._used_since, time.monotonic()
        cores_s = (self._used_since - since) * self._plan.subprocesses * self.running
        used_s = sum(worker.cpu_since_s() for worker in self._workers)
        return used_s / cores_s if cores_s > 0 else 0.0

    async def _watch(self, worker: "_Worker", port: int) -> None:
        ended = asyncio.ensure_future(worker.process.wait())
        while not ended.done() and not worker.listens:
            worker.listens = await _accepts(self._plan.host, port)
            await asyncio.wait([ended], timeout=_LOOK_S)
        code = await ended
        worker.gone()
        self._workers.remove(worker)
        if worker.draining:
            log.info("CPU worker ended", pid=worker.process.pid, exit_code=code)
        else:
            self._ended.append(code)


class _Worker:
    """One process. It leads a group; what else is in it is killed when it is gone."""

    watching: "asyncio.Task[None]"

    def __init__(self, place: int, process: asyncio.subprocess.Process) -> None:
        self.place = place
        self.process = process
        self.draining = False
        self.listens = False
        self._killing: asyncio.TimerHandle | None = None
        self._cpu_s = 0.0

    def drain(self, grace_s: float) -> None:
        """SIGTERM now, SIGKILL after `grace_s`. Harmless when done twice."""
        if self.draining:
            return
        self.draining = True
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        self._killing = asyncio.get_running_loop().call_later(grace_s, self._overdue)

    def gone(self) -> None:
        """It has ended."""
        if self._killing is not None:
            self._killing.cancel()
        self._kill()

    def cpu_since_s(self) -> float:
        """CPU time since this was called last, of the process and those below it."""
        before, self._cpu_s = self._cpu_s, self._cpu_so_far_s()
        return max(0.0, self._cpu_s - before)

    def _cpu_so_far_s(self) -> float:
        total_s = 0.0
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self.process.pid)
            for each in (process, *process.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    times = each.cpu_times()
                    total_s += times.user + times.system
                    total_s += times.children_user + times.children_system
        return total_s

    def _overdue(self) -> None:
        log.error("a CPU worker did not drain in time, it is killed", pid=self.process.pid)
        self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


async def _accepts(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    try:
        async with asyncio.timeout(_CONNECT_S):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def _free_ports(host: str, count: int) -> list[int]:
    """Ports that are free now. One that is then taken by another ends its process: replaced."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((host, 0))
        return [probe.getsockname()[1] for probe in probes]
