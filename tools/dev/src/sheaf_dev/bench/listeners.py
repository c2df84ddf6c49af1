"""What do a thousand who follow cost one gateway, and the database behind it?

Half of them follow all of a user's documents, half a document each. Documents end by being
cancelled: nothing that extracts runs beside, so what is measured is the way of an event.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from sheaf_common.pools.database import DatabasePool, DatabaseSettings, database_pool
from sheaf_dev.bench.event_listener import EventListener, listen
from sheaf_dev.bench.processes import Processes
from sheaf_dev.bench.scenario import Tell
from sheaf_dev.bench.statistics import percentile
from sheaf_dev.bench.users import User, stack_with_users
from sheaf_dev.errors import DevError
from sheaf_dev.stack import Stack

P99_LIMIT_S: Final = 1.0
MORE_STATEMENTS_LIMIT: Final = 1.3
"""Statements for all listeners, as a multiple of those for a few."""
_FEW: Final = 10
_QUIET_S: Final = 10.0
_SETTLE_S: Final = 2.0
_SPACING_S: Final = 0.2
_AT_ONCE: Final = 20
_OF_ONE: Final = 2
"""What happens to a document: it is queued, and cancelled."""
_TOLD_WITHIN_S: Final = 60.0
_PROCESSES: Final = ("gateway", "metadata", "mariadb")
_STATEMENTS: Final = text("SHOW GLOBAL STATUS LIKE 'Questions'")


@dataclass(frozen=True, slots=True)
class Round:
    """What so many listeners cost.

    `quiet` is a second in which nothing happens; `ending` what all documents' ends took. CPU is
    in ms, by process.
    """

    listeners: int
    quiet_statements: float
    quiet_cpu_ms: dict[str, float]
    ending_statements: int
    ending_cpu_ms: dict[str, float]
    events_told: int
    latencies_s: tuple[float, ...]
    gateway_mib: float


@dataclass(frozen=True, slots=True)
class Listening:
    """A few listeners, then many; `documents` ended in each round."""

    documents: int
    few: Round
    many: Round

    @property
    def p99_s(self) -> float:
        """From an event's recording until the unluckiest hundredth of listeners had it."""
        return percentile(self.many.latencies_s, 99)

    @property
    def more_statements(self) -> tuple[float, float]:
        """What the many ask of the database, in multiples of the few: in quiet, at the ends."""
        return (
            self.many.quiet_statements / self.few.quiet_statements,
            self.many.ending_statements / self.few.ending_statements,
        )

    @property
    def kib_each(self) -> float:
        """Memory of the gateway for each listener more."""
        more = self.many.listeners - self.few.listeners
        return (self.many.gateway_mib - self.few.gateway_mib) * 1024 / more

    @property
    def ok(self) -> bool:
        """Whether they cost the database no more, and are told in time."""
        return max(self.more_statements) <= MORE_STATEMENTS_LIMIT and self.p99_s <= P99_LIMIT_S

    @property
    def columns(self) -> Sequence[str]:
        """Titles of the table."""
        return (
            "listeners", "statements/s quiet", "statements at the ends", "gateway ms/s quiet",
            "gateway us an event told", "P50 ms", "P99 ms", "gateway MiB",
        )  # fmt: skip

    @property
    def rows(self) -> Sequence[Sequence[object]]:
        """The few and the many."""
        return [
            (
                each.listeners,
                round(each.quiet_statements, 1),
                each.ending_statements,
                round(each.quiet_cpu_ms["gateway"], 1),
                round(each.ending_cpu_ms["gateway"] * 1000 / each.events_told),
                round(percentile(each.latencies_s, 50) * 1000),
                round(percentile(each.latencies_s, 99) * 1000),
                round(each.gateway_mib),
            )
            for each in (self.few, self.many)
        ]

    @property
    def verdict(self) -> str:
        """With the limits."""
        quiet, ends = self.more_statements
        return (
            f"{self.many.listeners} listeners ask {quiet:.2f} and {ends:.2f} times what"
            f" {self.few.listeners} do of the database (at most {MORE_STATEMENTS_LIMIT}), are told"
            f" within {self.p99_s * 1000:.0f} ms at P99 (at most {P99_LIMIT_S * 1000:.0f}) and take"
            f" {self.kib_each:.0f} KiB each: {'within' if self.ok else 'over'} the limits"
        )

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "scenario": "listeners",
            "documents": self.documents,
            "rounds": [
                {
                    "listeners": each.listeners,
                    "quiet_statements_per_s": each.quiet_statements,
                    "quiet_cpu_ms_per_s": each.quiet_cpu_ms,
                    "ending_statements": each.ending_statements,
                    "ending_cpu_ms": each.ending_cpu_ms,
                    "events_told": each.events_told,
                    "p50_ms": percentile(each.latencies_s, 50) * 1000,
                    "p99_ms": percentile(each.latencies_s, 99) * 1000,
                    "gateway_mib": each.gateway_mib,
                }
                for each in (self.few, self.many)
            ],
            "kib_each": self.kib_each,
            "ok": self.ok,
        }


