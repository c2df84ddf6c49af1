"""What CPU worker processes cost and give: 1, 2 and 4 of them, with one subprocess each.

For each number a fresh stack. First a pile of documents that waits, complete, for its dispatcher:
how fast it is worked off, and what CPU a document costs each process. Then documents at steady
rates, in an open loop: what they cost at that load, and how long a result takes.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import psutil

from sheaf_dev.bench.arrivals import Latencies, open_loop
from sheaf_dev.bench.roles import DISPATCHER, Watched, stack_by_role
from sheaf_dev.bench.scenario import Tell
from sheaf_dev.bench.users import END_WITHIN_S, Content, User, completed
from sheaf_dev.errors import DevError
from sheaf_dev.samples.generator import text_pdf
from sheaf_dev.stack import Stack

WORKERS: Final = (1, 2, 4)
_LONGEST_PAGES: Final = 10
_BATCH: Final = 20
_WARM_UP: Final = 10
_LOOK_S: Final = 0.05
_MIB: Final = 2**20
_EXTRACTION: Final = "subprocesses"
_WORKER: Final = "workers"


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU of a document in ms, by process; those of the CPU workers put together."""

    by_process: Mapping[str, float]

    @property
    def total(self) -> float:
        """Of all, without the one that sends."""
        return sum(self.by_process.values())

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        by_process = {name: round(ms, 2) for name, ms in sorted(self.by_process.items())}
        return {"total": round(self.total, 2), "by_process": by_process}


@dataclass(frozen=True, slots=True)
class AtRate:
    """Documents at a steady rate a second."""

    rate: float
    latencies: Latencies
    cost: Cost


@dataclass(frozen=True, slots=True)
class WithWorkers:
    """What so many CPU worker processes did."""

    workers: int
    documents_per_s: float
    """Of the pile."""
    pile_cost: Cost
    rss_mib: Mapping[str, float]
    """Of all workers and of all their subprocesses, when the pile was done."""
    rates: Sequence[AtRate]


@dataclass(frozen=True, slots=True)
class CostOfWorkers:
    """All numbers of workers. There is no limit: it is a measurement."""

    pile: int
    results: Sequence[WithWorkers]

    @property
    def ok(self) -> bool:
        """Whether every document of the steady rates came to its end."""
        return not any(at.latencies.errors for result in self.results for at in result.rates)

    @property
    def columns(self) -> Sequence[str]:
        """Titles of the table."""
        return ("workers", "load", "documents/s", "p50 ms", "p99 ms", "CPU ms/document",
            "of it workers", "subprocesses", "Temporal", "RSS MiB workers + subprocesses",
        )  # fmt: skip

    @property
    def rows(self) -> Sequence[Sequence[object]]:
        """A line for each number of workers and load."""
        return [row for result in self.results for row in _rows(self.pile, result)]

    @property
    def verdict(self) -> str:
        """What more workers gave."""
        first = self.results[0].documents_per_s
        gains = ", ".join(
            f"{each.workers}: {each.documents_per_s:.1f}/s ({each.documents_per_s / first:.2f}x)"
            for each in self.results
        )
        return f"a pile of {self.pile} documents, by CPU workers: {gains}"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "scenario": "workers",
            "pile": self.pile,
            "results": [
                {
                    "workers": each.workers,
                    "documents_per_s": round(each.documents_per_s, 2),
                    "pile_cpu_ms_per_document": each.pile_cost.as_json(),
                    "rss_mib": {name: round(mib, 1) for name, mib in each.rss_mib.items()},
                    "rates": [
                        {
                            "rate": at.rate,
                            "result": at.latencies.as_json(),
                            "cpu_ms_per_document": at.cost.as_json(),
                        }
                        for at in each.rates
                    ],
                }
                for each in self.results
            ],
            "ok": self.ok,
        }


def _rows(pile: int, result: WithWorkers) -> Iterator[Sequence[object]]:
    memory = " + ".join(f"{mib:.0f}" for mib in result.rss_mib.values())
    pace = f"{result.documents_per_s:.1f}"
    yield result.workers, f"{pile} at once", pace, None, None, *_cells(result.pile_cost), memory
    for at in result.rates:
        latencies = at.latencies
        yield (
            None,
            f"{at.rate:g} a second",
            None,
            round(latencies.p50_ms),
            round(latencies.p99_ms),
            *_cells(at.cost),
            None,
        )


def _cells(cost: Cost) -> Sequence[str]:
    parts = (cost.by_process.get(name, 0.0) for name in (_WORKER, _EXTRACTION, "temporal"))
    return [f"{ms:.1f}" for ms in (cost.total, *parts)]


