"""Start-time fair queueing: how far each user's queue reaches, kept in Redis.

Each user has a tail for each lane: the time up to which work is queued already. New work
begins there, or where the line stands if the tail has passed, and moves the tail by its estimate
(Goyal, Vin and Cheng, "Start-time Fair Queuing", SIGCOMM 1996). The line's time is that of the
next document to be claimed, as there: by the clock a backlog that is worked off slower than it
was estimated would all be due, and who comes only now would stand behind it.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sheaf_common.pools.redis_gate import RedisGate
from sheaf_metadata.domain.documents import Lane
from sheaf_metadata.domain.work import MAX_LAG
from sheaf_metadata.ports.fairness import Lags, Lines, QueuedWork

_PREFIX: Final = "sheaf:tail:"
_MAX_LAG_US: Final = MAX_LAG // timedelta(microseconds=1)
_QUEUE: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local line = now - tonumber(ARGV[3])
local start = math.max(line, tonumber(redis.call('GET', KEYS[1]) or '0'))
start = math.min(start, now + tonumber(ARGV[2]))
local tail = math.min(start + tonumber(ARGV[1]), now + tonumber(ARGV[2]))
local life = math.max(tail - now, 0) + 1000000
if line < now then life = life + tonumber(ARGV[2]) end
redis.call('SET', KEYS[1], string.format('%.0f', tail), 'PX', math.ceil(life / 1000))
return string.format('%.0f', start - now)
"""


class RedisFairness:
    """`Fairness` in Redis."""

    def __init__(self, gate: RedisGate, lines: Lines) -> None:
        self._gate = gate
        self._lines = lines
        self._queue = gate.client.register_script(_QUEUE)

    async def lags(self, work: Sequence[QueuedWork]) -> Lags:
        """See `Fairness`."""
        queues: defaultdict[tuple[Lane, str], list[QueuedWork]] = defaultdict(list)
        for item in work:
            queues[item.lane, item.user_id].append(item)
        lags: dict[UUID, timedelta] = {}
        if not self._gate.is_open:
            return {}
        for (lane, user_id), items in queues.items():
            behind_us = (await self._lines.behind(lane)) // timedelta(microseconds=1)
            total_us = sum(_microseconds(item) for item in items)
            start = await self._gate.call(
                "fairness",
                self._queue(
                    keys=[f"{_PREFIX}{lane.value}:{user_id}"],
                    args=[total_us, _MAX_LAG_US, behind_us],
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
