"""The marks of API keys, removed where a key has changed: see `sheaf_common.pools.redis_marks`."""

from sheaf_common.pools.redis_gate import RedisGate
from sheaf_common.pools.redis_marks import MARK_FIELD, mark_name


class RedisKeyMarks:
    """`KeyMarks` over Redis."""

    def __init__(self, gate: RedisGate) -> None:
        self._gate = gate

    async def remove(self, sha256: bytes) -> bool:
        """See `KeyMarks`."""
        removal = self._gate.client.hdel(mark_name(sha256), MARK_FIELD)
        removed = await self._gate.call("key_mark_remove", removal)
        return removed is not None
