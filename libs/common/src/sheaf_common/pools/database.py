"""The process-wide pool of MySQL connections.

SQLAlchemy's async engine over asyncmy: 50 connections, and 100 more under load. The roll-back
switch `DB_POOL_MODE=baseline` makes it the small pool of before.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Final, Literal

import asyncmy
import structlog
from pydantic import SecretStr, field_validator
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import PoolProxiedConnection, QueuePool
from sqlalchemy.util.concurrency import greenlet_spawn

from sheaf_common.pools.database_checks import check_before_use, is_closed
from sheaf_common.pools.database_connection import DatabaseConnection, DriverError, SqlConnection
from sheaf_common.pools.database_dialect import DRIVER, in_transaction
from sheaf_common.pools.database_session import session_statement
from sheaf_common.settings import Rollback, SettingsGroup, variable
from sheaf_common.telemetry.peak import RecentPeak
from sheaf_common.telemetry.pools import WaitQueue, pool_metrics

log = structlog.get_logger()

_DRIVER: Final = "mysql+asyncmy"
_SCHEMES: Final = frozenset({"mysql", "mariadb", _DRIVER})
_NAME: Final = "db"


class DatabaseSettings(SettingsGroup):
    """Where the database is, and the bounds of its pool."""

    rollback: ClassVar = Rollback(
        "pool_mode", "baseline", {"pool_size": 5, "max_overflow": 0, "pool_pre_ping": False}
    )

    url: SecretStr = variable("DATABASE_URL", ..., "mysql://user:password@host:port/database")
    pool_mode: Literal["pooled", "baseline"] = variable(
        "DB_POOL_MODE", "pooled", "baseline: as before, 5 connections, no overflow, no pre-ping"
    )
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


class DatabasePool:
    """Connections of one engine, and how many there are. Belongs to one event loop."""

    def __init__(self, engine: AsyncEngine, read_timeout_s: float) -> None:
        pool = engine.pool
        assert isinstance(pool, QueuePool)  # noqa: S101 - what the engine is made with
        self.engine = engine
        self.size = pool.size() + pool._max_overflow  # noqa: SLF001 - the pool does not tell it
        self._pool = pool
        self._read_timeout_s = read_timeout_s
        self._queue = WaitQueue(_NAME)
        self._lent = 0
        self._peak = RecentPeak()

    @property
    def open(self) -> int:
        """Connections in use or idle."""
        return self._pool.checkedin() + self._pool.checkedout()

    @property
    def used(self) -> int:
        """Connections in use."""
        return self._pool.checkedout()

    @property
    def used_max(self) -> int:
        """The most in use at once during the last minute."""
        return self._peak.most(self.used)

    @property
    def waiting(self) -> int:
        """Callers that wait for a connection, or for theirs to be opened and checked."""
        return self._queue.length

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[DatabaseConnection]:
        """A connection for the block.

        Each statement is a transaction of its own, until `begin`; what that began and was not
        committed is rolled back after the block.

        Waits while all are in use, for at most the pool's timeout.

        Raises:
            sqlalchemy.exc.TimeoutError: none became free in that time.
            DriverError: the server could not be reached.
            TimeoutError: it took the connection, but not within DB_CONNECT_TIMEOUT_S.
        """
        with self._queue.waiting():
            try:
                leased = await self.engine.raw_connection()
            except PoolTimeout:
                self._queue.timed_out()
                raise
        self._count(1)
        try:
            yield DatabaseConnection(leased.driver_connection, self._read_timeout_s)
        except DriverError as error:
            if is_closed(leased.driver_connection):  # and so may be all that are as old
                self._pool._invalidate(leased, error, _checkin=False)  # noqa: SLF001
            raise
        finally:
            self._count(-1)
            await self._give_back(leased)

    async def _give_back(self, leased: PoolProxiedConnection) -> None:
        """What is open is rolled back, what is closed replaced; a caller's end does not stop it."""
        driver: Any = leased.driver_connection
        if is_closed(driver) or in_transaction(driver) or self._pool.overflow() > 0:
            await asyncio.shield(asyncio.ensure_future(self._end(leased)))
        else:
            await greenlet_spawn(leased.close)  # nothing to wait for, so nothing to be cancelled in

    async def _end(self, leased: PoolProxiedConnection) -> None:
        end = leased.invalidate if is_closed(leased.driver_connection) else leased.close
        try:
            async with asyncio.timeout(self._read_timeout_s):
                await greenlet_spawn(end)
        except TimeoutError:  # the driver has closed it, and the pool has dropped it
            log.warning("a database connection did not end in time")

    def _count(self, change: int) -> None:
        before = self._lent
        self._lent += change
        self._peak.changed(before, self._lent)


async def begin(connection: SqlConnection) -> None:
    """Begins a transaction, which `connection.commit` ends."""
    await connection.exec_driver_sql("START TRANSACTION")


@asynccontextmanager
async def database_pool(
    settings: DatabaseSettings, *, lock_wait_s: int | None = None
) -> AsyncIterator[DatabasePool]:
    """A pool for the block, with its metrics; it connects on first use and is closed after.

    `lock_wait_s` bounds how long a statement waits for a row that another has locked; by
    default as long as a statement may run.
    """
    engine = create_async_engine(
        settings.engine_url().set(drivername=DRIVER),
        pool_size=settings.pool_size,
        max_overflow=settings.max_overflow,
        pool_timeout=settings.pool_timeout_s,
        pool_recycle=settings.pool_recycle_s,
        pool_use_lifo=True,
        hide_parameters=True,  # an error's text goes to the log, values of rows do not
        connect_args={
            "charset": "utf8mb4",
            "connect_timeout": settings.connect_timeout_s,
            "autocommit": None,  # the session's statement turns it on, in the same round trip
            "async_creator_fn": _creator(settings, lock_wait_s or settings.statement_timeout_s),
        },
    )
    if settings.pool_pre_ping:
        check_before_use(engine.sync_engine, settings.read_timeout_s)
    pool = DatabasePool(engine, settings.read_timeout_s)
    try:
        with pool_metrics(_NAME, pool):
            yield pool
    finally:
        await engine.dispose()


def _creator(settings: DatabaseSettings, lock_wait_s: int) -> Any:
    """Opens connections that are set up; TCP, log-in and set-up share the time to connect."""

    async def connect(**arguments: Any) -> Any:
        connection: Any = None
        try:
            async with asyncio.timeout(settings.connect_timeout_s):
                connection = await asyncmy.connect(**arguments)
                await connection.query(
                    session_statement(
                        connection.get_server_info(),
                        statement_timeout_s=settings.statement_timeout_s,
                        lock_wait_s=lock_wait_s,
                    )
                )
        except BaseException:
            if connection is not None:
                connection.close()
            raise
        return connection

    return connect
