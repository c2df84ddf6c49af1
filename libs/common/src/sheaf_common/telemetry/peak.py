"""The highest that a number was lately, kept without a timer and read without a reset."""

import time
from collections.abc import Callable
from typing import Final

_BUCKET_S: Final = 5.0
_BUCKETS: Final = 13
"""Twelve whole ones are a minute; the thirteenth has begun."""


class RecentPeak:
    """The most of something during the last 60 to 65 seconds.

    Whoever changes the number says so, from one thread; between two changes it stands still.
    Reading changes nothing and may happen in any thread.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._bucket = int(clock() / _BUCKET_S)
        self._peaks = [0] * _BUCKETS
        """By bucket, the newest last."""

    def changed(self, before: int, after: int) -> None:
        """The number was `before` until now, and is `after`."""
        bucket = int(self._clock() / _BUCKET_S)
        if bucket != self._bucket:
            fresh = min(bucket - self._bucket, _BUCKETS)
            self._peaks = [*self._peaks[fresh:], *([before] * fresh)]
            self._bucket = bucket
        self._peaks[-1] = max(self._peaks[-1], after)

    def most(self, now: int) -> int:
        """The most lately; the number is `now`."""
        passed = int(self._clock() / _BUCKET_S) - self._bucket
        return max(now, *self._peaks[passed:], 0)
