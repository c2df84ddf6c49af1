"""Prometheus histograms: what was observed between two looks, and its quantiles."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


@dataclass(frozen=True, slots=True)
class Histogram:
    """Observations by bucket: `cumulative` counts of those up to each of the ascending `bounds`.

    The last bound is infinity. Empty where nothing was served.
    """

    bounds: Sequence[float] = ()
    cumulative: Sequence[float] = ()
    total: float = 0.0
    """Of the observed values."""

    @classmethod
    def of(cls, samples: Sequence[Sample], name: str, labels: Mapping[str, str]) -> Self:
        """The series with those labels, added up over all other labels."""
        buckets: dict[float, float] = {}
        total = 0.0
        for sample in samples:
            if not labels.items() <= sample.labels.items():
                continue
            if sample.name == f"{name}_bucket":
                bound = float(sample.labels["le"])
                buckets[bound] = buckets.get(bound, 0.0) + sample.value
            elif sample.name == f"{name}_sum":
                total += sample.value
        bounds = sorted(buckets)
        return cls(bounds, [buckets[bound] for bound in bounds], total)

    @property
    def count(self) -> float:
        """How many were observed."""
        return self.cumulative[-1] if self.cumulative else 0.0

    @property
    def mean(self) -> float | None:
        """None if nothing was observed."""
        return self.total / self.count if self.count else None

    def since(self, before: "Histogram") -> "Histogram":
        """What was observed after `before`; a series that appeared since began with nothing.

        Raises:
            ValueError: the buckets are others, or fewer were observed: it was restarted.
        """
        if not before.bounds:
            return self
        if before.bounds != self.bounds:
            raise ValueError("the buckets of the two are not the same")
        grown = [now - then for now, then in zip(self.cumulative, before.cumulative, strict=True)]
        if min(grown, default=0.0) < 0:
            raise ValueError("it counts fewer than before: its process was restarted")
        return Histogram(self.bounds, grown, self.total - before.total)

    def quantile(self, share: float) -> float | None:
        """As Prometheus estimates it: evenly spread within its bucket; None of nothing.

        In the last bucket, which has no end, it is where that begins.
        """
        if not self.count:
            return None
        rank = share * self.count
        edges = pairwise((0.0, *self.bounds))
        counts = pairwise((0.0, *self.cumulative))
        for (low, high), (below, upto) in zip(edges, counts, strict=True):
            if upto >= rank and upto > below:
                within = (rank - below) / (upto - below)
                return low if math.isinf(high) else low + (high - low) * within
        raise AssertionError  # the last bucket holds all


def samples_of(exposition: str, names: Sequence[str]) -> Sequence[Sample]:
    """The samples of metrics whose names begin with one of `names`; the rest is not parsed."""
    lines = [line for line in exposition.splitlines() if line.startswith(tuple(names))]
    families = text_string_to_metric_families("\n".join(lines) + "\n")
    return [sample for family in families for sample in family.samples]
