"""Small fakes of the gateway's ports for API keys, kept in memory."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from uuid import UUID

from sheaf_common import context
from sheaf_common.errors import InvalidInput, NotFound
from sheaf_gateway.api_keys import KeyPage, NewKey, RecordedKey
from sheaf_gateway.ports.api_keys import Taken
from sheaf_gateway.rates import Rate, spend


@dataclass
class FakeSharedKeys:
    """The SharedKeys port in memory; says nothing unless it `answers`."""

    clock: Callable[[], float] = monotonic
    answers: bool = True
    marks: dict[bytes, str] = field(default_factory=dict)
    _whole_at: dict[bytes, float] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def mark(self, sha256: bytes) -> str | None:
        """The mark that stands."""
        if not self.answers:
            return None
        return self.marks.setdefault(sha256, f"mark {next(self._numbers)}")

    async def take(self, sha256: bytes, rate: Rate, mark: str | None) -> Taken | None:
        """Counts a request."""
        stands = await self.mark(sha256)
        if stands is None:
            return None
        if mark not in (None, stands):
            return Taken(stands, None)
        whole_at = self._whole_at.get(sha256, 0.0)
        self._whole_at[sha256], allowance = spend(whole_at, self.clock(), rate)
        return Taken(stands, allowance)


@dataclass
class FakeKeys:
    """The Keys port in memory."""

    keys: dict[UUID, tuple[NewKey, RecordedKey]] = field(default_factory=dict)
    revoked: set[UUID] = field(default_factory=set)

    async def create(self, key: NewKey) -> None:
        """Records it."""
        recorded = RecordedKey(
            str(key.key_id),
            key.name,
            key.prefix,
            key.scopes,
            datetime.now(UTC),
            key.expires_at,
            None,
            None,
            key.rate_limit_per_s,
        )
        self.keys[key.key_id] = (key, recorded)

    async def page(self, *, limit: int, cursor: str) -> KeyPage:
        """All of the user's on one page."""
        if cursor:
            raise InvalidInput("CURSOR_INVALID", "there is one page", evidence={"field": "cursor"})
        own = [
            recorded
            for new, recorded in reversed(self.keys.values())
            if new.user_id == context.current_user_id()
        ]
        return KeyPage(tuple(own[:limit]), "")

    async def revoke(self, key_id: UUID) -> None:
        """Remembers it."""
        new, _ = self.keys.get(key_id, (None, None))
        if new is None or new.user_id != context.current_user_id():
            raise NotFound("API_KEY_NOT_FOUND", "no such key")
        self.revoked.add(key_id)
