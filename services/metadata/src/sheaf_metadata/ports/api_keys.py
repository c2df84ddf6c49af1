"""Recorded API keys, and what is remembered of them."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from sheaf_metadata.domain.api_keys import ApiKey, KeyRecord, RecordedKey


class ApiKeys(Protocol):
    """Recorded API keys."""

    async def create(self, key: ApiKey) -> UUID:
        """Records a key; returns the id under which its hash is recorded.

        One that is there gets the scopes that it lacks.

        Raises:
            InvalidInput: `FIELD_INVALID`: they would be too many.
            AlreadyExists: `API_KEY_EXISTS`: the hash is another user's, or the id another key's.
        """
        ...

    async def find(self, sha256: bytes) -> RecordedKey | None:
        """The key with that hash."""
        ...

    async def page(self, user_id: str, after: UUID | None, limit: int) -> Sequence[KeyRecord]:
        """At most so many of the user's keys, the newest first, after one of them."""
        ...

    async def revoke(self, key_id: UUID, user_id: str | None) -> tuple[KeyRecord, bytes] | None:
        """Revokes a key unless it was before; it and its hash.

        None if it is not there or someone else's; a `user_id` of None may revoke anyone's.
        """
        ...

    async def used(self, key_ids: Sequence[UUID]) -> None:
        """Writes that these keys were used now, where that is not written within the minute."""
        ...


class KeyMarks(Protocol):
    """What says to every process that it may remember a key. Never raises."""

    async def remove(self, sha256: bytes) -> bool:
        """Ends every memory of the key with that hash; says whether it is certain."""
        ...
