"""Does what a process has stay flat while documents go through? Its memory, descriptors, threads.

Each figure is the median of samples taken while the first and the last quarter of the documents
ended: a single look would catch a subprocess that is about to be recycled, or just was.
"""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import psutil

from sheaf_dev.bench.statistics import median

Kind = Literal["memory", "descriptors", "threads"]

UNITS: Final[Mapping[Kind, str]] = {
    "memory": "MiB", "descriptors": "descriptors", "threads": "threads",
}  # fmt: skip
_MIB: Final = 2**20
_LOOK_S: Final = 0.25
_QUARTER: Final = 0.25
BETWEEN: Final = 1 - _QUARTER
"""The share of the documents that end between the middles of the two quarters."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How much more there may be in the end than in the beginning, and how much at any time.

    A share of the beginning, or `least` if that is more, and for a server that keeps something of
    every document by design, so much for each. `reason` is shown where the limit is.
    """

    least: float
    share: float
    reason: str
    for_each_document: float = 0.0
    peak: float = math.inf

    def growth(self, slope: "Slope", documents: int) -> float:
        """The most that `slope` may grow over so many documents."""
        kept = self.for_each_document * documents * BETWEEN
        return max(self.least, self.share * slope.first) + kept


@dataclass(frozen=True, slots=True)
class Slope:
    """One figure of one process, in the unit of its kind."""

    first: float
    last: float
    peak: float

    @property
    def growth(self) -> float:
        """How much more there is in the end."""
        return self.last - self.first


@dataclass(frozen=True, slots=True)
class Judged:
    """A slope with its limit, over so many documents."""

    process: str
    kind: Kind
    slope: Slope
    limit: Limit
    documents: int

    @property
    def allowed(self) -> float:
        """The growth that is within the limit."""
        return self.limit.growth(self.slope, self.documents)

    @property
    def flat(self) -> bool:
        """Whether growth and peak are within the limit."""
        return self.slope.growth <= self.allowed and self.slope.peak <= self.limit.peak

    @property
    def row(self) -> Sequence[object]:
        """A line of a table."""
        slope, peak = self.slope, self.limit.peak
        return (
            self.process,
            UNITS[self.kind],
            round(slope.first, 1),
            round(slope.last, 1),
            round(slope.growth, 1),
            round(self.allowed, 1),
            round(slope.peak, 1),
            None if math.isinf(peak) else round(peak, 1),
            "flat" if self.flat else "NOT FLAT",
        )

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        peak = self.limit.peak
        return {
            "unit": UNITS[self.kind],
            "first_quarter": round(self.slope.first, 1),
            "last_quarter": round(self.slope.last, 1),
            "growth": round(self.slope.growth, 1),
            "growth_limit": round(self.allowed, 1),
            "peak": round(self.slope.peak, 1),
            "peak_limit": None if math.isinf(peak) else round(peak, 1),
            "limit_reason": self.limit.reason,
            "flat": self.flat,
        }


@dataclass(slots=True)
class Log:
    """Samples by process; each with the share of the documents that had ended."""

    samples: dict[tuple[str, Kind], list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, process: str, kind: Kind, share_done: float, value: float) -> None:
        """One sample."""
        self.samples.setdefault((process, kind), []).append((share_done, value))

    def slopes(self) -> dict[tuple[str, Kind], Slope]:
        """Of everything that was there in the first and in the last quarter."""
        found: dict[tuple[str, Kind], Slope] = {}
        for key, samples in sorted(self.samples.items()):
            first = [value for share, value in samples if share <= _QUARTER]
            last = [value for share, value in samples if share >= 1 - _QUARTER]
            if first and last:
                peak = max(value for _, value in samples)
                found[key] = Slope(median(first), median(last), peak)
        return found


@contextlib.asynccontextmanager
async def watched(pids: Mapping[str, int], share_done: Callable[[], float]) -> AsyncIterator[Log]:
    """Samples the processes, and the largest subprocess of each, during the block.

    A process that ends meanwhile is seen no more: it has no last quarter, hence no slope.
    """
    log = Log()
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
    if not watching.cancelled():
        watching.result()  # a watch that failed has measured nothing


def _look(log: Log, name: str, process: psutil.Process, share_done: float) -> None:
    with contextlib.suppress(psutil.NoSuchProcess), process.oneshot():
        log.add(name, "memory", share_done, process.memory_info().rss / _MIB)
        log.add(name, "descriptors", share_done, process.num_fds())
        log.add(name, "threads", share_done, process.num_threads())
        if subprocesses := _rss_mib(process.children(recursive=True)):
            log.add(f"{name}: largest subprocess", "memory", share_done, max(subprocesses))


def _rss_mib(processes: Sequence[psutil.Process]) -> list[float]:
    found: list[float] = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append(process.memory_info().rss / _MIB)
    return found
