"""CPU time of this process and of servers, their subprocesses included."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sheaf_dev.bench.processes import Processes


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
        self._servers = Processes({str(pid): pid for pid in pids})

    def read(self) -> CpuSeconds:
        """The time spent until now."""
        return CpuSeconds(time.process_time(), sum(self._servers.cpu_s().values()))
