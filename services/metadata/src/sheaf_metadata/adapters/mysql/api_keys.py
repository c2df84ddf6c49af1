"""API keys: by their hash, and as their owner sees them."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, text

from sheaf_common.errors import AlreadyExists
from sheaf_common.pools.database_connection import IntegrityError, SqlConnection
from sheaf_metadata.adapters.mysql.database import Database
from sheaf_metadata.adapters.mysql.errors import DUPLICATE_KEY, error_number
from sheaf_metadata.adapters.mysql.rows import aware, naive
from sheaf_metadata.domain.api_keys import ApiKey, KeyOwner, KeyRecord, RecordedKey, widened

_INSERT: Final = text(
    "INSERT INTO api_key"
    " (id, user_id, name, prefix, sha256, scopes, created_at, expires_at, rate_limit_per_s) VALUES"
    " (:id, :user_id, :name, :prefix, :sha256, :scopes, UTC_TIMESTAMP(6), :expires_at, :rate)"
)
# api_key_sha256_idx.
FIND: Final = text(
    "SELECT k.id, k.user_id, k.scopes, k.expires_at, k.rate_limit_per_s,"
    " k.revoked_at IS NOT NULL AS revoked,"
    " TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), k.expires_at) AS expires_in_us"
    " FROM api_key k WHERE k.sha256 = :sha256"
)
_SHOWN: Final = (
    "k.id, k.name, k.prefix, k.scopes, k.created_at, k.expires_at, k.revoked_at, k.last_used_at,"
    " k.rate_limit_per_s"
)
# api_key_user_idx, whose entries end in the primary key: backwards, newest first, no sort.
FIRST_PAGE: Final = text(
    f"SELECT {_SHOWN} FROM api_key k WHERE k.user_id = :user_id ORDER BY k.id DESC LIMIT :limit"  # noqa: S608 - our own words
)
NEXT_PAGE: Final = text(
    f"SELECT {_SHOWN} FROM api_key k WHERE k.user_id = :user_id AND k.id < :after"  # noqa: S608 - our own words
    " ORDER BY k.id DESC LIMIT :limit"
)
# The primary key.
_OWN: Final = text(
    f"SELECT {_SHOWN}, k.user_id, k.sha256 FROM api_key k WHERE k.id = :id FOR UPDATE"  # noqa: S608 - our own words
)
_REVOKE: Final = text("UPDATE api_key SET revoked_at = UTC_TIMESTAMP(6) WHERE id = :id")
# The primary key, in ascending order.
USED: Final = text(
    "UPDATE api_key SET last_used_at = UTC_TIMESTAMP(6) WHERE id IN :ids AND"
    " (last_used_at IS NULL OR last_used_at <= UTC_TIMESTAMP(6) - INTERVAL 1 MINUTE)"
    " ORDER BY id"
).bindparams(bindparam("ids", expanding=True))
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
            row.rate_limit_per_s,
        )
        left_us = row.expires_in_us
        return RecordedKey(owner, bool(row.revoked), None if left_us is None else left_us / 1e6)

    async def page(self, user_id: str, after: UUID | None, limit: int) -> Sequence[KeyRecord]:
        """See `ApiKeys`."""
        wanted: dict[str, Any] = {"user_id": user_id, "limit": limit}
        statement = FIRST_PAGE
        if after is not None:
            statement, wanted["after"] = NEXT_PAGE, after.bytes
        async with self._database.reading("list_api_keys") as connection:
            return [_record(row) for row in await connection.execute(statement, wanted)]

    async def revoke(self, key_id: UUID, user_id: str | None) -> tuple[KeyRecord, bytes] | None:
        """See `ApiKeys`."""
        wanted = {"id": key_id.bytes}

        async def revoke(connection: SqlConnection) -> tuple[KeyRecord, bytes] | None:
            row = (await connection.execute(_OWN, wanted)).one_or_none()
            if row is None or user_id not in (None, row.user_id):
                return None
            if row.revoked_at is None:
                await connection.execute(_REVOKE, wanted)
                row = (await connection.execute(_OWN, wanted)).one()
            return _record(row), bytes(row.sha256)

        return await self._database.transaction("revoke_api_key", revoke)

    async def used(self, key_ids: Sequence[UUID]) -> None:
        """See `ApiKeys`."""
        ids = sorted(key_id.bytes for key_id in key_ids)

        async def write(connection: SqlConnection) -> None:
            await connection.execute(USED, {"ids": ids})

        await self._database.transaction("use_api_keys", write)


def _record(row: Any) -> KeyRecord:
    expires, revoked, used = (
        None if moment is None else aware(moment)
        for moment in (row.expires_at, row.revoked_at, row.last_used_at)
    )
    return KeyRecord(
        UUID(bytes=bytes(row.id)),
        row.name,
        row.prefix,
        tuple(row.scopes.split()),
        aware(row.created_at),
        expires,
        revoked,
        used,
        row.rate_limit_per_s,
    )


def _row(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.key_id.bytes,
        "user_id": key.user_id,
        "name": key.name,
        "prefix": key.prefix,
        "sha256": key.sha256,
        "scopes": " ".join(key.scopes),
        "expires_at": None if key.expires_at is None else naive(key.expires_at),
        "rate": key.rate_limit_per_s,
    }
