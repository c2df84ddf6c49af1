"""Quantiles and sums of what was measured."""

import math
from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheaf_common.telemetry.catalogue import FINE_BUCKETS_S
from sheaf_common.telemetry.measured import HistogramIncrease, added

SECONDS = st.floats(0, FINE_BUCKETS_S[-1], allow_subnormal=False)


def taken(values: list[float], bounds: tuple[float, ...] = FINE_BUCKETS_S) -> HistogramIncrease:
    """A histogram that took these up; a bound belongs to the bucket below it."""
    counts = [0.0] * (len(bounds) + 1)
    for value in values:
        counts[bisect_left(bounds, value)] += 1
    return HistogramIncrease("h", {}, bounds, counts, math.fsum(values))


@given(st.lists(SECONDS, min_size=1, max_size=200), st.sampled_from([0.01, 0.5, 0.9, 0.99, 1.0]))
def test_a_quantile_is_off_by_less_than_its_bucket(values: list[float], q: float) -> None:
    """The exact one is the least value that the share of all does not exceed."""
    rank = max(1, next(n for n in range(len(values) + 1) if n >= q * len(values)))
    exact = sorted(values)[rank - 1]
    upper = bisect_left(FINE_BUCKETS_S, exact)
    lower_bound = FINE_BUCKETS_S[upper - 1] if upper else 0.0

    found = taken(values).quantile(q)
    assert found is not None
    assert lower_bound <= found <= FINE_BUCKETS_S[upper]


@pytest.mark.parametrize(
    ("counts", "q", "expected"),
    [
        ([0, 10, 0, 0], 0.25, 1.25),  # a quarter of the bucket from 1 to 2
        ([10, 0, 0, 0], 0.5, 0.5),  # the first begins at 0
        ([75, 0, 25, 0], 0.9375, 3.5),  # three quarters of the bucket from 2 to 4
        ([90, 0, 0, 10], 0.99, 4.0),  # beyond all bounds: the last of them
        ([0, 0, 0, 0], 0.5, None),
    ],
)
def test_quantiles_are_those_of_prometheus(
    counts: list[float], q: float, expected: float | None
) -> None:
    """Its `bucketQuantile` (promql/quantile.go) gives these."""
    assert HistogramIncrease("h", {}, (1, 2, 4), counts, 0).quantile(q) == expected


def test_series_are_added_bucket_by_bucket() -> None:
    """With the labels that all have; other buckets are an error, never a wrong sum."""
    mine = HistogramIncrease("h", {"a": "1", "b": "1"}, (1, 2), [1, 2, 3], 0.5)
    other = HistogramIncrease("h", {"a": "1", "b": "2"}, (1, 2), [10, 0, 0], 0.25)

    assert added([mine, other]) == HistogramIncrease("h", {"a": "1"}, (1, 2), [11, 2, 3], 0.75)
    with pytest.raises(ValueError, match="different buckets"):
        added([mine, HistogramIncrease("h", {}, (1, 3), [0, 0, 0], 0)])
