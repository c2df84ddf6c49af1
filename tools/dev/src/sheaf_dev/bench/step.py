"""A step of load: do CPU worker processes, and the places for workflows, follow it up and down?

Few documents, then suddenly more than one worker can extract, then few again; in an open loop. What
is judged is that the number of workers follows, that the backlog is worked off and that nothing is
lost. It is not judged how much faster more workers are: on a machine whose cores are all busy they
have no more CPU between them (`--scenario workers` measures that).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from sheaf_common.telemetry import catalogue
from sheaf_dev.bench.arrivals import Arrival, Latencies, open_loop
from sheaf_dev.bench.roles import DISPATCHER, Watched, stack_by_role
from sheaf_dev.bench.scenario import Tell
from sheaf_dev.bench.statistics import median
from sheaf_dev.bench.users import User, completed
from sheaf_dev.samples.generator import text_pdf

AGE_LIMIT_S: Final = 1.0
_RULE: Final = {
    "CPU_WORKERS_MIN": "1",
    "SCALE_LOOK_S": "0.25",
    "SCALE_UP_AGE_S": str(AGE_LIMIT_S),
    "SCALE_UP_AFTER_S": "0.5",
    "SCALE_DOWN_AFTER_S": "6",
    "SCALE_COOLDOWN_S": "1.5",
    "DISPATCH_CLAIM_WAIT_S": "1",
    "DISPATCH_GROUP_MAX_DOCUMENTS": "2",
}
"""Quicker than the defaults, so that a step takes seconds and not minutes; and small groups, as
what one worker has claimed no other can take."""
_SCALER: Final = "scaler"
_PAGES: Final = 40
"""A document takes long enough that extraction is what limits, not the way to it."""
_DIFFERENT: Final = 12
_LOW: Final = 0.25
_HIGH: Final = 4.0
"""Rates, as multiples of what one worker does when documents come one after the other."""
_LOOK_S: Final = 0.25
_FALL_WITHIN_S: Final = 120.0
_FALL_ROUND_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Moment:
    """What was there, `at_s` seconds after the first phase began."""

    at_s: float
    phase: str
    workers: int
    draining: int
    places: int
    """Workflows that may hold documents, as the last claim had it."""
    queued: int
    oldest_s: float

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "at_s": round(self.at_s, 2),
            "phase": self.phase,
            "workers": self.workers,
            "draining": self.draining,
            "places": self.places,
            "queued": self.queued,
            "oldest_s": round(self.oldest_s, 2),
        }


@dataclass(frozen=True, slots=True)
class Step:
    """Three phases: low, high and low again, until the workers are as few as before."""

    rates: Mapping[str, float]
    latencies: Mapping[str, Latencies]
    timeline: Sequence[Moment]
    workers_limit: int

    @property
    def rose(self) -> bool:
        """Whether there were more workers than before the step, and more places with them."""
        before, after = self._of("low")[-1], (*self._of("high"), *self._of("low again"))
        places = max(moment.places for moment in after)
        return max(m.workers for m in after) > before.workers and places > before.places

    @property
    def recovered(self) -> bool:
        """Whether the backlog was too old, and is young again in the end."""
        return self.oldest_s > AGE_LIMIT_S and self.timeline[-1].oldest_s <= AGE_LIMIT_S

    @property
    def fell(self) -> bool:
        """Whether the workers are as few again as the scaler may have."""
        last = self.timeline[-1]
        return (last.workers, last.draining) == (1, 0)

    @property
    def lost(self) -> int:
        """Documents that did not come to their end."""
        return sum(len(each.errors) for each in self.latencies.values())

    @property
    def oldest_s(self) -> float:
        """The highest age of the oldest queued document."""
        return max(moment.oldest_s for moment in self.timeline)

    @property
    def ok(self) -> bool:
        """Whether the workers followed and nothing was lost."""
        return self.rose and self.recovered and self.fell and not self.lost

    @property
    def columns(self) -> Sequence[str]:
        """Titles of the table."""
        return ("phase", "seconds", "documents", "a second", "p50 ms", "p99 ms", "workers",
            "places", "oldest s",
        )  # fmt: skip

    @property
    def rows(self) -> Sequence[Sequence[object]]:
        """A line for each phase."""
        return [
            (
                phase,
                round(moments[-1].at_s - moments[0].at_s, 1),
                self.latencies[phase].count,
                round(rate, 2),
                round(self.latencies[phase].p50_ms),
                round(self.latencies[phase].p99_ms),
                _range([moment.workers for moment in moments]),
                _range([round(moment.places) for moment in moments]),
                f"{max(moment.oldest_s for moment in moments):.1f}",
            )
            for phase, rate in self.rates.items()
            if (moments := self._of(phase))
        ]

    @property
    def verdict(self) -> str:
        """What was found, with the limit."""
        most = max(moment.workers for moment in self.timeline)
        said = [
            f"workers went from 1 to {most} with the step" if self.rose else "workers did not rise",
            f"the oldest document was {self.oldest_s:.1f} s old, limit {AGE_LIMIT_S:.1f} s",
            "the backlog is young again" if self.recovered else "the backlog is NOT young again",
            "workers fell again" if self.fell else "workers did NOT fall again",
            f"{self.lost} documents lost",
        ]
        return ("followed: " if self.ok else "NOT followed: ") + ", ".join(said)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "scenario": "step",
            "age_limit_s": AGE_LIMIT_S,
            "settings": {**_RULE, "CPU_WORKERS_MAX": str(self.workers_limit)},
            "phases": {
                phase: {"rate": round(self.rates[phase], 3), **latencies.as_json()}
                for phase, latencies in self.latencies.items()
            },
            "timeline": [moment.as_json() for moment in self.timeline],
            "workers_max": max(moment.workers for moment in self.timeline),
            "oldest_s_max": round(self.oldest_s, 2),
            "rose": self.rose,
            "recovered": self.recovered,
            "fell": self.fell,
            "lost": self.lost,
            "ok": self.ok,
        }

    def _of(self, phase: str) -> list[Moment]:
        return [moment for moment in self.timeline if moment.phase == phase]


def _range(values: Sequence[int]) -> str:
    return f"{min(values)}-{max(values)}" if values else ""


async def follow_a_step(seconds: float, workers: int, on_progress: Tell) -> Step:
    """A step of so many seconds on a stack of its own, with up to so many workers.

    Raises:
        DevError: the stack could not be started, or documents do not complete.
    """
    documents = [text_pdf(seed, _PAGES) for seed in range(_DIFFERENT)]
    env = {**_RULE, "CPU_WORKERS_MAX": str(workers)}
    async with stack_by_role("bench-step", env, {_SCALER: "scaler"}) as (_, user, watched):
        sending = _Sending(user, documents)
        on_progress("warming up")
        alone_s = await _seconds_of_one(sending)
        low, high = _LOW / alone_s, _HIGH / alone_s
        on_progress(f"one after the other takes {alone_s:.2f} s each")
        step = _Stepping(sending, watched)
        async with step.watching():
            for phase, rate, length_s in (("low", low, seconds / 4), ("high", high, seconds)):
                on_progress(f"{phase}: {rate:.1f} documents a second for {length_s:.0f} s")
                await step.run(phase, rate, length_s)
            on_progress("low again, until the workers are as few as before")
            await step.fall("low again", low)
    latencies = {phase: Latencies.of(found) for phase, found in step.arrivals.items()}
    return Step({"low": low, "high": high, "low again": low}, latencies, step.timeline, workers)


class _Sending:
    """Documents, all under another name."""

    def __init__(self, user: User, documents: Sequence[bytes]) -> None:
        self._user, self._documents, self._sent = user, documents, 0

    async def one(self, _number: int = 0) -> None:
        self._sent += 1
        content = self._documents[self._sent % len(self._documents)]
        completed(await self._user.result_of((f"step-{self._sent}.pdf", content)))


async def _seconds_of_one(sending: _Sending) -> float:
    """How long one document takes alone; the first ones, which start things, do not count."""
    took = []
    for _ in range(5):
        began = time.monotonic()
        await sending.one()
        took.append(time.monotonic() - began)
    return median(took[2:])


@dataclass(slots=True)
class _Stepping:
    """The phases as they go, and what was seen meanwhile."""

    sending: _Sending
    watched: Watched
    arrivals: dict[str, list[Arrival]] = field(default_factory=dict)
    timeline: list[Moment] = field(default_factory=list)
    phase: str = ""
    began_s: float = 0.0

    async def run(self, phase: str, rate: float, length_s: float) -> None:
        """Offers documents for so long, and waits for those of the low phases.

        The step itself ends with its last arrival: what is left of it is the next phase's backlog.
        """
        self.phase = phase
        count = max(1, round(rate * length_s))
        found = await open_loop(self.sending.one, rate=rate, count=count, seed=len(self.arrivals))
        self.arrivals.setdefault(phase, []).extend(found)

    async def fall(self, phase: str, rate: float) -> None:
        """Few documents until the workers are as few as before, or that takes too long."""
        ends_s = time.monotonic() + _FALL_WITHIN_S
        fallen = False
        while not fallen and time.monotonic() < ends_s:
            await self.run(phase, rate, _FALL_ROUND_S)
            last = self.timeline[-1]
            fallen = (last.workers, last.draining) == (1, 0) and last.oldest_s <= AGE_LIMIT_S

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Looks at workers, places and backlog during the block."""
        self.began_s = time.monotonic()
        looking = asyncio.create_task(self._look_on())
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.wait([looking])
        if not looking.cancelled() and (failure := looking.exception()) is not None:
            raise failure

    async def _look_on(self) -> None:
        while True:
            self.timeline.append(await self._look())
            await asyncio.sleep(_LOOK_S)

    async def _look(self) -> Moment:
        watched, workers = self.watched, catalogue.CPU_WORKER_PROCESSES
        waiting = await watched.waiting()
        limit = catalogue.DISPATCH_WORKFLOWS_LIMIT
        return Moment(
            at_s=time.monotonic() - self.began_s,
            phase=self.phase,
            workers=round(await watched.value(_SCALER, workers, state="running")),
            draining=round(await watched.value(_SCALER, workers, state="draining")),
            places=round(await watched.value(DISPATCHER, limit, lane="text")),
            queued=waiting.documents,
            oldest_s=waiting.oldest_s,
        )
