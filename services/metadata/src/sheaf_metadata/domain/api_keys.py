"""API keys, known by their hash only."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NoReturn
from uuid import UUID

from sheaf_common.errors import InvalidInput
from sheaf_metadata.domain.registration import check_user

SHA256_BYTES: Final = 32
_SCOPE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:*-]{0,63}")
_PREFIX: Final = re.compile(r"[!-~]{0,16}")
_MAX_NAME: Final = 255
_MAX_SCOPES: Final = 16
_MAX_RATE_PER_S: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key to record."""

    key_id: UUID
    user_id: str
    name: str
    prefix: str
    sha256: bytes
    scopes: tuple[str, ...]
    expires_at: datetime | None
    rate_limit_per_s: int = 0


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """Whose a key is and what it allows; a rate of 0 is the gateway's default."""

    key_id: UUID
    user_id: str
    scopes: tuple[str, ...]
    expires_at: datetime | None
    rate_limit_per_s: int = 0


@dataclass(frozen=True, slots=True)
class RecordedKey:
    """A key as found by its hash; `expires_in_s` is by the database's clock, None for never."""

    owner: KeyOwner
    revoked: bool
    expires_in_s: float | None


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key as its owner sees it; times are the database's, `last_used_at` to the minute."""

    key_id: UUID
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    rate_limit_per_s: int


def check_key(key: ApiKey) -> None:
    """Raises InvalidInput: `FIELD_INVALID`, naming the first field that cannot be recorded."""
    check_user(key.user_id)
    check_hash(key.sha256)
    if len(key.name) > _MAX_NAME:
        _refuse("name", f"must have at most {_MAX_NAME} characters")
    if not _PREFIX.fullmatch(key.prefix):
        _refuse("prefix", "must be at most 16 printable ASCII characters")
    if len(key.scopes) > _MAX_SCOPES or not all(map(_SCOPE.fullmatch, key.scopes)):
        _refuse("scopes", f"must be at most {_MAX_SCOPES} names of letters, digits and . _ : * -")
    if not 0 <= key.rate_limit_per_s <= _MAX_RATE_PER_S:
        _refuse("rate_limit_per_s", f"must be 0 to {_MAX_RATE_PER_S}")


def widened(recorded: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes of a key that is recorded again: those that it has, and those that it lacks.

    Raises:
        InvalidInput: `FIELD_INVALID`: they would be too many.
    """
    scopes = tuple(dict.fromkeys((*recorded, *wanted)))
    if len(scopes) > _MAX_SCOPES:
        _refuse("scopes", f"would become {len(scopes)}, at most {_MAX_SCOPES} may be recorded")
    return scopes


def check_hash(sha256: bytes) -> None:
    """Raises InvalidInput: `FIELD_INVALID`, if it is not a SHA-256."""
    if len(sha256) != SHA256_BYTES:
        _refuse("sha256", f"must have {SHA256_BYTES} bytes")


def _refuse(field: str, problem: str) -> NoReturn:
    raise InvalidInput("FIELD_INVALID", f"{field} {problem}", evidence={"field": field})
