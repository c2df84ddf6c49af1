"""API keys: recording them, finding whose one is, listing and revoking them."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from sheaf_common import context
from sheaf_common.errors import NotFound, PermissionDenied, Unauthenticated
from sheaf_metadata.domain.api_keys import ApiKey, KeyOwner, KeyRecord, check_hash, check_key
from sheaf_metadata.domain.key_pages import cut_page, decode_cursor, page_size_of
from sheaf_metadata.domain.registration import check_user
from sheaf_metadata.ports.api_keys import ApiKeys, KeyMarks
from sheaf_metadata.service.key_use import KeyUse

log = structlog.get_logger()

_AGAIN_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Records keys, resolves and revokes them.

    Nothing is remembered here: every answer is the database's. Gateways remember owners for at
    most `remembered_s` seconds, while a key's mark in Redis stands (ADR 0024).
    """

    keys: ApiKeys
    marks: KeyMarks
    use: KeyUse
    remembered_s: float

    async def create(self, key: ApiKey) -> UUID:
        """Records a key; returns the id under which its hash is recorded.

        A key that is there gets the scopes that it lacks; where Redis does not answer, gateways
        may know it without them for as long as they remember.

        Raises:
            InvalidInput: `FIELD_INVALID`.
            PermissionDenied: `USER_MISMATCH`, a user asks for another one's key.
            SheafError: as `ApiKeys`.
        """
        check_key(key)
        if context.current_user_id() not in (None, key.user_id):
            raise PermissionDenied("USER_MISMATCH", "the key would be another user's")
        key_id = await self.keys.create(key)
        await self.marks.remove(key.sha256)
        return key_id

    async def resolve(self, sha256: bytes) -> KeyOwner:
        """The owner of a key, as it is recorded now.

        Raises:
            InvalidInput: `FIELD_INVALID`.
            Unauthenticated: `API_KEY_UNKNOWN`, `API_KEY_EXPIRED`, `API_KEY_REVOKED`.
            SheafError: as `ApiKeys`.
        """
        check_hash(sha256)
        found = await self.keys.find(sha256)
        if found is None:
            raise Unauthenticated("API_KEY_UNKNOWN", "the API key is not known")
        if found.revoked:
            raise Unauthenticated("API_KEY_REVOKED", "the API key has been revoked")
        if found.expires_in_s is not None and found.expires_in_s <= 0:
            raise Unauthenticated("API_KEY_EXPIRED", "the API key has expired")
        self.use.note(found.owner.key_id)
        return found.owner

    async def page(self, page_size: int, page_token: str) -> tuple[Sequence[KeyRecord], str]:
        """A page of the user's keys, the newest first, and the token of the next, if any.

        Raises:
            InvalidInput: `USER_MISSING`, `CURSOR_INVALID`, `FIELD_INVALID`.
        """
        user_id = context.current_user_id() or ""
        check_user(user_id)
        size = page_size_of(page_size)
        found = await self.keys.page(user_id, decode_cursor(page_token), size + 1)
        return cut_page(found, size)

    async def revoke(self, key_id: UUID) -> KeyRecord:
        """Revokes a key; when this returns, nobody lets it in any more.

        That takes as long as gateways remember, if Redis does not answer. Without a user it is an
        internal call, which may revoke anyone's. A key that was revoked before is answered as it
        is, once that is in force.

        Raises:
            NotFound: `API_KEY_NOT_FOUND`.
            SheafError: as `ApiKeys`.
        """
        revoked = await self.keys.revoke(key_id, context.current_user_id())
        if revoked is None:
            raise NotFound("API_KEY_NOT_FOUND", f"there is no API key {key_id}")
        key, sha256 = revoked
        until = time.monotonic() + self.remembered_s
        while not await self.marks.remove(sha256):
            if time.monotonic() >= until:
                log.warning("redis did not hear of a revocation: waited", key_id=str(key_id))
                break
            await asyncio.sleep(_AGAIN_S)
        log.info("api key revoked", key_id=str(key_id))
        return key
