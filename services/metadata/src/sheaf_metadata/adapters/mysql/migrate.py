"""Brings the schema up to this release's, at start, by one process at a time."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from sheaf_common.backoff import backoff_s
from sheaf_common.errors import Unavailable
from sheaf_common.pools.database import DatabaseSettings

log = structlog.get_logger()

_LOCK_TRY_S: Final = 5
"""How long the server waits for the lock at a time; shorter than a connection's read timeout."""
_READ_TIMEOUT_S: Final = 3600
_BACKOFF_BASE_S: Final = 0.2
_BACKOFF_LIMIT_S: Final = 2.0
# The name holds in the whole server; a database's name has at most 64 characters.
_LOCK: Final = text("SELECT GET_LOCK(CONCAT('sheaf:', MD5(DATABASE())), :timeout_s)")
_UNLOCK: Final = text("SELECT RELEASE_LOCK(CONCAT('sheaf:', MD5(DATABASE())))")


async def migrate(settings: DatabaseSettings, *, timeout_s: float) -> None:
    """Runs the revisions that are missing; waits up to `timeout_s` for database and lock.

    A schema that is newer than this release is left as it is: it only adds to what this
    release knows.

    Raises:
        Unavailable: `DATABASE_UNAVAILABLE` or `MIGRATION_LOCKED`, after `timeout_s`.
    """
    ends_at = time.monotonic() + timeout_s
    async with _connected(settings, ends_at) as connection:
        await _lock(connection, ends_at)
        try:
            await connection.run_sync(_upgrade)
            await connection.commit()
        finally:
            await connection.execute(_UNLOCK)


async def await_schema(settings: DatabaseSettings, *, timeout_s: float) -> None:
    """Waits until another process has brought the schema up to this release's.

    Raises:
        Unavailable: `DATABASE_UNAVAILABLE` or `SCHEMA_OUTDATED`, after `timeout_s`.
    """
    ends_at = time.monotonic() + timeout_s
    tries = 0
    async with _connected(settings, ends_at) as connection:
        while not await connection.run_sync(_is_current):
            await connection.rollback()
            if time.monotonic() > ends_at:
                raise Unavailable("SCHEMA_OUTDATED", "the schema is older than this release")
            tries += 1
            await asyncio.sleep(backoff_s(tries, base_s=_BACKOFF_BASE_S, limit_s=_BACKOFF_LIMIT_S))


def alembic_config() -> Config:
    """Alembic's configuration: the revisions in this package."""
    config = Config()
    config.set_main_option("script_location", "sheaf_metadata:migrations")
    config.set_main_option("path_separator", "os")
    return config


@asynccontextmanager
async def _connected(settings: DatabaseSettings, ends_at: float) -> AsyncIterator[AsyncConnection]:
    """A connection of its own, without the pool's limits on statements."""
    engine = create_async_engine(
        settings.engine_url(),
        poolclass=NullPool,
        connect_args={
            "charset": "utf8mb4",
            "connect_timeout": settings.connect_timeout_s,
            "read_timeout": _READ_TIMEOUT_S,
        },
    )
    tries = 0
    try:
        while True:
            try:
                connection = await engine.connect().start()
                break
            except (SQLAlchemyError, OSError, EOFError) as error:
                if isinstance(error, DBAPIError) and _is_refusal(error):
                    raise
                if time.monotonic() > ends_at:
                    raise Unavailable(
                        "DATABASE_UNAVAILABLE", "the database did not answer at start"
                    ) from error
                tries += 1
                log.info("waiting for the database", error=str(error).splitlines()[0])
            await asyncio.sleep(backoff_s(tries, base_s=_BACKOFF_BASE_S, limit_s=_BACKOFF_LIMIT_S))
        try:
            yield connection
        finally:
            await connection.close()
    finally:
        await engine.dispose()


def _is_refusal(error: DBAPIError) -> bool:
    """Whether waiting cannot help: wrong credentials, or no such database."""
    number = (getattr(error.orig, "args", ()) or (None,))[0]
    return number in {1044, 1045, 1049}


async def _lock(connection: AsyncConnection, ends_at: float) -> None:
    while True:
        got = (await connection.execute(_LOCK, {"timeout_s": _LOCK_TRY_S})).scalar_one()
        if got == 1:
            return
        if time.monotonic() > ends_at:
            raise Unavailable("MIGRATION_LOCKED", "another process has migrated for too long")


def _upgrade(connection: Connection) -> None:
    script = ScriptDirectory.from_config(alembic_config())
    current = MigrationContext.configure(connection).get_current_revision()
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        log.warning("the schema is newer than this release", revision=current)
        return
    head = script.get_current_head()
    if current == head:
        return
    log.info("migrating", revision=current, to=head)
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _is_current(connection: Connection) -> bool:
    script = ScriptDirectory.from_config(alembic_config())
    current = MigrationContext.configure(connection).get_current_revision()
    older = {revision.revision for revision in script.walk_revisions()}
    older.discard(script.get_current_head() or "")
    return current is not None and current not in older
