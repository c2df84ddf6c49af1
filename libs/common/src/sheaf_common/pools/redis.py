"""The process-wide Redis client.

Redis is a cache and a hint bus here: with it down everything still works, slower. So its
time limits are short: a dead Redis must cost milliseconds, not a request's budget. The
roll-back switch `REDIS_CLIENT_MODE=per_call` makes a client for each call, as before.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Final, Literal

from pydantic import SecretStr, field_validator

import sheaf_common.pools.redis_library  # noqa: F401 - before redis-py

# isort: split
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from sheaf_common.pools.redis_connections import BoundedConnectionPool
from sheaf_common.settings import Rollback, SettingsGroup, variable
from sheaf_common.telemetry.pools import pool_metrics

_FIRST_BACKOFF_S: Final = 0.010
_BACKOFF_LIMIT_S: Final = 0.100
_CONNECTIONS_BEFORE: Final = 100


class RedisSettings(SettingsGroup):
    """Where Redis is, and the bounds of its pool."""

    rollback: ClassVar = Rollback(
        "client_mode", "per_call", {"max_connections": _CONNECTIONS_BEFORE}
    )

    url: SecretStr = variable("REDIS_URL", ..., "redis://host:port/database")
    client_mode: Literal["pooled", "per_call"] = variable(
        "REDIS_CLIENT_MODE", "pooled", "per_call: as before, a new client for each call"
    )
    max_connections: int = variable(
        "REDIS_MAX_CONNECTIONS", 200, "connections of this process", ge=1, le=10_000
    )
    retry_attempts: int = variable(
        "REDIS_RETRY_ATTEMPTS", 2, "retries on connection errors and timeouts", ge=0, le=10
    )
    socket_timeout_s: float = variable("REDIS_SOCKET_TIMEOUT_S", 0.5, "seconds", gt=0, le=60)
    pool_timeout_s: float = variable(
        "REDIS_POOL_TIMEOUT_S", 0.5, "seconds to wait for a connection", gt=0, le=60
    )
    health_check_interval_s: int = variable(
        "REDIS_HEALTH_CHECK_INTERVAL_S", 30, "seconds of rest before a check", ge=0, le=3600
    )

    @field_validator("url")
    @classmethod
    def _is_redis(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("is not redis://host:port/database")
        return url


@asynccontextmanager
async def redis_client(settings: RedisSettings) -> AsyncIterator[Redis]:
    """The client for the block, with the metrics of its pool; it connects on first use."""

    def new_pool() -> BoundedConnectionPool:
        return BoundedConnectionPool.from_url(
            settings.url.get_secret_value(),
            max_connections=settings.max_connections,
            timeout=settings.pool_timeout_s,
            socket_timeout=settings.socket_timeout_s,
            socket_connect_timeout=settings.socket_timeout_s,
            socket_keepalive=True,
            health_check_interval=settings.health_check_interval_s,
            retry=Retry(
                # Its n-th pause is base * 2**n, from n = 1 on.
                ExponentialBackoff(cap=_BACKOFF_LIMIT_S, base=_FIRST_BACKOFF_S / 2),
                settings.retry_attempts,
            ),
            retry_on_error=[RedisConnectionError, RedisTimeoutError],
        )

    pool = new_pool()
    client: Redis = (
        _ClientPerCall(pool, new_pool) if settings.is_rolled_back else Redis(connection_pool=pool)
    )
    try:
        with pool_metrics("redis", pool):
            yield client
    finally:
        await client.aclose()
        await pool.aclose()


class _ClientPerCall(Redis):
    """Makes a client with a pool of its own for each command, and closes it after.

    It takes a place of `pool` meanwhile, so the bound holds; what lasts longer than a command
    (a subscription) has a connection of `pool`.
    """

    def __init__(
        self, pool: BoundedConnectionPool, new_pool: Callable[[], BoundedConnectionPool]
    ) -> None:
        super().__init__(connection_pool=pool)
        self._bound = pool
        self._new_pool = new_pool

    async def execute_command(self, *arguments: Any, **options: Any) -> Any:
        """See redis-py."""
        async with self._bound.place():
            client: Any = Redis.from_pool(self._new_pool())
            try:
                return await client.execute_command(*arguments, **options)
            finally:
                await client.aclose()
