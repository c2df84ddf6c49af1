"""What gateways share of API keys: one script a request, on Redis's clock.

A key's hash in Redis has its mark (see `sheaf_common.pools.redis_marks`) and the time at which
its quota is whole again (see `sheaf_gateway.rates`). It ends by itself a while after the last
request; that costs a look-up of the key, and no request too many: its quota is whole by then.
"""

import hashlib
import math
from functools import lru_cache
from typing import Any, Final

from redis.exceptions import NoScriptError

from sheaf_common.pools.redis_gate import RedisGate
from sheaf_common.pools.redis_marks import MARK_FIELD, MAX_REMEMBERED_S, NewMarks, mark_name
from sheaf_gateway.ports.api_keys import Taken
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
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
if ARGV[2] ~= '{_ANY}' and ARGV[2] ~= mark then
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
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {{mark, 1, math.floor((window - (after - now)) / share + 1e-6), math.ceil(after - now), 0}}
"""
"""Arguments: a new mark, the mark that must stand or `*`, milliseconds to live, the window and a
request's share of it in microseconds. Answers the mark that stands alone if it is another one;
else also whether the request is allowed, what remains, and microseconds until the quota is whole
and until a request is allowed.
"""


class RedisKeys:
    """`SharedKeys` over Redis."""

    def __init__(self, gate: RedisGate) -> None:
        self._gate = gate
        self._new_marks = NewMarks()
        self._mark = gate.client.register_script(_MARK)
        self._take_sha = hashlib.sha1(_TAKE.encode(), usedforsecurity=False).hexdigest()

    async def mark(self, sha256: bytes) -> str | None:
        """See `SharedKeys`."""
        script = self._mark(keys=[mark_name(sha256)], args=[next(self._new_marks), _life_ms(0)])
        mark: Any = await self._gate.call("key_mark", script)
        return None if mark is None else _text(mark)

    async def take(self, sha256: bytes, rate: Rate, mark: str | None) -> Taken | None:
        """See `SharedKeys`."""
        expected = _ANY if mark is None else mark
        arguments = (mark_name(sha256), next(self._new_marks), expected, *_of_rate(rate))
        answer: Any = await self._gate.call("key_take", self._taken(arguments))
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

    async def _taken(self, arguments: tuple[str | bytes, ...]) -> Any:
        """Runs the script, which Redis knows from the first call on.

        Past redis-py's own way to do so, which costs a tenth of the call.
        """
        client: Any = self._gate.client
        try:
            return await client.execute_command("EVALSHA", self._take_sha, 1, *arguments)
        except NoScriptError:
            return await client.execute_command("EVAL", _TAKE, 1, *arguments)


@lru_cache(maxsize=1024)
def _of_rate(rate: Rate) -> tuple[bytes, bytes, bytes]:
    """The arguments that a rate decides: milliseconds to live, window and share."""
    return (
        b"%d" % _life_ms(rate.window_s),
        b"%d" % (rate.window_s * _US),
        repr(rate.share_s * _US).encode(),
    )


def _life_ms(window_s: float) -> int:
    return math.ceil(max(_LEAST_LIFE_S, window_s + 1) * 1000)


def _text(answer: bytes | str) -> str:
    return answer.decode() if isinstance(answer, bytes) else answer
