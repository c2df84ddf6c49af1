"""API keys: whose they are, what all gateways know of them, and keeping them."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sheaf_gateway.api_keys import KeyPage, NewKey
from sheaf_gateway.domain.access import KeyOwner
from sheaf_gateway.rates import Allowance, Rate


class KeyDirectory(Protocol):
    """Knows whose an API key is."""

    async def resolve(self, sha256: bytes) -> KeyOwner:
        """The owner of the key with that hash. Raises Unauthenticated."""
        ...


@dataclass(frozen=True, slots=True)
class Taken:
    """A key's mark as it stands; `allowance` is None if another one was expected."""

    mark: str
    allowance: Allowance | None


class SharedKeys(Protocol):
    """What all gateways know of a key, by its hash. Never raises; None is: not known now."""

    async def mark(self, sha256: bytes) -> str | None:
        """The mark that stands until the key changes; made now if there is none."""
        ...

    async def take(self, sha256: bytes, rate: Rate, mark: str | None) -> Taken | None:
        """Counts one request if that mark stands; whichever does, if none is given."""
        ...


class Keys(Protocol):
    """Keeps API keys. Acts for the current request's user."""

    async def create(self, key: NewKey) -> None:
        """Records a key."""
        ...

    async def page(self, *, limit: int, cursor: str) -> KeyPage:
        """A page of keys, the newest first. Raises InvalidInput `CURSOR_INVALID`."""
        ...

    async def revoke(self, key_id: UUID) -> None:
        """Revokes a key, at once in force everywhere. Raises NotFound `API_KEY_NOT_FOUND`."""
        ...
