"""Documents as whole rows in Redis, each with its row version.

A value is `VERSION:ROW`; with an empty row it only keeps older rows out. One script writes
them, and never over a newer version.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from sheaf_common.pools.redis_gate import RedisGate
from sheaf_metadata.domain.documents import Document

_PREFIX: Final = "sheaf:document:1:"
"""The number is that of the row's shape: raise it when a field changes its meaning."""
_MARK_MS: Final = 5_000
"""How long older rows are kept out: longer than any reader takes from its read to its put."""
_LATE_S: Final = 1.0
"""A row that was read longer ago is not put: what kept it out may be gone."""
_PUT: Final = """
for i, key in ipairs(KEYS) do
  local version = tonumber(ARGV[3 * i - 2])
  local kept = redis.call('GETRANGE', key, 0, 20)
  local kept_version = tonumber(string.match(kept, '^(%d+):') or '-1')
  local mark = ARGV[3 * i] == ''
  if version > kept_version or (version == kept_version and not mark) then
    redis.call('SET', key, ARGV[3 * i - 2] .. ':' .. ARGV[3 * i], 'PX', ARGV[3 * i - 1])
  end
end
return #KEYS
"""


class RedisDocumentCache:
    """`DocumentCache` in Redis."""

    def __init__(self, gate: RedisGate, *, terminal_s: float, active_s: float) -> None:
        self._gate = gate
        self._terminal_ms = int(terminal_s * 1000)
        self._active_ms = int(active_s * 1000)
        self._put = gate.client.register_script(_PUT)
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Document)

    @property
    def usable(self) -> bool:
        """See `DocumentCache`."""
        return self._gate.is_open

    async def get(self, document_id: UUID) -> Document | None:
        """See `DocumentCache`."""
        kept: Any = await self._gate.call("cache_get", self._gate.client.get(_key(document_id)))
        if kept is None:
            return None
        _, _, row = bytes(kept).partition(b":")
        if not row:
            return None
        try:
            found = self._decoder.decode(row)
        except msgspec.MsgspecError:
            return None
        return found if found.document_id == document_id else None

    async def put(self, documents: Sequence[Document], *, age_s: float = 0.0) -> None:
        """See `DocumentCache`."""
        if age_s > _LATE_S or not documents or not self._gate.is_open:
            return
        keys: list[str] = []
        arguments: list[bytes | int] = []
        for document in documents:
            ended = document.status is not None and document.status.terminal
            life_ms = self._terminal_ms if ended else self._active_ms - int(age_s * 1000)
            if life_ms > 0:
                keys.append(_key(document.document_id))
                arguments += [document.row_version, life_ms, self._encoder.encode(document)]
        await self._run("cache_put", keys, arguments)

    async def outdate(self, versions: Sequence[tuple[UUID, int]]) -> bool:
        """See `DocumentCache`."""
        keys = [_key(document_id) for document_id, _ in versions]
        arguments: list[bytes | int] = []
        for _, version in versions:
            arguments += [version, _MARK_MS, b""]
        return await self._run("cache_outdate", keys, arguments)

    async def _run(self, operation: str, keys: list[str], arguments: list[bytes | int]) -> bool:
        """Whether Redis did it."""
        if not keys or not self._gate.is_open:
            return not keys
        return await self._gate.call(operation, self._put(keys=keys, args=arguments)) is not None


def _key(document_id: UUID) -> str:
    return _PREFIX + document_id.hex
