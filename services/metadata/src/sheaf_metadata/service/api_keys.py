"""API keys: recording them, and finding whose one is."""

import time
from collections import OrderedDict
from uuid import UUID

from sheaf_common import context
from sheaf_common.errors import PermissionDenied, Unauthenticated
from sheaf_metadata.domain.api_keys import ApiKey, KeyOwner, check_hash, check_key
from sheaf_metadata.ports import ApiKeys


class KeyRing:
    """Records keys and resolves them.

    Remembers a resolved key for `remember_s` seconds, so that a revocation takes effect
    within them everywhere; at most `limit` keys, the least recently used going first.
    Unknown keys are not remembered: a new key works at once.
    """

    def __init__(self, keys: ApiKeys, *, remember_s: float, limit: int) -> None:
        self._keys = keys
        self._remember_s = remember_s
        self._limit = limit
        self._known: OrderedDict[bytes, tuple[float, KeyOwner]] = OrderedDict()

    async def create(self, key: ApiKey) -> UUID:
        """Records a key; returns the id under which its hash is recorded.

        A key that is there gets the scopes that it lacks; other processes may know it without
        them for `remember_s` seconds.

        Raises:
            InvalidInput: `FIELD_INVALID`.
            PermissionDenied: `USER_MISMATCH`, a user asks for another one's key.
            SheafError: as `ApiKeys`.
        """
        check_key(key)
        if context.current_user_id() not in (None, key.user_id):
            raise PermissionDenied("USER_MISMATCH", "the key would be another user's")
        key_id = await self._keys.create(key)
        self._known.pop(key.sha256, None)
        return key_id

    async def resolve(self, sha256: bytes) -> KeyOwner:
        """The owner of a key.

        Raises:
            InvalidInput: `FIELD_INVALID`.
            Unauthenticated: `API_KEY_UNKNOWN`, `API_KEY_EXPIRED`, `API_KEY_REVOKED`.
            SheafError: as `ApiKeys`.
        """
        check_hash(sha256)
        now = time.monotonic()
        if (known := self._known.get(sha256)) is not None:
            if now < known[0]:
                self._known.move_to_end(sha256)
                return known[1]
            del self._known[sha256]
        found = await self._keys.find(sha256)
        if found is None:
            raise Unauthenticated("API_KEY_UNKNOWN", "the API key is not known")
        if found.revoked:
            raise Unauthenticated("API_KEY_REVOKED", "the API key has been revoked")
        good_s = self._remember_s
        if found.expires_in_s is not None:
            if found.expires_in_s <= 0:
                raise Unauthenticated("API_KEY_EXPIRED", "the API key has expired")
            good_s = min(good_s, found.expires_in_s)
        self._known[sha256] = (now + good_s, found.owner)
        if len(self._known) > self._limit:
            self._known.popitem(last=False)
        return found.owner
