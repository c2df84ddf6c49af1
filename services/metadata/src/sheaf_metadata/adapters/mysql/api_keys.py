"""API keys by their hash."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from sheaf_common.errors import AlreadyExists
from sheaf_common.pools.database_connection import IntegrityError, SqlConnection
from sheaf_metadata.adapters.mysql.database import Database
from sheaf_metadata.adapters.mysql.errors import DUPLICATE_KEY, error_number
from sheaf_metadata.adapters.mysql.rows import aware, naive
from sheaf_metadata.domain.api_keys import ApiKey, KeyOwner, RecordedKey, widened

_INSERT: Final = text(
    "INSERT INTO api_key"
    " (id, user_id, name, prefix, sha256, scopes, created_at, expires_at) VALUES"
    " (:id, :user_id, :name, :prefix, :sha256, :scopes, UTC_TIMESTAMP(6), :expires_at)"
)
# api_key_sha256_idx.
FIND: Final = text(
    "SELECT k.id, k.user_id, k.scopes, k.expires_at, k.revoked_at IS NOT NULL AS revoked,"
    " TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), k.expires_at) AS expires_in_us"
    " FROM api_key k WHERE k.sha256 = :sha256"
)
_LOCK: Final = text("SELECT k.scopes FROM api_key k WHERE k.id = :id FOR UPDATE")
_WIDEN: Final = text("UPDATE api_key SET scopes = :scopes WHERE id = :id")


class MysqlApiKeys:
    """`ApiKeys` in MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, key: ApiKey) -> UUID:
        """See `ApiKeys`."""

        async def insert(connection: SqlConnection) -> UUID:
            await connection.execute(_INSERT, _row(key))
            return key.key_id

        try:
            return await self._database.transaction("create_api_key", insert)
        except IntegrityError as error:
            if error_number(error) != DUPLICATE_KEY:
                raise
        recorded = await self.find(key.sha256)
        if recorded is None or recorded.owner.user_id != key.user_id:
            raise AlreadyExists("API_KEY_EXISTS", "the key is another one's already")
        if not set(key.scopes) <= set(recorded.owner.scopes):
            await self._widen(recorded.owner.key_id, key.scopes)
        return recorded.owner.key_id

    async def _widen(self, key_id: UUID, scopes: tuple[str, ...]) -> None:
        """Gives a key the scopes that it lacks, also while others do."""

        async def widen(connection: SqlConnection) -> None:
            held = (await connection.execute(_LOCK, {"id": key_id.bytes})).scalar_one()
            allowed = " ".join(widened(tuple(held.split()), scopes))
            await connection.execute(_WIDEN, {"id": key_id.bytes, "scopes": allowed})

        await self._database.transaction("widen_api_key", widen)

    async def find(self, sha256: bytes) -> RecordedKey | None:
        """See `ApiKeys`."""
        async with self._database.reading("resolve_api_key") as connection:
            row = (await connection.execute(FIND, {"sha256": sha256})).one_or_none()
        if row is None:
            return None
        owner = KeyOwner(
            UUID(bytes=row.id),
            row.user_id,
            tuple(row.scopes.split()),
            None if row.expires_at is None else aware(row.expires_at),
        )
        left_us = row.expires_in_us
        return RecordedKey(owner, bool(row.revoked), None if left_us is None else left_us / 1e6)


def _row(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.key_id.bytes,
        "user_id": key.user_id,
        "name": key.name,
        "prefix": key.prefix,
        "sha256": key.sha256,
        "scopes": " ".join(key.scopes),
        "expires_at": None if key.expires_at is None else naive(key.expires_at),
    }