async def cost_of_workers(
    *, pile: int, rates: Sequence[float], seconds: float, on_progress: Tell
) -> CostOfWorkers:
    """Measures each number of workers on a stack of its own.

    Raises:
        DevError: a stack could not be started, or a document did not complete.
    """
    files = [(f"pile-{number}.pdf", _text(number)) for number in range(pile)]
    results = []
    for workers in WORKERS:
        on_progress(f"{workers} CPU worker(s)")
        names = [f"cpu-{number + 1}" for number in range(workers)]
        opening = stack_by_role(
            "bench-workers", {"EXTRACT_PROCESSES": "1"}, dict.fromkeys(names, "cpu")
        )
        async with opening as (stack, user, watched):
            measuring = _Measuring(stack, user, watched, names)
            results.append(await measuring.all(files, rates, seconds, on_progress))
    return CostOfWorkers(pile, results)


def _text(number: int) -> bytes:
    return text_pdf(number, 1 + number % _LONGEST_PAGES)


@dataclass(frozen=True, slots=True)
class _Measuring:
    """One stack, whose CPU workers have these names."""

    stack: Stack
    user: User
    watched: Watched
    names: Sequence[str]

    async def all(
        self, files: Sequence[Content], rates: Sequence[float], seconds: float, on_progress: Tell
    ) -> WithWorkers:
        """Warms up, then the pile, then each rate."""
        for number in range(_WARM_UP):
            completed(await self.user.result_of((f"warm-up-{number}.pdf", _text(number))))
        on_progress(f"a pile of {len(files)} documents")
        documents_per_s, pile_cost = await self._pile(files)
        rss_mib = self._rss_mib()
        found = []
        for rate in rates:
            on_progress(f"{rate:g} documents a second for {seconds:.0f} s")
            found.append(await self._at(rate, max(1, round(rate * seconds)), files))
        return WithWorkers(len(self.names), documents_per_s, pile_cost, rss_mib, found)

    async def _pile(self, files: Sequence[Content]) -> tuple[float, Cost]:
        """Documents a second, and their cost from the first claim on."""
        await self.stack.stop_process(DISPATCHER)
        sending = iter(files)
        while batch := list(islice(sending, _BATCH)):
            upload = await self.user.send(*batch)
            if len(upload.accepted) != len(batch):
                raise DevError(f"{upload.rejected[0].filename} was rejected")
        before = self._cpu_s()
        await self.stack.start_process(DISPATCHER, wait=False)
        async with asyncio.timeout(END_WITHIN_S):
            while (await self.watched.waiting()).documents == len(files):  # noqa: ASYNC110 - remote
                await asyncio.sleep(_LOOK_S)
            began = time.monotonic()
            while (left := await self.watched.waiting()).documents or left.in_flight:  # noqa: ASYNC110 - remote
                await asyncio.sleep(_LOOK_S)
        took_s = time.monotonic() - began
        after = self._cpu_s()
        after.pop(DISPATCHER)  # its start would count
        return len(files) / took_s, self._cost(before, after, len(files))

    async def _at(self, rate: float, count: int, files: Sequence[Content]) -> AtRate:
        async def one(number: int) -> None:
            _, content = files[number % len(files)]
            completed(await self.user.result_of((f"{rate:g}-{number}.pdf", content)))

        await self.stack.wait_ready(DISPATCHER)
        before = self._cpu_s()
        arrivals = await open_loop(one, rate=rate, count=count, seed=1)
        return AtRate(rate, Latencies.of(arrivals), self._cost(before, self._cpu_s(), count))

    @staticmethod
    def _cost(before: Mapping[str, float], after: Mapping[str, float], documents: int) -> Cost:
        return Cost(
            {name: (after[name] - before.get(name, 0.0)) * 1000 / documents for name in after}
        )

    def _cpu_s(self) -> dict[str, float]:
        """CPU time so far, by process; workers and subprocesses each together.

        The time of recycled subprocesses counts among the subprocesses.
        """
        found: dict[str, float] = {}
        for name in self.stack.running:
            process = psutil.Process(self.stack.pid(name))
            times = process.cpu_times()
            kind = _WORKER if name in self.names else name
            own = times.user + times.system
            found[kind] = found.get(kind, 0.0) + own
            below = times.children_user + times.children_system
            for child in process.children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    child_times = child.cpu_times()
                    below += child_times.user + child_times.system
            below_kind = _EXTRACTION if name in self.names else name
            found[below_kind] = found.get(below_kind, 0.0) + below
        return found

    def _rss_mib(self) -> dict[str, float]:
        found = {_WORKER: 0.0, _EXTRACTION: 0.0}
        for name in self.names:
            process = psutil.Process(self.stack.pid(name))
            found[_WORKER] += process.memory_info().rss / _MIB
            for child in process.children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    found[_EXTRACTION] += child.memory_info().rss / _MIB
        return found
