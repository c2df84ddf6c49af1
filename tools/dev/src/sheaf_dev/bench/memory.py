"""Resident memory of the services and of their subprocesses, while documents go through."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psutil

from sheaf_dev.bench.statistics import median

GROWTH_SHARE: Final = 0.10
GROWTH_MIB: Final = 20.0
_MIB: Final = 2**20
_LOOK_S: Final = 0.25
_QUARTER: Final = 0.25


@dataclass(frozen=True, slots=True)
class Slope:
    """Memory of one process (or of the largest of its subprocesses), in MiB.

    Medians of the samples taken while the first and the last quarter of the documents ended:
    a single look would catch a subprocess that is about to be recycled, or just was.
    """

    first_mib: float
    last_mib: float
    peak_mib: float

    @property
    def growth_mib(self) -> float:
        """How much more it has in the end."""
        return self.last_mib - self.first_mib

    @property
    def flat(self) -> bool:
        """Whether that is within a tenth, or 20 MiB."""
        return self.growth_mib <= max(GROWTH_MIB, GROWTH_SHARE * self.first_mib)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "first_quarter_mib": round(self.first_mib, 1),
            "last_quarter_mib": round(self.last_mib, 1),
            "peak_mib": round(self.peak_mib, 1),
            "growth_mib": round(self.growth_mib, 1),
            "flat": self.flat,
        }


@dataclass(slots=True)
class MemoryLog:
    """Samples by what they are of; each with the share of the documents that had ended."""

    samples: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, name: str, share_done: float, mib: float) -> None:
        """One sample."""
        self.samples.setdefault(name, []).append((share_done, mib))

    def slopes(self) -> dict[str, Slope]:
        """Of everything that was there in the first and in the last quarter."""
        found: dict[str, Slope] = {}
        for name, samples in sorted(self.samples.items()):
            first = [mib for share, mib in samples if share <= _QUARTER]
            last = [mib for share, mib in samples if share >= 1 - _QUARTER]
            if first and last:
                peak = max(mib for _, mib in samples)
                found[name] = Slope(median(first), median(last), peak)
        return found


@contextlib.asynccontextmanager
async def watched_memory(
    pids: Mapping[str, int], share_done: Callable[[], float]
) -> AsyncIterator[MemoryLog]:
    """Samples the processes, and the largest subprocess of each, during the block."""
    log = MemoryLog()
    processes = {name: psutil.Process(pid) for name, pid in pids.items()}

    async def watch() -> None:
        while True:
            for name, process in processes.items():
                _look(log, name, process, share_done())
            await asyncio.sleep(_LOOK_S)

    watching = asyncio.create_task(watch())
    try:
        yield log
    finally:
        watching.cancel()
        await asyncio.wait([watching])


def _look(log: MemoryLog, name: str, process: psutil.Process, share_done: float) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        log.add(name, share_done, process.memory_info().rss / _MIB)
        if subprocesses := _rss_mib(process.children(recursive=True)):
            log.add(f"{name}: largest subprocess", share_done, max(subprocesses))


def _rss_mib(processes: Sequence[psutil.Process]) -> list[float]:
    found: list[float] = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append(process.memory_info().rss / _MIB)
    return found
