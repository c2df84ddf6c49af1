"""The process-wide pool of MySQL connections.

SQLAlchemy's async engine over asyncmy, 50 connections and 100 more under load. Every
connection is set up the same way: utf8mb4, READ COMMITTED, UTC, strict mode, and a limit on
how long a statement may run on the server, since a cancelled query keeps running there.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog
from pydantic import SecretStr, field_validator
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sheaf_common.settings import SettingsGroup, variable

log = structlog.get_logger()

_DRIVER: Final = "mysql+asyncmy"
_SCHEMES: Final = frozenset({"mysql", "mariadb", _DRIVER})
_SQL_MODE: Final = (
    "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION"
)


class DatabaseSettings(SettingsGroup):
    """Where the database is, and the bounds of its pool."""

    url: SecretStr = variable("DATABASE_URL", ..., "mysql://user:password@host:port/database")
    pool_size: int = variable("DB_POOL_SIZE", 50, "connections kept open", ge=1, le=1000)
    max_overflow: int = variable("DB_MAX_OVERFLOW", 100, "more under load", ge=0, le=1000)
    pool_timeout_s: float = variable(
        "DB_POOL_TIMEOUT", 30.0, "seconds that a request waits for a connection", gt=0, le=300
    )
    pool_recycle_s: int = variable(
        "DB_POOL_RECYCLE", 3600, "seconds after which a connection is replaced", ge=1
    )
    pool_pre_ping: bool = variable("DB_POOL_PRE_PING", True, "check a connection before use")
    connect_timeout_s: int = variable("DB_CONNECT_TIMEOUT_S", 5, "seconds", ge=1, le=60)
    read_timeout_s: int = variable("DB_READ_TIMEOUT_S", 30, "seconds", ge=1, le=600)
    statement_timeout_s: int = variable(
        "DB_STATEMENT_TIMEOUT_S", 10, "seconds that the server works on a statement", ge=1, le=600
    )

    @field_validator("url")
    @classmethod
    def _is_mysql(cls, url: SecretStr) -> SecretStr:
        try:
            parsed = make_url(url.get_secret_value())
        except ArgumentError:
            raise ValueError("is not a URL") from None
        if parsed.drivername not in _SCHEMES or not parsed.host or not parsed.database:
            raise ValueError("is not mysql://user:password@host:port/database")
        return url

    def engine_url(self) -> URL:
        """The URL with the driver that Sheaf uses."""
        return make_url(self.url.get_secret_value()).set(drivername=_DRIVER)


@asynccontextmanager
async def database_engine(settings: DatabaseSettings) -> AsyncIterator[AsyncEngine]:
    """An engine for the block; its pool connects on first use and is closed after.

    Waiting for a connection raises `sqlalchemy.exc.TimeoutError` after the pool's timeout.
    """
    engine = create_async_engine(
        settings.engine_url(),
        pool_size=settings.pool_size,
        max_overflow=settings.max_overflow,
        pool_timeout=settings.pool_timeout_s,
        pool_recycle=settings.pool_recycle_s,
        pool_pre_ping=settings.pool_pre_ping,
        pool_use_lifo=True,
        connect_args={
            "charset": "utf8mb4",
            "connect_timeout": settings.connect_timeout_s,
            "read_timeout": settings.read_timeout_s,
        },
    )
    event.listen(engine.sync_engine, "connect", _session_setup(settings))
    try:
        yield engine
    finally:
        await engine.dispose()


def _session_setup(settings: DatabaseSettings) -> Any:
    def set_up(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        try:
            cursor.execute("SELECT VERSION()")
            (version,) = cursor.fetchone()
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
            cursor.execute(
                f"SET SESSION sql_mode = '{_SQL_MODE}', time_zone = '+00:00', "
                f"innodb_lock_wait_timeout = {settings.statement_timeout_s}, "
                + _statement_limit(str(version), settings.statement_timeout_s)
            )
        finally:
            cursor.close()

    return set_up


def _statement_limit(version: str, limit_s: int) -> str:
    """The server's own limit on a statement: MariaDB takes seconds, MySQL milliseconds."""
    if "mariadb" in version.lower():
        return f"max_statement_time = {limit_s}"
    return f"max_execution_time = {limit_s * 1000}"
