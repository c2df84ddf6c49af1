"""Callers that repeat one operation side by side, each beginning the next when one ends."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sheaf_dev.bench.cpu import CpuMeter, CpuSeconds
from sheaf_dev.errors import DevError

Operation = Callable[[], Awaitable[object]]
"""One operation of a caller."""


@dataclass(frozen=True, slots=True)
class Round:
    """What so many operations took."""

    latencies_ms: list[float]
    cpu: CpuSeconds

    @property
    def cpu_ms(self) -> float:
        """CPU of an operation, client and server together."""
        return self.client_cpu_ms + self.server_cpu_ms

    @property
    def client_cpu_ms(self) -> float:
        """CPU of an operation in this process."""
        return self.cpu.client * 1000 / len(self.latencies_ms)

    @property
    def server_cpu_ms(self) -> float:
        """CPU of an operation in the server."""
        return self.cpu.server * 1000 / len(self.latencies_ms)


async def run_round(
    operation: Operation, *, callers: int, operations: int, meter: CpuMeter, deadline_s: float
) -> Round:
    """Runs that many operations by that many callers.

    Raises:
        DevError: they were not done by the deadline. What an operation raises passes.
    """
    numbers = itertools.count()
    latencies: list[float] = []

    async def call() -> None:
        while next(numbers) < operations:
            started = time.perf_counter()
            await operation()
            latencies.append((time.perf_counter() - started) * 1000)

    before = meter.read()
    try:
        async with asyncio.timeout(deadline_s) as limit, asyncio.TaskGroup() as group:
            for _ in range(callers):
                group.create_task(call())
    except TimeoutError as error:
        if not limit.expired():
            raise
        done = f"{len(latencies)} of {operations} operations"
        raise DevError(f"a round was not done in {deadline_s:.0f} s: {done}") from error
    return Round(latencies, meter.read().since(before))
