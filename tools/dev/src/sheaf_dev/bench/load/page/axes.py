"""From figures to places on a drawing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

_STEPS: Final = (1, 2, 5, 10)
_TICKS: Final = 5
_MANY_DECADES: Final = 3


@dataclass(frozen=True, slots=True)
class Axis:
    """The values from `low` to `high`, along `start` to `end` of a drawing; all its ticks."""

    low: float
    high: float
    start: float
    end: float
    ticks: Sequence[float]
    log: bool = False

    def place(self, value: float) -> float:
        """Where a value stands; outside the axis, at its nearer end."""
        inside = min(max(value, self.low), self.high)
        if self.log:
            share = log10(inside / self.low) / log10(self.high / self.low)
        else:
            share = (inside - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 2)


def linear(values: Iterable[float], start: float, end: float) -> Axis:
    """From 0 to a round number at or above the largest."""
    highest = max((value for value in values if value > 0), default=1.0)
    step = _round_up(highest / _TICKS)
    count = ceil(highest / step - 1e-9)
    ticks = [_tidy(number * step) for number in range(count + 1)]
    return Axis(0.0, ticks[-1], start, end, ticks)


def logarithmic(values: Iterable[float], start: float, end: float) -> Axis:
    """Whole decades around the positive values; what is 0 stands at the lower end."""
    positive = [value for value in values if value > 0] or [1.0]
    low, high = floor(log10(min(positive))), ceil(log10(max(positive)))
    high = max(high, low + 1)
    mantissas = (1,) if high - low > _MANY_DECADES else (1, 2, 5)
    ticks = [_tidy(m * 10.0**power) for power in range(low, high) for m in mantissas]
    return Axis(10.0**low, 10.0**high, start, end, [*ticks, _tidy(10.0**high)], log=True)


def _round_up(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** floor(log10(value))
    return power * next(step for step in _STEPS if step * power >= value * (1 - 1e-9))


def _tidy(value: float) -> float:
    return float(f"{value:.6g}")
