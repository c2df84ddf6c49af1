"""What gateways share of API keys: one script a request, on Redis's clock.

A key's hash in Redis has its mark (see `sheaf_common.pools.redis_marks`) and the time at which
its quota is whole again (see `sheaf_gateway.rates`). It ends by itself a while after the last
request; that costs a look-up of the key, and no request too many: its quota is whole by then.
"""

import math
from typing import Any, Final

from sheaf_common.pools.redis_gate import RedisGate
from sheaf_common.pools.redis_marks import MARK_FIELD, MAX_REMEMBERED_S, mark_name, new_mark
from sheaf_gateway.ports import Taken
from sheaf_gateway.rates import Allowance, Rate

_LEAST_LIFE_S: Final = 3 * MAX_REMEMBERED_S
_ANY: Final = "*"
_US: Final = 1_000_000

_MARK: Final = f"""
local time = redis.call('TIME')
local mark = redis.call('HGET', KEYS[1], '{MARK_FIELD}')
if not mark then
  mark = ARGV[1] .. ':' .. time[1] .. time[2]
  redis.call('HSET', KEYS[1], '{MARK_FIELD}', mark)
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return mark
"""
"""Arguments: a new mark, milliseconds to live. Answers the mark that stands."""

_TAKE: Final = f"""
local time = redis.call('TIME')
local kept = redis.call('HMGET', KEYS[1], '{MARK_FIELD}', 'whole_at_us')
local mark = kept[1]
if not mark then
  mark = ARGV[1] .. ':' .. time[1] .. time[2]
  redis.call('HSET', KEYS[1], '{MARK_FIELD}', mark)
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
if ARGV[3] ~= '{_ANY}' and ARGV[3] ~= mark then
  return {{mark}}
end
local now = time[1] * {_US} + time[2]
local window, share = tonumber(ARGV[4]), tonumber(ARGV[5])
local whole_at = tonumber(kept[2] or '0')
local after = math.max(whole_at, now) + share
local over = after - now - window
if over > share * 1e-6 then
  return {{mark, 0, 0, math.ceil(whole_at - now), math.ceil(over)}}
end
redis.call('HSET', KEYS[1], 'whole_at_us', string.format('%.3f', after))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {{mark, 1, math.floor((window - (after - now)) / share + 1e-6), math.ceil(after - now), 0}}
"""
"""Arguments: a new mark, milliseconds to live, the mark that must stand or `*`, the window and a
request's share of it in microseconds. Answers the mark that stands alone if it is another one;
else also whether the request is allowed, what remains, and microseconds until the quota is whole
and until a request is allowed.
"""


class RedisKeys:
    """`SharedKeys` over Redis."""

    def __init__(self, gate: RedisGate) -> None:
        self._gate = gate
        self._mark = gate.client.register_script(_MARK)
        self._take = gate.client.register_script(_TAKE)

    async def mark(self, sha256: bytes) -> str | None:
        """See `SharedKeys`."""
        script = self._mark(keys=[mark_name(sha256)], args=[new_mark(), _life_ms(0)])
        mark: Any = await self._gate.call("key_mark", script)
        return None if mark is None else _text(mark)

    async def take(self, sha256: bytes, rate: Rate, mark: str | None) -> Taken | None:
        """See `SharedKeys`."""
        arguments: list[str | int | float] = [
            new_mark(),
            _life_ms(rate.window_s),
            _ANY if mark is None else mark,
            rate.window_s * _US,
            rate.share_s * _US,
        ]
        script = self._take(keys=[mark_name(sha256)], args=arguments)
        answer: Any = await self._gate.call("key_take", script)
        if answer is None:
            return None
        if len(answer) == 1:
            return Taken(_text(answer[0]), None)
        stands, allowed, remaining, whole_us, retry_us = answer
        allowance = Allowance(
            allowed=bool(allowed),
            remaining=remaining,
            whole_in_s=whole_us / _US,
            retry_after_s=retry_us / _US,
        )
        return Taken(_text(stands), allowance)


def _life_ms(window_s: float) -> int:
    return math.ceil(max(_LEAST_LIFE_S, window_s + 1) * 1000)


def _text(answer: bytes | str) -> str:
    return answer.decode() if isinstance(answer, bytes) else answer
