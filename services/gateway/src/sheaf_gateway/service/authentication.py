"""Whose request it is, and whether its key may make one more: API keys, known by their hash."""

import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog

from sheaf_common.errors import OverCapacity, PermissionDenied, Unauthenticated
from sheaf_gateway import metrics
from sheaf_gateway.domain.access import KeyOwner, Scope
from sheaf_gateway.ports.api_keys import KeyDirectory, SharedKeys, Taken
from sheaf_gateway.rates import Allowance, Rate
from sheaf_gateway.service.limiting import LocalLimiter

log = structlog.get_logger()

_KEY: Final = re.compile(r"sk_[A-Za-z0-9_\-]{8,125}")
_CACHE_SIZE: Final = 10_000
_UNKNOWN_S: Final = 1.0
_ENDED_S: Final = 60.0
_STRANGERS: Final = b"strangers"


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """How long an owner is remembered, and the rates.

    `stranger_rate` is that of keys which this process has not seen to be good: their look-ups.
    """

    remember_s: float
    default_per_s: int
    window_s: int
    stranger_rate: Rate

    def rate_of(self, owner: KeyOwner) -> Rate:
        """The rate of a key."""
        return Rate.of(owner.rate_limit_per_s or self.default_per_s, self.window_s)


@dataclass(frozen=True, slots=True)
class Entrance:
    """A request with a good key: whose, at which rate, and what it has left of it."""

    owner: KeyOwner
    rate: Rate
    allowance: Allowance


@dataclass(frozen=True, slots=True)
class _Known:
    owner: KeyOwner
    mark: str
    until: float


class Authenticator:
    """Resolves keys and counts their requests.

    An owner is remembered for at most `remember_s` seconds, counted from before it was asked
    for, and used only while Redis says in the same call that counts the request that the key's
    mark stands: so a key that was revoked is refused at once, wherever that was done (ADR 0024).
    Without Redis every request asks the directory, and each process counts by itself.

    A refused key is remembered as well: an unknown one for a second, one that has ended for a
    minute. Look-ups of keys that were never seen to be good are limited all together.
    """

    def __init__(
        self,
        directory: KeyDirectory,
        shared: SharedKeys,
        settings: AuthSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._shared = shared
        self._settings = settings
        self._clock = clock
        self._local = LocalLimiter(clock)
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._refused: OrderedDict[bytes, tuple[Unauthenticated, float]] = OrderedDict()
        self._is_alone = False

    async def authenticate(self, authorization: str | None, api_key: str | None) -> Entrance:
        """The owner of the key in `Authorization: Bearer` or else `X-API-Key`, and its allowance.

        Raises:
            Unauthenticated: `API_KEY_MISSING`, `API_KEY_MALFORMED`, `API_KEY_UNKNOWN`,
                `API_KEY_EXPIRED`, `API_KEY_REVOKED`.
            OverCapacity: `UNKNOWN_KEYS_LIMITED`.
        """
        sha256 = hashlib.sha256(_presented(authorization, api_key).encode("ascii")).digest()
        now = self._clock()
        known = self._known.get(sha256)
        if known is not None and now < known.until:
            owner = self._unexpired(known.owner)
            rate = self._settings.rate_of(owner)
            taken = await self._shared.take(sha256, rate, known.mark)
            if taken is not None and taken.allowance is not None:
                return self._counted(owner, rate, sha256, taken)
            mark = None if taken is None else taken.mark
        else:
            self._check_refused(sha256, now)
            mark = await self._shared.mark(sha256)
        owner = await self._resolve(sha256, known is None)
        if mark is not None:
            self._remember(sha256, _Known(owner, mark, now + self._settings.remember_s))
        rate = self._settings.rate_of(owner)
        return self._counted(owner, rate, sha256, await self._shared.take(sha256, rate, None))

    def forget(self, sha256: bytes) -> None:
        """Forgets that a key was refused: it is recorded now."""
        self._refused.pop(sha256, None)

    async def _resolve(self, sha256: bytes, is_stranger: bool) -> KeyOwner:  # noqa: FBT001 - a fact
        rate = self._settings.stranger_rate
        if is_stranger:
            allowance = self._local.take(_STRANGERS, rate)
            if not allowance.allowed:
                raise OverCapacity(
                    "UNKNOWN_KEYS_LIMITED",
                    "too many requests come with keys that are not known here",
                    retry_after_s=allowance.retry_after_s,
                )
        try:
            owner = self._unexpired(await self._directory.resolve(sha256))
        except Unauthenticated as error:
            self._known.pop(sha256, None)
            self._refuse(sha256, error)
            raise
        if is_stranger:
            self._local.give_back(_STRANGERS, rate)
        return owner

    def _counted(self, owner: KeyOwner, rate: Rate, sha256: bytes, taken: Taken | None) -> Entrance:
        """What is left, as Redis has counted it; where it has not, as this process does."""
        if (taken is None) is not self._is_alone:
            self._is_alone = taken is None
            log.warning("requests are counted", by="this process" if taken is None else "redis")
        if taken is None or taken.allowance is None:
            allowance, by = self._local.take(sha256, rate), "process"
        else:
            allowance, by = taken.allowance, "redis"
        metrics.RATE_LIMITED.labels(by, "allowed" if allowance.allowed else "refused").inc()
        return Entrance(owner, rate, allowance)

    def _remember(self, sha256: bytes, known: _Known) -> None:
        self._known[sha256] = known
        self._known.move_to_end(sha256)
        if len(self._known) > _CACHE_SIZE:
            self._known.popitem(last=False)

    def _check_refused(self, sha256: bytes, now: float) -> None:
        refused = self._refused.get(sha256)
        if refused is not None and now < refused[1]:
            error = refused[0]
            raise Unauthenticated(error.reason, error.message, evidence=error.evidence)

    def _refuse(self, sha256: bytes, error: Unauthenticated) -> None:
        """Remembers a refusal. What has ended does not begin again."""
        lasts_s = _UNKNOWN_S if error.reason == "API_KEY_UNKNOWN" else _ENDED_S
        self._refused[sha256] = (error, self._clock() + lasts_s)
        self._refused.move_to_end(sha256)
        if len(self._refused) > _CACHE_SIZE:
            self._refused.popitem(last=False)

    def _unexpired(self, owner: KeyOwner) -> KeyOwner:
        if owner.expires_at is not None and owner.expires_at <= datetime.now(UTC):
            raise Unauthenticated("API_KEY_EXPIRED", "the API key has expired")
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
