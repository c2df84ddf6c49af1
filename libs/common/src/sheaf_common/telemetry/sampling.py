"""Gauges that must be asked for: sampled in the background, and unknown rather than stale."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

import structlog

from sheaf_common.errors import SheafError

log = structlog.get_logger()

_REST: Final = 9.0
"""So many times as long as it was asked it is not: at most a tenth of the time, however slow."""

AnswerT = TypeVar("AnswerT")


class Sampler(Generic[AnswerT]):
    """Keeps the latest answer to one question.

    `ask` is called every `period_s` and has `limit_s` to answer; it may raise anything. A failure
    is logged when it begins, changes and ends, not each time.
    """

    def __init__(
        self, name: str, ask: Callable[[], Awaitable[AnswerT]], *, period_s: float, limit_s: float
    ) -> None:
        self._name = name
        self._ask = ask
        self._period_s = period_s
        self._limit_s = limit_s
        self._failure: str | None = None
        self._answer: AnswerT | None = None

    @property
    def latest(self) -> AnswerT | None:
        """The answer; None before the first, and while asking fails. Read it in any thread."""
        return self._answer

    async def run(self) -> None:
        """Asks until it is cancelled."""
        while True:
            started = time.monotonic()
            await self._sample()
            took_s = time.monotonic() - started
            rest_s = 0.0 if self._answer is None else _REST * took_s
            await asyncio.sleep(max(self._period_s - took_s, rest_s))

    async def _sample(self) -> None:
        try:
            async with asyncio.timeout(self._limit_s):
                answer = await self._ask()
        except Exception as error:
            self._answer = None
            failure = error.reason if isinstance(error, SheafError) else type(error).__name__
            if failure != self._failure:
                known = isinstance(error, SheafError | TimeoutError)
                log.warning(
                    "a metric is not known",
                    sampled=self._name,
                    failure=failure,
                    error=str(error),
                    exc_info=None if known else error,
                )
            self._failure = failure
        else:
            self._answer = answer
            if self._failure is not None:
                log.info("a metric is known again", sampled=self._name)
            self._failure = None
