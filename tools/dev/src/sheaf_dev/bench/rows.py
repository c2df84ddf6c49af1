"""Does it matter how many documents there were? Latency and CPU in a small table and in a large.

The same arrivals, round by round, first over a few thousand rows, then over as many as asked for;
they cannot take turns. Then every hot query is explained and run at that size: what it reads must
not depend on it, which says more than a time that happened to be the same.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sheaf_common.pools.database import DatabasePool, DatabaseSettings, database_pool
from sheaf_dev.bench.arrivals import open_loop
from sheaf_dev.bench.cpu import CpuMeter
from sheaf_dev.bench.filling import Filling
from sheaf_dev.bench.hot_queries import Run, run_all
from sheaf_dev.bench.scenario import Tell
from sheaf_dev.bench.statistics import median, percentile
from sheaf_dev.bench.users import END_WITHIN_S, User, completed, stack_with_users
from sheaf_dev.errors import DevError
from sheaf_dev.samples.generator import text_pdf
from sheaf_dev.stack import Stack

FEW: Final = 2000
LATENCY_RATIO: Final = 1.5
LATENCY_MORE_MS: Final = 25.0
CPU_RATIO: Final = 1.3
CPU_MORE_MS: Final = 0.5
LAG_LIMIT_MS: Final = 50.0
"""Over that the generator itself had to wait for a core, so latencies are none of ours."""
_PAGES: Final = 2
_PAGE_SIZE: Final = 50
_WARM_UP: Final = 10
_CPU_OF: Final = ("mariadb", "metadata")
_OWNER: Final = "bench-rows"

OPERATIONS: Final = ("accept", "status", "list", "claim to result")


@dataclass(frozen=True, slots=True)
class Round:
    """Of one round: milliseconds by operation, CPU a document by process, the generator's lag."""

    latencies_ms: Mapping[str, Sequence[float]]
    cpu_ms: Mapping[str, float]
    lag_p99_ms: float


@dataclass(frozen=True, slots=True)
class Change:
    """A figure with few rows and with many. It is kept within a ratio, or `more` milliseconds."""

    name: str
    few_ms: float
    many_ms: float
    ratio_limit: float
    more_ms: float

    @property
    def ratio(self) -> float:
        """Many over few."""
        return self.many_ms / self.few_ms if self.few_ms else 1.0

    @property
    def ok(self) -> bool:
        """Whether it is within the limit."""
        allowed = max(self.ratio_limit * self.few_ms, self.few_ms + self.more_ms)
        return self.many_ms <= allowed

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "few_ms": round(self.few_ms, 2),
            "many_ms": round(self.many_ms, 2),
            "ratio": round(self.ratio, 3),
            "ratio_limit": self.ratio_limit,
            "ok": self.ok,
        }


@dataclass(frozen=True, slots=True)
class ManyRows:
    """What so many rows change."""

    rows_there: int
    fill_seconds: float
    lag_p99_ms: float
    """Of the worst round."""
    changes: Sequence[Change]
    runs: Sequence[Run]

    @property
    def void(self) -> bool:
        """Whether the machine was too busy for latencies to say anything."""
        return self.lag_p99_ms > LAG_LIMIT_MS

    @property
    def ok(self) -> bool:
        """Whether every figure is within its limit and every query reads no more than it needs."""
        steady = all(change.ok for change in self.changes) and all(run.ok for run in self.runs)
        return steady and not self.void

    @property
    def columns(self) -> Sequence[str]:
        """Titles of the table."""
        return ("figure", f"{FEW} rows", f"{self.rows_there} rows", "ratio", "limit", "")

    @property
    def rows(self) -> Sequence[Sequence[object]]:
        """A line for each figure, then for each query: entries read, and how many it may."""
        return [
            *(
                (f"{change.name}, ms", f"{change.few_ms:.1f}", f"{change.many_ms:.1f}",
                 f"{change.ratio:.2f}", change.ratio_limit, _mark(ok=change.ok))
                for change in self.changes
            ),
            *(
                (f"{run.query.name}: entries read", None, run.read, None, run.query.most_read,
                 _mark(ok=run.ok))
                for run in self.runs
            ),
        ]  # fmt: skip

    @property
    def verdict(self) -> str:
        """With what is not steady."""
        missed = [change.name for change in self.changes if not change.ok]
        missed += [run.query.name for run in self.runs if not run.ok]
        found = f"not steady: {', '.join(missed)}" if missed else "everything is steady"
        if self.void:
            lag = f"{self.lag_p99_ms:.0f} ms late at P99, over {LAG_LIMIT_MS:.0f}"
            found = f"VOID, for the generator was {lag}, so latencies say nothing; {found}"
        return (
            f"{self.rows_there} rows, put there in {self.fill_seconds:.0f} s: {found} (limits:"
            f" latency {LATENCY_RATIO} times or {LATENCY_MORE_MS:.0f} ms more, CPU"
            f" {CPU_RATIO} times, and what each query may read)"
        )

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "scenario": "rows",
            "few_rows": FEW,
            "rows": self.rows_there,
            "fill_seconds": round(self.fill_seconds, 1),
            "figures": {change.name: change.as_json() for change in self.changes},
            "queries": {run.query.name: run.as_json() for run in self.runs},
            "generator_lag_p99_ms": round(self.lag_p99_ms, 1),
            "void": self.void,
            "ok": self.ok,
        }


