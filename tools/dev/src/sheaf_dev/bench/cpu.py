"""CPU time of this process and of servers, their children included."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class CpuSeconds:
    """CPU time so far: of this process (`client`), and of the servers it asks."""

    client: float
    server: float

    def since(self, before: "CpuSeconds") -> "CpuSeconds":
        """What has been spent since."""
        return CpuSeconds(self.client - before.client, self.server - before.server)


class CpuMeter:
    """Reads CPU time; `pids` are the servers'. A server's steps are of 10 ms."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._servers = [psutil.Process(pid) for pid in pids]

    def read(self) -> CpuSeconds:
        """The time spent until now."""
        server = 0.0
        for process in self._servers:
            for each in (process, *process.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    times = each.cpu_times()
                    server += times.user + times.system
        return CpuSeconds(time.process_time(), server)
