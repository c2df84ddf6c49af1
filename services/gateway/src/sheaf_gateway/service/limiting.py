"""Rates that this process keeps by itself."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from sheaf_gateway.rates import Allowance, Rate, spend

_KEYS: Final = 10_000


class LocalLimiter:
    """Rates by key, at most 10,000 keys: the one seen longest ago is forgotten, its quota whole.

    Where Redis does not answer each gateway allows a key's whole rate.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._whole_at: OrderedDict[bytes, float] = OrderedDict()

    def take(self, key: bytes, rate: Rate) -> Allowance:
        """One request. Never blocks."""
        now = self._clock()
        after, allowance = spend(self._whole_at.get(key, 0.0), now, rate)
        self._whole_at[key] = after
        self._whole_at.move_to_end(key)
        if len(self._whole_at) > _KEYS:
            self._whole_at.popitem(last=False)
        return allowance

    def give_back(self, key: bytes, rate: Rate) -> None:
        """Undoes one request that was allowed."""
        if key in self._whole_at:
            self._whole_at[key] -= rate.share_s
