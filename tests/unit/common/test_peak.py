"""The highest that a number was lately."""

from sheaf_common.telemetry.peak import RecentPeak


class Used:
    """A number that goes up and down, at times of the test's choosing."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.value = 0
        self.peak = RecentPeak(lambda: self.now_s)

    def becomes(self, value: int, *, at_s: float) -> None:
        """It is that from then on."""
        self.now_s = 1000.0 + at_s
        self.peak.changed(self.value, value)
        self.value = value

    def most(self, *, at_s: float) -> int:
        """The most lately, as it is read then."""
        self.now_s = 1000.0 + at_s
        return self.peak.most(self.value)


def test_a_peak_is_told_for_a_minute() -> None:
    """And however often it is read; after that, what was highest since."""
    used = Used()
    used.becomes(9, at_s=1)
    used.becomes(2, at_s=2)
    used.becomes(4, at_s=31)
    used.becomes(1, at_s=32)
    assert [used.most(at_s=at_s) for at_s in (32, 32, 61)] == [9, 9, 9]
    assert used.most(at_s=66) == 4
    assert used.most(at_s=1000) == 1


def test_what_is_held_long_counts_until_a_minute_after_it_was_given_back() -> None:
    """Nothing changes while it is held."""
    used = Used()
    used.becomes(7, at_s=0)
    assert used.most(at_s=500) == 7
    used.becomes(0, at_s=500)
    assert used.most(at_s=559) == 7
    assert used.most(at_s=566) == 0


def test_a_pause_longer_than_a_minute_forgets() -> None:
    """But not what the number was meanwhile."""
    used = Used()
    used.becomes(9, at_s=0)
    used.becomes(3, at_s=1)
    used.becomes(4, at_s=300)
    assert used.most(at_s=300) == 4
    used.becomes(0, at_s=301)
    assert used.most(at_s=330) == 4
