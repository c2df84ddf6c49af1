"""How many requests a key may make: the generic cell rate algorithm.

A key has a quota of requests, which comes back evenly: all of it within the window. What is kept
of a key is one time, at which its quota is whole again; a request puts that off by a request's
share of the window, and is refused if it would then lie further off than the window.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """`quota` requests at once, and as many again in each `window_s` seconds; both at least 1."""

    quota: int
    window_s: int

    @classmethod
    def of(cls, per_s: int, window_s: int) -> "Rate":
        """So many a second, of which a window's may come at once."""
        return cls(per_s * window_s, window_s)

    @property
    def share_s(self) -> float:
        """How long a request's share of the quota takes to come back."""
        return self.window_s / self.quota


@dataclass(frozen=True, slots=True)
class Allowance:
    """What became of a request, and what its key has left."""

    allowed: bool
    remaining: int
    whole_in_s: float
    """Seconds until the quota is whole again."""
    retry_after_s: float = 0.0
    """Seconds until a request is allowed; 0 if this one was."""


def spend(whole_at: float, now: float, rate: Rate) -> tuple[float, Allowance]:
    """One request of a key whose quota is whole at `whole_at`; when it is whole after that.

    Times are seconds on any one clock. The script in `adapters/redis_limits.py` does the same.
    """
    share_s = rate.share_s
    after = max(whole_at, now) + share_s
    over_s = after - now - rate.window_s
    if over_s > share_s * 1e-6:
        return whole_at, Allowance(
            allowed=False, remaining=0, whole_in_s=whole_at - now, retry_after_s=over_s
        )
    left = int((rate.window_s - (after - now)) / share_s + 1e-6)
    return after, Allowance(allowed=True, remaining=left, whole_in_s=after - now)
