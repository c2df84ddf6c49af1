"""A quota that comes back evenly."""

import pytest

from sheaf_gateway.rates import Allowance, Rate, spend

RATE = Rate.of(per_s=4, window_s=5)


def spent(whole_at: float, now: float, count: int) -> tuple[float, list[Allowance]]:
    """So many requests at once."""
    allowances = []
    for _ in range(count):
        whole_at, allowance = spend(whole_at, now, RATE)
        allowances.append(allowance)
    return whole_at, allowances


def test_a_whole_quota_may_be_used_at_once_and_not_one_more() -> None:
    """What remains counts down; a refusal takes nothing and says when to come back."""
    whole_at, allowances = spent(0.0, 1_000_000.0, 22)

    assert [each.allowed for each in allowances] == [True] * 20 + [False] * 2
    assert [each.remaining for each in allowances] == [*range(19, -1, -1), 0, 0]
    assert [each.retry_after_s for each in allowances[-2:]] == pytest.approx([0.25, 0.25])
    assert allowances[19].whole_in_s == pytest.approx(5.0)
    assert whole_at == pytest.approx(1_000_005.0)


@pytest.mark.parametrize(("rest_s", "again"), [(0.25, 1), (2.5, 10), (5.0, 20), (500.0, 20)])
def test_what_was_used_comes_back_evenly(rest_s: float, again: int) -> None:
    """At the rate, up to the quota."""
    whole_at, _ = spent(0.0, 100.0, 20)
    _, allowances = spent(whole_at, 100.0 + rest_s, again + 1)

    assert [each.allowed for each in allowances] == [True] * again + [False]


def test_in_no_stretch_of_time_is_more_allowed_than_quota_and_rate() -> None:
    """Whatever comes in between is refused."""
    whole_at, allowed = 0.0, 0
    for tick in range(1000):
        whole_at, allowance = spend(whole_at, tick * 0.01, RATE)
        allowed += allowance.allowed

    assert allowed == 20 + int(9.99 * 4)
