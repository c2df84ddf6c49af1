"""The targets with their live values: asked of every service at once, at most once a second."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar

from sheaf_common import context
from sheaf_common.errors import OverCapacity, SheafError
from sheaf_common.telemetry.kpis import Kpi, KpiName, judged
from sheaf_common.telemetry.measured import Recent
from sheaf_gateway.ports.measurements import Measurements
from sheaf_gateway.service import kpi_values
from sheaf_gateway.service.kpi_values import Values

MIN_WINDOW_S: Final = 10
MAX_WINDOW_S: Final = 300
DEFAULT_WINDOW_S: Final = 60
MAX_WINDOWS_ASKED: Final = 5
"""Different windows that wait for their turn; each waits a second for the one before."""

_INTERVAL_S: Final = 1.0
_TIMEOUT_S: Final = 2.0

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A part that did not answer: which one, and the error that it was."""

    part: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class KpiReport:
    """Every target over the last `window_s` seconds before `at`, and what could not be asked."""

    window_s: int
    at: datetime
    kpis: tuple[Kpi, ...]
    unavailable: tuple[Unavailable, ...]

    @property
    def ok(self) -> bool | None:
        """Whether no target is missed; None if none is, but a part did not answer.

        A target without a value is not missed: nothing was there to be measured.
        """
        if any(kpi.ok is False for kpi in self.kpis):
            return False
        return None if self.unavailable else True


class KpiService:
    """Collects at most once a second, whoever asks how often.

    `recent` tells what this process measured over a window in seconds.
    """

    def __init__(
        self,
        recent: Callable[[float], Recent],
        measurements: Measurements,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._recent = recent
        self._measurements = measurements
        self._clock = clock
        self._collecting: dict[int, asyncio.Task[KpiReport]] = {}
        self._turn_at = clock()
        self._latest: KpiReport | None = None
        self._began_at = float("-inf")

    async def report(self, window_s: int) -> KpiReport:
        """The targets over the last `window_s` seconds, at most a second old.

        Who asks for the same window shares the answer; another window waits for its turn. No
        service has more than 2 s to answer: what does not is left out, and named.

        Raises:
            OverCapacity: `KPIS_BUSY`: too many different windows are asked for.
        """
        latest = self._latest
        is_fresh = self._clock() - self._began_at < _INTERVAL_S
        if latest is not None and latest.window_s == window_s and is_fresh:
            return latest
        task = self._collecting.get(window_s)
        if task is None:
            if len(self._collecting) >= MAX_WINDOWS_ASKED:
                raise OverCapacity(
                    "KPIS_BUSY",
                    f"{MAX_WINDOWS_ASKED} other windows are being asked for",
                    retry_after_s=MAX_WINDOWS_ASKED * _INTERVAL_S,
                )
            task = asyncio.create_task(self._in_turn(window_s), name=f"kpis of {window_s} s")
            self._collecting[window_s] = task
            task.add_done_callback(lambda _: self._collecting.pop(window_s))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Ends what is being asked."""
        for task in (tasks := list(self._collecting.values())):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _in_turn(self, window_s: int) -> KpiReport:
        now = self._clock()
        begin = max(now, self._turn_at)
        self._turn_at = begin + _INTERVAL_S
        await asyncio.sleep(begin - now)
        with context.bound(context.RequestContext(context.new_request_id())):
            report = await self._collect(window_s)
        self._latest, self._began_at = report, begin
        return report

    async def _collect(self, window_s: int) -> KpiReport:
        at = datetime.now(UTC)
        ask = self._measurements
        own = self._recent(window_s)
        values: dict[KpiName, float | None] = dict(kpi_values.of_gateway(own))
        answers = await asyncio.gather(
            _part("storage", kpi_values.of_storage,
                  ask.recent("storage", window_s, timeout_s=_TIMEOUT_S)),
            _part("metadata", partial(kpi_values.of_metadata, gateway=own),
                  ask.recent("metadata", window_s, timeout_s=_TIMEOUT_S)),
            _part("orchestrator", kpi_values.of_orchestrator,
                  ask.recent("orchestrator", window_s, timeout_s=_TIMEOUT_S)),
            _part("backlog", kpi_values.of_backlog, ask.backlog(timeout_s=_TIMEOUT_S)),
        )  # fmt: skip
        for answer in answers:
            if not isinstance(answer, Unavailable):
                values |= answer
        missing = tuple(answer for answer in answers if isinstance(answer, Unavailable))
        return KpiReport(window_s, at, tuple(judged(values)), missing)


async def _part(
    part: str, read: Callable[[AnswerT], Values], asking: Awaitable[AnswerT]
) -> Values | Unavailable:
    try:
        return read(await asking)
    except SheafError as error:
        return Unavailable(part, error.reason, error.message)
