"""Idempotency keys in MySQL: one row each, by primary key, completed with what it registers."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from sqlalchemy import text

from sheaf_common.errors import Conflict
from sheaf_common.pools.database_connection import IntegrityError, SqlConnection
from sheaf_metadata.adapters.mysql.database import Database
from sheaf_metadata.adapters.mysql.errors import DUPLICATE_KEY, error_number
from sheaf_metadata.domain.idempotency import (
    HeldKey,
    KeyAnswer,
    KeyOutcome,
    in_flight,
    key_lost,
)

_LEASE: Final = "UTC_TIMESTAMP(6) + INTERVAL :lease_us MICROSECOND"
_LIFE: Final = "UTC_TIMESTAMP(6) + INTERVAL :life_s SECOND"
_INSERT: Final = text(
    "INSERT INTO idempotency_key"  # noqa: S608 - our own words
    " (user_id, idempotency_key, holder_id, lease_expires_at, created_at, expires_at) VALUES"
    f" (:user_id, :key, :holder_id, {_LEASE}, UTC_TIMESTAMP(6), {_LIFE})"
)
# PRIMARY, all of them.
FIND: Final = text(
    "SELECT k.holder_id, k.fingerprint, k.answer, k.registered,"
    " TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), k.lease_expires_at) AS lease_left_us,"
    " TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), k.expires_at) AS life_left_us"
    " FROM idempotency_key k WHERE k.user_id = :user_id AND k.idempotency_key = :key FOR UPDATE"
)
TAKE_OVER: Final = text(
    f"UPDATE idempotency_key SET holder_id = :holder_id, lease_expires_at = {_LEASE},"  # noqa: S608 - our own words
    " fingerprint = NULL, answer = NULL, registered = NULL,"
    f" created_at = UTC_TIMESTAMP(6), expires_at = {_LIFE}"
    " WHERE user_id = :user_id AND idempotency_key = :key"
)
_HELD: Final = (
    "WHERE user_id = :user_id AND idempotency_key = :key AND holder_id = :holder_id"
    " AND fingerprint IS NULL"
)
RENEW: Final = text(
    f"UPDATE idempotency_key SET lease_expires_at = {_LEASE} {_HELD}"  # noqa: S608 - our own words
)
ABANDON: Final = text(f"DELETE FROM idempotency_key {_HELD}")  # noqa: S608 - our own words
COMPLETE: Final = text(
    "UPDATE idempotency_key SET fingerprint = :fingerprint, answer = :answer,"  # noqa: S608 - our own words
    f" registered = :registered {_HELD}"
)
ANSWERED: Final = text(
    "SELECT k.registered FROM idempotency_key k WHERE k.user_id = :user_id"
    " AND k.idempotency_key = :key AND k.holder_id = :holder_id AND k.fingerprint IS NOT NULL"
)
# idempotency_expiry_idx, from its beginning. What is begun anew meanwhile is passed over.
PRUNE: Final = text(
    "DELETE FROM idempotency_key WHERE expires_at <= UTC_TIMESTAMP(6)"
    " AND lease_expires_at <= UTC_TIMESTAMP(6) ORDER BY expires_at LIMIT :limit"
)
_TRIES: Final = 3


class _Taken(Exception):
    """The key has a record."""


class _Gone(Exception):
    """It has none any longer."""


class MysqlIdempotencyKeys:
    """`IdempotencyKeys` in MySQL; each record is kept `life_s` from its beginning."""

    def __init__(self, database: Database, *, life_s: int) -> None:
        self._database = database
        self._life_s = life_s

    async def begin(self, held: HeldKey, lease_ttl_s: float) -> KeyAnswer | None:
        """See `IdempotencyKeys`. A new key costs one statement."""
        parameters = {
            **_parameters(held), "lease_us": int(lease_ttl_s * 1e6), "life_s": self._life_s
        }  # fmt: skip

        async def insert(connection: SqlConnection) -> None:
            await _insert(connection, parameters)

        async def find(connection: SqlConnection) -> KeyAnswer | None:
            found = await _found(connection, held)
            if found is None:
                await connection.execute(TAKE_OVER, parameters)
            return found

        for _ in range(_TRIES):
            try:
                # A transaction of its own each: what a failed insert has locked is let go.
                return await self._database.transaction("begin_idempotent", insert)
            except _Taken:
                pass
            try:
                return await self._database.transaction("begin_idempotent_again", find)
            except _Gone:
                continue
        raise Conflict("LOCK_CONFLICT", "others begin and end with the same idempotency key")

    async def renew(self, held: HeldKey, lease_ttl_s: float) -> None:
        """See `IdempotencyKeys`."""

        async def renew(connection: SqlConnection) -> None:
            parameters = {**_parameters(held), "lease_us": int(lease_ttl_s * 1e6)}
            if (await connection.execute(RENEW, parameters)).rowcount != 1:
                raise key_lost()

        await self._database.transaction("renew_idempotent", renew)

    async def abandon(self, held: HeldKey) -> None:
        """See `IdempotencyKeys`."""

        async def abandon(connection: SqlConnection) -> None:
            await connection.execute(ABANDON, _parameters(held))

        await self._database.transaction("abandon_idempotent", abandon)

    async def prune(self, limit: int) -> int:
        """See `IdempotencyKeys`. One short transaction."""

        async def prune(connection: SqlConnection) -> int:
            return int((await connection.execute(PRUNE, {"limit": limit})).rowcount)

        return await self._database.transaction("prune_idempotent", prune)


async def _insert(connection: SqlConnection, parameters: Mapping[str, object]) -> None:
    """Raises _Taken."""
    try:
        await connection.execute(_INSERT, parameters)
    except IntegrityError as error:
        if error_number(error) == DUPLICATE_KEY:
            raise _Taken from error
        raise


async def _found(connection: SqlConnection, held: HeldKey) -> KeyAnswer | None:
    """What the work has ended with; None if the holder may begin, the row being locked.

    Raises:
        Conflict: as `begin`. _Gone: there is no record.
    """
    row = (await connection.execute(FIND, _parameters(held))).one_or_none()
    if row is None:
        raise _Gone
    has_expired = row.life_left_us <= 0 and row.lease_left_us <= 0
    if row.fingerprint is not None and not has_expired:
        return KeyAnswer(bytes(row.fingerprint), bytes(row.answer), bytes(row.registered))
    is_other = UUID(bytes=bytes(row.holder_id)) != held.holder_id
    if is_other and row.lease_left_us > 0:
        raise in_flight(row.lease_left_us / 1e6)
    return None


async def complete(connection: SqlConnection, outcome: KeyOutcome, registered: bytes) -> None:
    """Ends the work on a key, in the transaction that registers what it was for.

    Raises:
        Conflict: `IDEMPOTENCY_KEY_LOST`; the transaction must not be committed.
    """
    parameters = {
        **_parameters(outcome.held),
        "fingerprint": outcome.fingerprint,
        "answer": outcome.answer,
        "registered": registered,
    }
    if (await connection.execute(COMPLETE, parameters)).rowcount != 1:
        raise key_lost()


async def answered(database: Database, held: HeldKey) -> bytes | None:
    """What was kept of what this holder registered; None if it has registered nothing."""
    async with database.reading("register_batch_again") as connection:
        row = (await connection.execute(ANSWERED, _parameters(held))).one_or_none()
    return None if row is None else bytes(row.registered)


def _parameters(held: HeldKey) -> dict[str, object]:
    return {"user_id": held.user_id, "key": held.key, "holder_id": held.holder_id.bytes}
