"""The process-wide Redis client.

Redis is a cache and a hint bus here: with it down everything still works, slower. So its
time limits are short: a dead Redis must cost milliseconds, not a request's budget.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr, field_validator
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from sheaf_common.settings import SettingsGroup, variable

_BACKOFF_BASE_S = 0.010
_BACKOFF_LIMIT_S = 0.100


class RedisSettings(SettingsGroup):
    """Where Redis is, and the bounds of its pool."""

    url: SecretStr = variable("REDIS_URL", ..., "redis://host:port/database")
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
    """The client for the block; it connects on first use."""
    pool = BlockingConnectionPool.from_url(
        settings.url.get_secret_value(),
        max_connections=settings.max_connections,
        timeout=settings.pool_timeout_s,
        socket_timeout=settings.socket_timeout_s,
        socket_connect_timeout=settings.socket_timeout_s,
        socket_keepalive=True,
        health_check_interval=settings.health_check_interval_s,
        retry=Retry(
            ExponentialBackoff(cap=_BACKOFF_LIMIT_S, base=_BACKOFF_BASE_S),
            settings.retry_attempts,
        ),
        retry_on_error=[RedisConnectionError, RedisTimeoutError],
    )
    client = Redis.from_pool(pool)
    try:
        yield client
    finally:
        await client.aclose()
