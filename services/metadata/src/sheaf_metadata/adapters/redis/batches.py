"""Finished batches in Redis: a hash for each, with a view for each set of fields.

A finished batch changes only when one of its documents is queued again, and that is told here
before it is committed. So a view has no version, and lives as long as an ended document does.
"""

import types
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, get_type_hints
from uuid import UUID

import msgspec

from sheaf_common.pools.redis_gate import RedisGate
from sheaf_metadata.domain.documents import Batch, BatchView, Document, view_of
from sheaf_metadata.domain.fields import Fields

_PREFIX: Final = "sheaf:batch:1:"
"""The number is that of the value's shape: raise it when a field changes its meaning."""
_MAX_VIEWS: Final = 8
_MAX_BYTES: Final = 256 * 1024
_MARK_MS: Final = 5_000
"""How long views are kept out: longer than any reader takes from its read to its put."""
_LATE_S: Final = 1.0
"""A view that was read longer ago is not put: what kept it out may be gone."""
_MARK: Final = ""
"""The field that keeps views out; none has an empty name."""
# The views of a batch end together, with the first.
_PUT: Final = """
if redis.call('HEXISTS', KEYS[1], '') == 1 then return end
local views = redis.call('HLEN', KEYS[1])
if views < tonumber(ARGV[4]) or redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  if views == 0 then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
end
"""
_OUTDATE: Final = """
for _, key in ipairs(KEYS) do
  redis.call('DEL', key)
  redis.call('HSET', key, ARGV[1], '')
  redis.call('PEXPIRE', key, ARGV[2])
end
return #KEYS
"""
_TYPES: Final = get_type_hints(Document)


class RedisBatchCache:
    """`BatchCache` in Redis. At most 8 sets of fields a batch, at most 256 KiB each."""

    def __init__(self, gate: RedisGate, *, life_s: float) -> None:
        self._gate = gate
        self._life_ms = int(life_s * 1000)
        self._put = gate.client.register_script(_PUT)
        self._outdate = gate.client.register_script(_OUTDATE)
        self._encoder = msgspec.msgpack.Encoder()

    @property
    def usable(self) -> bool:
        """See `BatchCache`."""
        return self._gate.is_open

    async def get(self, batch_id: UUID, fields: Fields) -> BatchView | None:
        """See `BatchCache`."""
        kept: Any = await self._gate.call(
            "batch_cache_get", self._gate.client.hget(_key(batch_id), _name(fields))
        )
        if kept is None:
            return None
        try:
            batch, rows = _decoder(fields).decode(kept)
        except msgspec.MsgspecError:
            return None
        if batch.batch_id != batch_id or batch.finished_at is None:
            return None
        return view_of(batch, [Document(**dict(zip(fields, row, strict=True))) for row in rows])

    async def put(self, view: BatchView, fields: Fields, *, age_s: float = 0.0) -> None:
        """See `BatchCache`."""
        if view.batch.finished_at is None or age_s > _LATE_S or not self._gate.is_open:
            return
        rows = [[getattr(document, field) for field in fields] for document in view.documents]
        value = self._encoder.encode((view.batch, rows))
        if len(value) > _MAX_BYTES:
            return
        arguments: list[bytes | str | int] = [_name(fields), value, self._life_ms, _MAX_VIEWS]
        await self._gate.call(
            "batch_cache_put", self._put(keys=[_key(view.batch.batch_id)], args=arguments)
        )

    async def outdate(self, batch_ids: Sequence[UUID]) -> bool:
        """See `BatchCache`."""
        keys = [_key(batch_id) for batch_id in batch_ids]
        if not keys or not self._gate.is_open:
            return not keys
        script = self._outdate(keys=keys, args=[_MARK, _MARK_MS])
        return await self._gate.call("batch_cache_outdate", script) is not None


def _key(batch_id: UUID) -> str:
    return _PREFIX + batch_id.hex


def _name(fields: Fields) -> str:
    """By their names, so that another release's fields are another set."""
    return ",".join(fields)


@lru_cache(maxsize=64)
def _decoder(fields: Fields) -> Any:
    """Of a view's value: each row has exactly these fields, each in its type."""
    row = types.GenericAlias(tuple, tuple(_TYPES[field] for field in fields))
    return msgspec.msgpack.Decoder(
        types.GenericAlias(tuple, (Batch, types.GenericAlias(list, row)))
    )
