"""Steps of an activity that need others: tried again while a dependency fails, for a while."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from sheaf_common.backoff import backoff_s
from sheaf_common.errors import SheafError
from sheaf_common.telemetry import tracing
from sheaf_common.telemetry.tracing import Span
from sheaf_orchestrator.service.observer import ProcessingObserver

_BACKOFF_BASE_S: Final = 0.1
_BACKOFF_LIMIT_S: Final = 3.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Steps:
    """Runs the steps of one activity, each for at most `retry_s`; not again once `stopping`."""

    retry_s: float
    observer: ProcessingObserver
    stopping: asyncio.Event

    async def run(self, stage: str, step: Callable[[], Awaitable[T]]) -> T:
        """Runs a step, again while a dependency fails.

        Raises:
            SheafError: the last failure.
        """
        with tracing.span(stage) as span:
            return await self._run(stage, step, span)

    async def _run(self, stage: str, step: Callable[[], Awaitable[T]], span: Span) -> T:
        deadline = time.monotonic() + self.retry_s
        tries = 0
        while True:
            started = time.perf_counter()
            try:
                done = await step()
            except SheafError as error:
                pause_s = backoff_s(tries, base_s=_BACKOFF_BASE_S, limit_s=_BACKOFF_LIMIT_S)
                out_of_time = time.monotonic() + pause_s >= deadline
                if not error.retryable or out_of_time or self.stopping.is_set():
                    raise
                tries += 1
                span.set("sheaf.retries", tries)
                await asyncio.sleep(pause_s)
            else:
                self.observer.stage_done(stage, time.perf_counter() - started)
                return done
