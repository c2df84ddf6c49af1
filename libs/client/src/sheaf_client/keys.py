"""API keys, and the calls on them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from sheaf_client.calls import Call, given


class ApiKey(msgspec.Struct, frozen=True):
    """An API key as it may be shown: its beginning, never all of it."""

    id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    rate_limit_per_s: int | None = None


class NewApiKey(ApiKey, frozen=True, kw_only=True):
    """A key that has just been made. `key` is answered here and never again; it is not shown."""

    key: str

    def __repr__(self) -> str:
        return f"NewApiKey(id={self.id!r}, name={self.name!r}, prefix={self.prefix!r})"

    def __rich_repr__(self) -> Any:
        """As `repr`."""
        yield "id", self.id
        yield "prefix", self.prefix


class ApiKeyPage(msgspec.Struct, frozen=True):
    """A page of keys."""

    keys: tuple[ApiKey, ...]
    next_cursor: str | None = None


def create_key(
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None,
    rate_limit_per_s: int | None,
) -> Call[NewApiKey]:
    """Makes a key: another at each call, so it is not repeated. ValueError for a naive time."""
    if expires_at is not None and expires_at.tzinfo is None:
        raise ValueError(f"{expires_at} has no time zone")
    body = given(
        name=name,
        scopes=list(scopes),
        expires_at=None if expires_at is None else expires_at.isoformat(),
        rate_limit_per_s=rate_limit_per_s,
    )
    decode = msgspec.json.Decoder(NewApiKey).decode
    return Call("POST", "/v1/keys", decode, body=body, repeatable=False)