async def a_thousand_listeners(listeners: int, ends: int, on_progress: Tell) -> Listening:
    """A few listeners, then so many, while as many documents end; on a stack of its own.

    Raises:
        DevError: the stack could not be started, or a listener was not told everything.
    """
    services, servers = ("storage", "metadata", "gateway"), ("seaweedfs", "mariadb", "valkey")
    users = stack_with_users("bench-listen", services=services, servers=servers)
    async with users as (stack, (user,)):
        settings = DatabaseSettings.model_validate({"DATABASE_URL": stack.env["DATABASE_URL"]})
        async with database_pool(settings) as pool:
            rounds = []
            for count in (min(_FEW, listeners), listeners):
                on_progress(f"{count} listeners, {ends} documents")
                rounds.append(await _Measuring(stack, user, pool).round(count, ends))
    return Listening(ends, *rounds)


class _Measuring:
    """Of one stack."""

    def __init__(self, stack: Stack, user: User, pool: DatabasePool) -> None:
        self._stack = stack
        self._user = user
        self._pool = pool
        self._processes = Processes({name: stack.pid(name) for name in _PROCESSES})

    async def round(self, listeners: int, ends: int) -> Round:
        """Opens listeners, waits a while, ends the documents."""
        files = [(f"{number}.txt", b"text %d" % number) for number in range(ends)]
        upload = await self._user.send(*files)
        documents = [str(each.id) for each in upload.accepted]
        opened = await self._opened(listeners, documents)
        try:
            await asyncio.sleep(_SETTLE_S)
            asked, spent = await self._statements(), self._processes.cpu_s()
            await asyncio.sleep(_QUIET_S)
            quiet = (await self._statements() - asked) / _QUIET_S
            quiet_cpu = self._since(spent, _QUIET_S)
            mib = self._processes.rss_mib()["gateway"]
            before, since = sum(each.told for each in opened), time.time()
            asked, spent = await self._statements(), self._processes.cpu_s()
            await self._end(documents)
            await self._all_told(opened, ends)
            ending, ending_cpu = await self._statements() - asked, self._since(spent, 1)
        finally:
            for each in opened:
                each.close()
        latencies = tuple(s for each in opened for s in each.latencies_s(since))
        told = sum(each.told for each in opened) - before
        return Round(listeners, quiet, quiet_cpu, ending, ending_cpu, told, latencies, mib)

    async def _opened(self, listeners: int, documents: Sequence[str]) -> list[EventListener]:
        host, port = self._stack.address("gateway").split(":")
        places = asyncio.Semaphore(_AT_ONCE)

        async def opened(path: str) -> EventListener:
            async with places:
                return await listen(host, int(port), path, self._user.key)

        half = listeners // 2
        paths = ["/v1/events"] * half
        for number in range(listeners - half):
            paths.append(f"/v1/documents/{documents[number % len(documents)]}/events")
        return list(await asyncio.gather(*map(opened, paths)))

    async def _end(self, documents: Sequence[str]) -> None:
        for document_id in documents:
            await asyncio.gather(self._user.cancel(document_id), asyncio.sleep(_SPACING_S))

    async def _all_told(self, opened: Sequence[EventListener], ends: int) -> None:
        """Whoever follows the user is told of each end and of the batch's, others of one."""
        half = len(opened) // 2
        wanted = [ends + 1] * half + [_OF_ONE] * (len(opened) - half)
        try:
            async with asyncio.timeout(_TOLD_WITHIN_S):
                while any(  # noqa: ASYNC110 - a thousand events tell of it no better
                    each.told < count for each, count in zip(opened, wanted, strict=True)
                ):
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            raise DevError("a listener was not told everything") from error
        if len({tuple(each.positions()[-ends - 1 :]) for each in opened[:half]}) > 1:
            raise DevError("listeners were told different things")

    async def _statements(self) -> int:
        async with self._pool.connection() as connection:
            return int((await connection.execute(_STATEMENTS)).one()[1])

    def _since(self, before: dict[str, float], seconds: float) -> dict[str, float]:
        now = self._processes.cpu_s()
        return {name: (now[name] - before[name]) * 1000 / seconds for name in _PROCESSES}
