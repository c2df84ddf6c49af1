"""Who a key's user is, and what the key allows."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Scope(StrEnum):
    """What an API key may allow."""

    READ = "documents:read"
    WRITE = "documents:write"
    OPS = "ops"
    KEYS = "keys"


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """The user behind an API key and what the key allows; `expires_at` None means never.

    A `rate_limit_per_s` of 0 is the default.
    """

    user_id: str
    scopes: frozenset[str]
    expires_at: datetime | None = None
    rate_limit_per_s: int = 0
