"""The way to Redis: bounded in time, and shut while Redis does not answer."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Final, TypeVar

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from sheaf_metadata.adapters.metrics import REDIS_FAILURES, REDIS_SECONDS

log = structlog.get_logger()

_FAILURES_TO_SHUT: Final = 3
_PROBE_S: Final = 0.25
REDIS_ERRORS: Final = (RedisError, OSError, EOFError, RuntimeError, TimeoutError)
"""What a call of Redis may raise; uvloop says RuntimeError of a connection that is gone."""

ResultT = TypeVar("ResultT")


class RedisGate:
    """Runs Redis calls within a budget, and none while Redis is known not to answer.

    After three failures in a row the gate is shut: calls are skipped at once, so a dead or
    hung Redis costs nothing but what those three took. A task in the background asks until
    Redis answers again, never a request.
    """

    def __init__(self, client: Redis, *, budget_s: float) -> None:
        self.client = client
        self._budget_s = budget_s
        self._failures = 0
        self._shut = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether calls go through."""
        return not self._shut.is_set()

    async def call(self, operation: str, work: Awaitable[ResultT]) -> ResultT | None:
        """The result of `work`; None if Redis failed or took longer than the budget.

        `work` is a call that has not begun: it is dropped if the gate is shut.
        """
        if self._shut.is_set():
            if asyncio.iscoroutine(work):
                work.close()
            return None
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._budget_s):
                result = await work
        except REDIS_ERRORS as error:
            self._failed(operation, error)
            return None
        finally:
            REDIS_SECONDS.labels(operation).observe(time.perf_counter() - started)
        self._failures = 0
        return result

    def _failed(self, operation: str, error: Exception) -> None:
        REDIS_FAILURES.labels(operation).inc()
        self._failures += 1
        if self._failures >= _FAILURES_TO_SHUT and not self._shut.is_set():
            log.warning("redis does not answer, going on without", error=str(error))
            self._shut.set()

    async def ping(self) -> None:
        """Returns if Redis answers. Raises what the client raises."""
        async with asyncio.timeout(self._budget_s):
            await self.client.ping()

    async def keep(self) -> None:
        """Opens the gate again when Redis answers. Runs until cancelled."""
        while True:
            await self._shut.wait()
            await asyncio.sleep(_PROBE_S)
            try:
                await self.ping()
            except REDIS_ERRORS:
                continue
            log.info("redis answers again")
            self._failures = 0
            self._shut.clear()
