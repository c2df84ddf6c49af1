"""Whose request it is: API keys, resolved by their hash."""

import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from sheaf_common.errors import PermissionDenied, Unauthenticated
from sheaf_gateway.domain import KeyOwner, Scope
from sheaf_gateway.ports import KeyDirectory

_KEY: Final = re.compile(r"sk_[A-Za-z0-9_\-]{8,125}")
_CACHE_SIZE: Final = 10_000


class Authenticator:
    """Resolves keys; remembers an owner for at most `cache_s` seconds."""

    def __init__(
        self,
        directory: KeyDirectory,
        cache_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._cache_s = cache_s
        self._clock = clock
        self._owners: OrderedDict[bytes, tuple[KeyOwner, float]] = OrderedDict()

    async def authenticate(self, authorization: str | None, api_key: str | None) -> KeyOwner:
        """The owner of the key in `Authorization: Bearer` or else `X-API-Key`.

        Raises:
            Unauthenticated: `API_KEY_MISSING`, `API_KEY_MALFORMED`, `API_KEY_UNKNOWN`,
                `API_KEY_EXPIRED`, `API_KEY_REVOKED`.
        """
        sha256 = hashlib.sha256(_presented(authorization, api_key).encode("ascii")).digest()
        now = self._clock()
        cached = self._owners.get(sha256)
        if cached is not None and now < cached[1]:
            return _unexpired(cached[0])
        owner = _unexpired(await self._directory.resolve(sha256))
        self._owners[sha256] = (owner, now + self._cache_s)
        self._owners.move_to_end(sha256)
        if len(self._owners) > _CACHE_SIZE:
            self._owners.popitem(last=False)
        return owner


def require(owner: KeyOwner, scope: Scope) -> None:
    """Checks that the key allows `scope`.

    Raises:
        PermissionDenied: `SCOPE_MISSING`.
    """
    if scope.value not in owner.scopes:
        raise PermissionDenied(
            "SCOPE_MISSING", f"the API key lacks {scope.value}", evidence={"scope": scope.value}
        )


def _presented(authorization: str | None, api_key: str | None) -> str:
    if authorization is not None:
        scheme, _, credentials = authorization.strip().partition(" ")
        key = credentials.strip() if scheme.lower() == "bearer" else ""
    elif api_key is not None:
        key = api_key.strip()
    else:
        raise Unauthenticated(
            "API_KEY_MISSING", "send an API key: Authorization: Bearer sk_… or X-API-Key: sk_…"
        )
    if _KEY.fullmatch(key) is None:
        raise Unauthenticated("API_KEY_MALFORMED", "the API key is not of the form sk_…")
    return key


def _unexpired(owner: KeyOwner) -> KeyOwner:
    if owner.expires_at is not None and owner.expires_at <= datetime.now(UTC):
        raise Unauthenticated("API_KEY_EXPIRED", "the API key has expired")
    return owner
