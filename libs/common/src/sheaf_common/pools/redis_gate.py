"""The way to Redis for who can do without: a circuit breaker, bounded in time."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Final, TypeVar

import structlog

import sheaf_common.pools.redis_library  # noqa: F401 - before redis-py

# isort: split
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from sheaf_common.telemetry import catalogue, tracing
from sheaf_common.telemetry.tracing import NO_SPAN, Kind, Span

log = structlog.get_logger()

REDIS_SECONDS: Final = catalogue.REDIS_SECONDS.histogram()
REDIS_FAILURES: Final = catalogue.REDIS_FAILURES.counter()
_REFUSALS_TO_SHUT: Final = 3
_PROBE_S: Final = 0.25
_PAUSE_LIMIT_S: Final = 4.0
_TRUSTED_AFTER: Final = 20
_PROBE_KEY: Final = "sheaf:probe:1"
_PROBE_LIFE_MS: Final = 1000
REDIS_ERRORS: Final = (RedisError, OSError, EOFError, RuntimeError, TimeoutError)
"""What a call of Redis may raise; uvloop says RuntimeError of a connection that is gone."""

ResultT = TypeVar("ResultT")


class RedisGate:
    """Runs Redis calls within a budget, and none while Redis is known not to answer.

    One call that gets no answer shuts the gate, as do three in a row that are answered with
    an error. Then calls are skipped at once: a dead or hung Redis costs the calls that were
    under way one budget each, and later ones nothing. A task in the background asks, at once
    and then each quarter of a second, until Redis takes a write; no request waits for that.

    Then the gate is half open: one call goes through at a time until one is answered. If the
    gate shuts again before 20 are, it stays shut longer each time, up to 4 s, so that a Redis
    which answers the question and little else costs one budget in that time.
    """

    def __init__(self, client: Redis, *, budget_s: float) -> None:
        self.client = client
        self._budget_s = budget_s
        self._shut = asyncio.Event()
        self._on_trial = False
        self._opened = 0
        self._answers = _TRUSTED_AFTER
        self._refusals = 0
        self._relapses = 0

    @property
    def is_open(self) -> bool:
        """Whether a call goes through now."""
        return not self._shut.is_set() and not self._on_trial

    async def call(self, operation: str, work: Awaitable[ResultT]) -> ResultT | None:
        """The result of `work`; None if Redis failed or took longer than the budget.

        `work` is a call that has not begun: it is dropped if the gate is shut.
        """
        if not self.is_open:
            if asyncio.iscoroutine(work):
                work.close()
            return None
        opened = self._opened
        trial = self._on_trial = self._answers == 0
        started = time.perf_counter()
        try:
            with _span(operation):
                async with asyncio.timeout(self._budget_s):
                    result = await work
        except REDIS_ERRORS as error:
            REDIS_FAILURES.labels(operation).inc()
            # What began before the gate was last opened says nothing of Redis now.
            if opened == self._opened:
                self._failed(error)
            return None
        finally:
            if trial:
                self._on_trial = False
            REDIS_SECONDS.labels(operation).observe(time.perf_counter() - started)
        self._refusals = 0
        self._answers += 1
        return result

    def _failed(self, error: Exception) -> None:
        self._refusals += isinstance(error, ResponseError)
        answered = isinstance(error, ResponseError) and self._refusals < _REFUSALS_TO_SHUT
        if answered or self._shut.is_set():
            return
        self._relapses = 0 if self._answers >= _TRUSTED_AFTER else self._relapses + 1
        log.warning(
            "redis does not answer, going on without", error=repr(error), relapses=self._relapses
        )
        self._shut.set()

    async def ping(self) -> None:
        """Returns if Redis answers. Raises what the client raises."""
        async with asyncio.timeout(self._budget_s):
            await self.client.ping()

    async def keep(self) -> None:
        """Opens the gate again when Redis answers. Runs until cancelled."""
        while True:
            await self._shut.wait()
            if self._relapses:
                await asyncio.sleep(min(_PROBE_S * 2 ** (self._relapses - 1), _PAUSE_LIMIT_S))
            while not await self._takes_a_write():  # noqa: ASYNC110 - Redis has no event
                await asyncio.sleep(_PROBE_S)
            log.info("redis answers again")
            self._opened += 1
            self._answers = self._refusals = 0
            self._shut.clear()

    async def _takes_a_write(self) -> bool:
        """Whether Redis does what calls need: a replica or one that is full answers a ping."""
        try:
            async with asyncio.timeout(self._budget_s):
                await self.client.set(_PROBE_KEY, b"", px=_PROBE_LIFE_MS)
        except REDIS_ERRORS:
            return False
        return True


def _span(operation: str) -> Span:
    if tracing.current() is None:
        return NO_SPAN
    attributes = {"db.system.name": "redis", "db.operation.name": operation}
    return tracing.span(f"redis {operation}", Kind.CLIENT, attributes)
