"""The highest rate that is held: grow until one is missed, then halve what is between.

Held means accept P99 and the error rate within their targets, and the schedule kept.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

from sheaf_dev.bench.load.judging import HELD_AT_LEAST_RPS, why_not_held
from sheaf_dev.bench.load.report import RateReport

START_RPS: Final = 20.0
GROWTH: Final = 1.5
PRECISION: Final = 1.05
"""The search ends when the lowest rate missed is at most so much above the highest held."""
HIGHEST_RPS: Final = 1000.0
LOWEST_RPS: Final = 1.0
MOST_STEPS: Final = 24
"""From the lowest rate to the highest takes 18, the halving 4: a bound that should never bind."""

RunRate = Callable[[float], Awaitable[RateReport]]


@dataclass(frozen=True, slots=True)
class Step:
    """One rate of the search; `why_not` is empty if it was held."""

    report: RateReport
    why_not: Sequence[str]

    @property
    def held(self) -> bool:
        """Whether it was held."""
        return not self.why_not

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {"rps": self.report.rps, "held": self.held, "why_not": list(self.why_not)}


@dataclass(frozen=True, slots=True)
class Ramp:
    """The steps of a search, in the order in which they were run."""

    steps: Sequence[Step]

    @property
    def highest_held_rps(self) -> float | None:
        """None if not even the lowest rate was."""
        missed = self.lowest_missed_rps
        held = (step.report.rps for step in self.steps if step.held)
        return max((rps for rps in held if missed is None or rps < missed), default=None)

    @property
    def lowest_missed_rps(self) -> float | None:
        """None if every rate up to the highest that is tried was held."""
        return min((step.report.rps for step in self.steps if not step.held), default=None)

    @property
    def limited_by(self) -> Sequence[str]:
        """Why the lowest rate missed was."""
        missed = self.lowest_missed_rps
        return next((step.why_not for step in self.steps if step.report.rps == missed), ())

    @property
    def generator_was_the_limit(self) -> bool:
        """Whether the lowest rate missed says nothing of the system: the schedule was not kept."""
        missed = self.lowest_missed_rps
        return any(step.report.void for step in self.steps if step.report.rps == missed)

    @property
    def ok(self) -> bool:
        """Whether the rate that must be held is."""
        return (self.highest_held_rps or 0.0) >= HELD_AT_LEAST_RPS

    @property
    def verdict(self) -> str:
        """One line that says what was found, with what must be held."""
        highest = self.highest_held_rps
        found = "no rate is held" if highest is None else f"highest rate held: {highest:g}"
        if self.lowest_missed_rps is None:
            found += f" (none above {HIGHEST_RPS:g} is tried)"
        else:
            found += f"; {self.lowest_missed_rps:g} is not: {', '.join(self.limited_by)}"
        if self.generator_was_the_limit:
            found += " (the generator was the limit: the system may hold more)"
        return f"{found}; must be at least {HELD_AT_LEAST_RPS:g} requests/s"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "highest_held_rps": self.highest_held_rps,
            "lowest_missed_rps": self.lowest_missed_rps,
            "limited_by": list(self.limited_by),
            "generator_was_the_limit": self.generator_was_the_limit,
            "must_hold_rps": HELD_AT_LEAST_RPS,
            "ok": self.ok,
            "steps": [step.as_json() for step in self.steps],
        }


async def find_highest(run: RunRate, start_rps: float = START_RPS) -> Ramp:
    """Runs rates one after the other; `run` returns when the rate's documents have ended.

    The highest rate held is at most 5 % below the lowest missed, unless there is none of one
    of the two between 1 and 1000 requests a second. Every rate is run once.
    """
    steps: list[Step] = []
    held, missed = 0.0, 0.0
    rps = start_rps
    while len(steps) < MOST_STEPS:
        report = await run(rps)
        step = Step(report, why_not_held(report))
        steps.append(step)
        if step.held:
            held = rps
        else:
            missed = rps
        if not missed:
            if rps >= HIGHEST_RPS:
                break
            rps = min(_figure(rps * GROWTH), HIGHEST_RPS)
        elif not held:
            if rps <= LOWEST_RPS:
                break
            rps = max(_figure(rps / GROWTH), LOWEST_RPS)
        elif missed / held <= PRECISION:
            break
        else:
            rps = _figure(sqrt(held * missed))
    return Ramp(steps)


def _figure(rps: float) -> float:
    """A rate that can be written down: to three figures, which is finer than the search is."""
    return float(f"{rps:.3g}")
