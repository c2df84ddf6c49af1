"""API keys as their owners see them, and how a new one is made."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sheaf_common.errors import InvalidInput, PermissionDenied
from sheaf_gateway.domain.access import KeyOwner, Scope

_RANDOM_BYTES: Final = 32
_SHOWN_CHARACTERS: Final = 10
NAME_MAX_CHARACTERS: Final = 100
RATE_MAX_PER_S: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class KeyWish:
    """What is asked of a new key; None stands for never, and for the rate of the key that asks."""

    name: str
    scopes: tuple[str, ...]
    expires_at: datetime | None
    rate_limit_per_s: int | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to record, without the key itself; a rate of 0 is the default."""

    key_id: UUID
    user_id: str
    name: str
    prefix: str
    sha256: bytes
    scopes: tuple[str, ...]
    expires_at: datetime | None
    rate_limit_per_s: int


@dataclass(frozen=True, slots=True)
class RecordedKey:
    """A key as it is recorded; a rate of 0 is the default."""

    key_id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    rate_limit_per_s: int


@dataclass(frozen=True, slots=True)
class KeyPage:
    """A page of a user's keys, the newest first; `next_cursor` is empty on the last."""

    keys: tuple[RecordedKey, ...]
    next_cursor: str


def random_key() -> tuple[str, str, bytes]:
    """A new key: 256 random bits after `sk_`; what is shown of it, and its SHA-256.

    Nobody can guess such a key, so a plain hash keeps it as well as a slow one would.
    """
    key = f"sk_{secrets.token_urlsafe(_RANDOM_BYTES)}"
    return key, key[:_SHOWN_CHARACTERS], hashlib.sha256(key.encode("ascii")).digest()


def check_wish(wish: KeyWish, owner: KeyOwner, now: datetime, default_per_s: int) -> None:
    """Checks that the key of `owner` may give what is wished.

    Raises:
        InvalidInput: `FIELD_INVALID`, naming the field.
        PermissionDenied: `SCOPE_MISSING`, naming the scope; `RATE_LIMIT_TOO_HIGH`.
    """
    if not 1 <= len(wish.name) <= NAME_MAX_CHARACTERS or not wish.name.isprintable():
        _refuse("name", f"must be 1 to {NAME_MAX_CHARACTERS} printable characters")
    known = {scope.value for scope in Scope}
    if not wish.scopes or not known.issuperset(wish.scopes):
        _refuse("scopes", f"must be some of {', '.join(sorted(known))}")
    if len(set(wish.scopes)) != len(wish.scopes):
        _refuse("scopes", "must name each scope once")
    if wish.expires_at is not None and wish.expires_at <= now:
        _refuse("expires_at", "must be in the future")
    for scope in wish.scopes:
        if scope not in owner.scopes:
            raise PermissionDenied(
                "SCOPE_MISSING",
                f"the API key cannot give {scope}: it lacks it",
                evidence={"scope": scope},
            )
    own_per_s = owner.rate_limit_per_s or default_per_s
    if wish.rate_limit_per_s is not None and wish.rate_limit_per_s > own_per_s:
        raise PermissionDenied(
            "RATE_LIMIT_TOO_HIGH",
            f"the API key can give at most its own rate, {own_per_s} requests a second",
            evidence={"field": "rate_limit_per_s", "limit_per_s": str(own_per_s)},
        )


def _refuse(field: str, problem: str) -> None:
    raise InvalidInput("FIELD_INVALID", f"{field} {problem}", evidence={"field": field})
