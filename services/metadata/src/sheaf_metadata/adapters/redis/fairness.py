"""Start-time fair queueing: how far each user's queue reaches, kept in Redis.

Each user has a tail for each lane: the time up to which work is queued already. New work
begins there, or now if the tail has passed, and moves the tail by its estimate (Goyal, Vin
and Cheng, "Start-time Fair Queuing", SIGCOMM 1996, with the clock as virtual time).
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sheaf_metadata.adapters.redis.gate import RedisGate
from sheaf_metadata.domain.documents import Lane
from sheaf_metadata.domain.work import MAX_LAG
from sheaf_metadata.ports import Lags, QueuedWork

_PREFIX: Final = "sheaf:tail:"
_MAX_LAG_US: Final = MAX_LAG // timedelta(microseconds=1)
_QUEUE: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local start = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
start = math.min(start, now + tonumber(ARGV[2]))
local tail = math.min(start + tonumber(ARGV[1]), now + tonumber(ARGV[2]))
redis.call('SET', KEYS[1], string.format('%.0f', tail), 'PX',
  math.ceil((tail - now) / 1000) + 1000)
return string.format('%.0f', start - now)
"""


class RedisFairness:
    """`Fairness` in Redis."""

    def __init__(self, gate: RedisGate) -> None:
        self._gate = gate
        self._queue = gate.client.register_script(_QUEUE)

    async def lags(self, work: Sequence[QueuedWork]) -> Lags:
        """See `Fairness`."""
        queues: defaultdict[tuple[Lane, str], list[QueuedWork]] = defaultdict(list)
        for item in work:
            queues[item.lane, item.user_id].append(item)
        lags: dict[UUID, timedelta] = {}
        for (lane, user_id), items in queues.items():
            total_us = sum(_microseconds(item) for item in items)
            start = await self._gate.call(
                "fairness",
                self._queue(
                    keys=[f"{_PREFIX}{lane.value}:{user_id}"], args=[total_us, _MAX_LAG_US]
                ),
            )
            if start is None:
                continue
            at_us = int(start)
            for item in items:
                lags[item.document_id] = timedelta(microseconds=min(at_us, _MAX_LAG_US))
                at_us += _microseconds(item)
        return lags


def _microseconds(item: QueuedWork) -> int:
    return round(item.work_ms * 1000)
