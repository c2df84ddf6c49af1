"""API keys of a user: made, listed and revoked by the user."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sheaf_common.errors import InternalError
from sheaf_common.ids import new_id
from sheaf_gateway.api_keys import (
    KeyPage,
    KeyWish,
    NewKey,
    RecordedKey,
    check_wish,
    random_key,
)
from sheaf_gateway.domain.access import KeyOwner
from sheaf_gateway.ports.api_keys import Keys
from sheaf_gateway.service.authentication import Authenticator

_NEWEST: Final = 200


class KeyService:
    """The use cases behind `/v1/keys`."""

    def __init__(self, keys: Keys, authenticator: Authenticator, default_per_s: int) -> None:
        self._keys = keys
        self._authenticator = authenticator
        self._default_per_s = default_per_s

    async def create(self, wish: KeyWish, owner: KeyOwner) -> tuple[RecordedKey, str]:
        """Makes a key for the user of the key `owner`; it as it is recorded, and the key itself.

        It gets no more than that key has; without a rate of its own it gets that key's.

        Raises:
            InvalidInput: `FIELD_INVALID`, naming the field.
            PermissionDenied: `SCOPE_MISSING`, `RATE_LIMIT_TOO_HIGH`.
        """
        check_wish(wish, owner, datetime.now(UTC), self._default_per_s)
        key, prefix, sha256 = random_key()
        rate_per_s = wish.rate_limit_per_s or owner.rate_limit_per_s
        new = NewKey(
            new_id(),
            owner.user_id,
            wish.name,
            prefix,
            sha256,
            wish.scopes,
            wish.expires_at,
            rate_per_s,
        )
        await self._keys.create(new)
        self._authenticator.forget(sha256)
        return await self._recorded(str(new.key_id)), key

    async def _recorded(self, key_id: str) -> RecordedKey:
        """A key that was recorded just now, so among the newest."""
        page = await self._keys.page(limit=_NEWEST, cursor="")
        for key in page.keys:
            if key.key_id == key_id:
                return key
        raise InternalError

    async def page(self, *, limit: int, cursor: str) -> KeyPage:
        """A page of the user's keys, ended ones included. Raises InvalidInput `CURSOR_INVALID`."""
        return await self._keys.page(limit=limit, cursor=cursor)

    async def revoke(self, key_id: UUID) -> None:
        """Revokes a key; when this returns, no gateway lets it in. Raises NotFound."""
        await self._keys.revoke(key_id)
