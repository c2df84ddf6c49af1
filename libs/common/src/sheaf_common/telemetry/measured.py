"""What was measured in a stretch of time: values that can be added up, and quantiles of them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CounterIncrease:
    """By how much one counter grew."""

    name: str
    labels: Mapping[str, str]
    increase: float


@dataclass(frozen=True, slots=True)
class HistogramIncrease:
    """What one histogram took up.

    `upper_bounds` ascend, without infinity. `counts` has an entry for each of them, not
    cumulative, and one more for what exceeds all.
    """

    name: str
    labels: Mapping[str, str]
    upper_bounds: Sequence[float]
    counts: Sequence[float]
    sum: float

    @property
    def count(self) -> float:
        """How many observations."""
        return sum(self.counts)

    def quantile(self, q: float) -> float | None:
        """The value below which a share `q` of the observations lies; None if there are none.

        Interpolated as Prometheus's `histogram_quantile` does: as if a bucket's observations
        were spread evenly over it, so the error is below its width. In the last bucket, which
        has no upper bound, it is the lower one.
        """
        rank = q * self.count
        below = 0.0
        for index, count in enumerate(self.counts):
            if count and below + count >= rank:
                return self._within(index, (rank - below) / count)
            below += count
        return None

    def _within(self, index: int, share: float) -> float:
        bounds = self.upper_bounds
        if index == len(bounds):
            return bounds[-1]
        if index == 0 and bounds[0] <= 0:
            return bounds[0]
        lower = bounds[index - 1] if index else 0.0
        return lower + (bounds[index] - lower) * share


@dataclass(frozen=True, slots=True)
class GaugeRange:
    """One gauge: its value now, NaN if it has none now, and the highest that was looked at."""

    name: str
    labels: Mapping[str, str]
    now: float
    highest: float


@dataclass(frozen=True, slots=True)
class Recent:
    """What one process measured in the last `window_s` seconds; what did not change is absent."""

    window_s: float
    counters: Sequence[CounterIncrease] = ()
    histograms: Sequence[HistogramIncrease] = ()
    gauges: Sequence[GaugeRange] = field(default=())

    def histogram(self, name: str, **labels: str) -> HistogramIncrease | None:
        """All series of a histogram that have these labels, added up; None if there is none.

        Raises:
            ValueError: they have different buckets.
        """
        found = [each for each in self.histograms if each.name == name and _has(each, labels)]
        return added(found) if found else None

    def gauge(self, name: str, **labels: str) -> GaugeRange | None:
        """The first gauge of that name that has these labels."""
        matching = (each for each in self.gauges if each.name == name and _has(each, labels))
        return next(matching, None)


def added(histograms: Iterable[HistogramIncrease]) -> HistogramIncrease:
    """Several series of one histogram as one, with the labels that they share.

    Raises:
        ValueError: they have different buckets.
    """
    first, *others = histograms
    counts, labels = list(first.counts), set(first.labels.items())
    for other in others:
        if list(other.upper_bounds) != list(first.upper_bounds):
            raise ValueError(f"series of {first.name} have different buckets")
        counts = [mine + its for mine, its in zip(counts, other.counts, strict=True)]
        labels &= set(other.labels.items())
    total = math.fsum([first.sum, *(other.sum for other in others)])
    return HistogramIncrease(first.name, dict(labels), first.upper_bounds, counts, total)


def _has(series: HistogramIncrease | GaugeRange, labels: Mapping[str, str]) -> bool:
    return labels.items() <= series.labels.items()