async def many_rows(
    *, rows: int, rate: float, seconds: float, rounds: int, on_progress: Tell
) -> ManyRows:
    """Measures on a stack of its own: `rounds` of so many seconds with few rows, and with many.

    Raises:
        DevError: the stack could not be started, or documents do not complete.
        ValueError: `rows` is no multiple of ten.
    """
    async with (
        stack_with_users(_OWNER) as (stack, (user,)),
        database_pool(DatabaseSettings.model_validate(stack.env)) as pool,
    ):
        filling = Filling(pool, rows=rows, owner=_OWNER)
        measuring = _Measuring(stack, user, rate=rate, seconds=seconds, rounds=rounds)
        await filling.up_to(min(FEW, rows), on_progress)
        few = await measuring.run(f"over {FEW} rows", on_progress)
        on_progress(f"putting {rows} rows there")
        began = time.monotonic()
        await filling.up_to(rows, on_progress)
        fill_seconds = time.monotonic() - began
        many = await measuring.run(f"over {rows} rows", on_progress)
        on_progress("every hot query")
        runs = await _queries_of(pool)
        lag_p99_ms = max(each.lag_p99_ms for each in (*few, *many))
        return ManyRows(rows, fill_seconds, lag_p99_ms, list(_changes(few, many)), runs)


async def _queries_of(pool: DatabasePool) -> Sequence[Run]:
    try:
        return await run_all(pool, _OWNER)
    except LookupError as error:
        raise DevError(str(error)) from error


class _Measuring:
    """The same arrivals for every round; each sends, reads its status, a page, and its end."""

    def __init__(
        self, stack: Stack, user: User, *, rate: float, seconds: float, rounds: int
    ) -> None:
        self._user = user
        self._rate = rate
        self._count = max(1, round(rate * seconds))
        self._rounds = rounds
        self._seed = 0
        self._contents: list[bytes] = []
        self._latencies_ms: dict[str, list[float]] = {name: [] for name in OPERATIONS}
        self._meters = {name: CpuMeter([stack.pid(name)]) for name in _CPU_OF}

    async def run(self, what: str, on_progress: Tell) -> list[Round]:
        """All rounds, after some documents that do not count."""
        on_progress(f"{what}: warming up")
        self._prepare(_WARM_UP)
        for number in range(_WARM_UP):
            await self._pass(number)
        numbers = range(1, self._rounds + 1)
        return [await self._round(f"{what}: round {number}", on_progress) for number in numbers]

    async def _round(self, what: str, on_progress: Tell) -> Round:
        on_progress(what)
        self._prepare(self._count)
        self._latencies_ms = {name: [] for name in OPERATIONS}
        before = {name: meter.read() for name, meter in self._meters.items()}
        arrivals = await open_loop(self._pass, rate=self._rate, count=self._count, seed=1)
        if errors := [arrival.error for arrival in arrivals if arrival.error]:
            raise DevError(f"{len(errors)} of {self._count} came to nothing: {errors[0]}")
        cpu_ms = {
            name: meter.read().since(before[name]).server * 1000 / self._count
            for name, meter in self._meters.items()
        }
        lag_p99_ms = percentile([arrival.lag_s * 1000 for arrival in arrivals], 99)
        return Round(self._latencies_ms, cpu_ms, lag_p99_ms)

    def _prepare(self, count: int) -> None:
        """Makes the documents of a round before it begins: that is no part of it."""
        self._contents = [text_pdf(self._seed + number, _PAGES) for number in range(count)]
        self._seed += count

    async def _pass(self, number: int) -> None:
        with self._timed("accept"):
            upload = await self._user.send((f"row-{number}.pdf", self._contents[number]))
        (document_id,) = (str(accepted.id) for accepted in upload.accepted)
        with self._timed("status"):
            await self._user.client.get_document(document_id)
        with self._timed("list"):
            async for _ in self._user.client.documents(page_size=_PAGE_SIZE):
                break  # the first page is there
        client = self._user.client
        document = completed(await client.wait_for_document(document_id, timeout_s=END_WITHIN_S))
        if document.started_at is None or document.finished_at is None:
            raise DevError(f"{document.id} has ended without its times")
        took = document.finished_at - document.started_at
        self._latencies_ms["claim to result"].append(took.total_seconds() * 1000)

    @contextmanager
    def _timed(self, operation: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self._latencies_ms[operation].append((time.perf_counter() - began) * 1000)


def _changes(few: Sequence[Round], many: Sequence[Round]) -> Iterator[Change]:
    """Of medians over the rounds."""
    for operation in OPERATIONS:
        for percent in (50, 99):
            few_ms, many_ms = (_quantile(rounds, operation, percent) for rounds in (few, many))
            name = f"{operation} p{percent}"
            yield Change(name, few_ms, many_ms, LATENCY_RATIO, LATENCY_MORE_MS)
    for process in _CPU_OF:
        few_ms, many_ms = (_cpu_ms(rounds, process) for rounds in (few, many))
        yield Change(f"CPU of {process} a document", few_ms, many_ms, CPU_RATIO, CPU_MORE_MS)


def _quantile(rounds: Sequence[Round], operation: str, percent: float) -> float:
    return median(percentile(each.latencies_ms[operation], percent) for each in rounds)


def _cpu_ms(rounds: Sequence[Round], process: str) -> float:
    return median(each.cpu_ms[process] for each in rounds)


def _mark(*, ok: bool) -> str:
    return "steady" if ok else "NOT STEADY"
