"""What waits to be processed, and how long until enough of it is done. No I/O."""

from dataclasses import dataclass
from typing import Final

_LEAST_S: Final = 1.0
_MOST_S: Final = 300.0
_UNKNOWN_S: Final = 60.0
"""Where nothing drains, nobody can say: often enough to notice its return, and no flood."""
REOPENS_AT: Final = 0.8
"""The share of its limit below which a queue counts as young again."""


@dataclass(frozen=True, slots=True)
class LaneQueue:
    """The queue of a lane, as metadata tells it."""

    lane: str
    queued_documents: int
    oldest_age_s: float
    drained_per_second: float


def seconds_until_young(queue: LaneQueue, limit_s: float) -> float:
    """How long, at the rate at which it drains, until its oldest is younger than `limit_s`.

    Nothing joins it meanwhile, and what waits came evenly over the age of the oldest. What is in
    front must go, and what becomes too old while it goes; at the latest the whole queue has gone.
    From 1 to 300 s.
    """
    rate = queue.drained_per_second
    if rate <= 0:
        return _UNKNOWN_S
    wait_s = queue.queued_documents / rate
    if queue.oldest_age_s > limit_s:
        arrived_per_second = queue.queued_documents / queue.oldest_age_s
        gains = rate - arrived_per_second
        if gains > 0:
            too_old = arrived_per_second * (queue.oldest_age_s - limit_s)
            wait_s = min(wait_s, too_old / gains)
    return min(max(wait_s, _LEAST_S), _MOST_S)
