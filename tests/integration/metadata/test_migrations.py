"""Migrations: from nothing, by many at once, and the same as the tables in code."""

import asyncio

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic import SecretStr
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sheaf_common.errors import Unavailable
from sheaf_common.ids import new_id
from sheaf_common.pools.database import DatabaseSettings
from sheaf_dev.stack import Stack
from sheaf_metadata.adapters.mysql import schema
from sheaf_metadata.adapters.mysql.migrate import alembic_config, await_schema, migrate
from support.metadata import create_database

_INDEXES = {
    "PRIMARY": ["id"],
    "workflow_id_idx": ["workflow_id"],
    "user_status_idx": ["user_id", "status"],
    "status_time_idx": ["status", "uploaded_at"],
    "user_time_idx": ["user_id", "uploaded_at"],
    "product_status_idx": ["product", "status"],
    "claim_idx": ["status", "lane", "claim_at"],
    "batch_idx": ["batch_id"],
    "user_sha256_idx": ["user_id", "sha256"],
}


@pytest.fixture
async def settings(database_servers: Stack) -> DatabaseSettings:
    """Of a database without tables."""
    url = await create_database(database_servers.env["DATABASE_URL"], f"test_{new_id().hex}")
    return DatabaseSettings.model_construct(url=SecretStr(url))


@pytest.fixture
async def engine(settings: DatabaseSettings) -> AsyncEngine:
    """Connections to it."""
    return create_async_engine(settings.engine_url())


async def test_many_processes_may_migrate_at_once(
    settings: DatabaseSettings, engine: AsyncEngine
) -> None:
    """One runs the revisions, the others wait and find nothing to do."""
    await asyncio.gather(*(migrate(settings, timeout_s=60) for _ in range(6)))
    async with engine.connect() as connection:
        revisions = (
            await connection.execute(text("SELECT version_num FROM alembic_version"))
        ).all()
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    assert revisions == [(head,)]
    await engine.dispose()


async def test_the_migrated_schema_is_the_one_in_code(
    settings: DatabaseSettings, engine: AsyncEngine
) -> None:
    """Autogenerate finds nothing to change."""
    await migrate(settings, timeout_s=60)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, schema.metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_the_indexes_of_documents_have_the_required_names(
    settings: DatabaseSettings, engine: AsyncEngine
) -> None:
    """Exactly these, with exactly these columns."""
    await migrate(settings, timeout_s=60)
    indexes: dict[str, list[str]] = {}
    async with engine.connect() as connection:
        for row in await connection.execute(text("SHOW INDEX FROM document")):
            indexes.setdefault(row.Key_name, []).append(row.Column_name)
    assert indexes == _INDEXES
    await engine.dispose()


async def test_tables_are_innodb_in_utf8mb4(
    settings: DatabaseSettings, engine: AsyncEngine
) -> None:
    """Whatever the server's defaults are; ids and codes are bytes and ASCII."""
    await migrate(settings, timeout_s=60)
    async with engine.connect() as connection:
        tables = await connection.execute(
            text(
                "SELECT DISTINCT ENGINE, TABLE_COLLATION FROM information_schema.TABLES WHERE"
                " TABLE_SCHEMA = DATABASE() AND TABLE_NAME <> 'alembic_version'"
            )
        )
        assert tables.all() == [("InnoDB", "utf8mb4_unicode_520_ci")]
        columns = await connection.execute(
            text(
                "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE"
                " TABLE_SCHEMA = DATABASE() AND TABLE_NAME <> 'alembic_version'"
                " AND CHARACTER_SET_NAME = 'utf8mb4' ORDER BY TABLE_NAME, COLUMN_NAME"
            )
        )
        assert columns.all() == [
            ("api_key", "name"),
            ("document", "client_metadata"),
            ("document", "error_message"),
            ("document", "filename"),
        ]
    await engine.dispose()


async def test_the_release_before_goes_on_writing(
    settings: DatabaseSettings, engine: AsyncEngine
) -> None:
    """Rows of before the expansion, and after it of a release that does not know of it."""

    def as_before(connection: Connection) -> None:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    insert = text(
        "INSERT INTO document (id, batch_id, user_id, product, status, lane, priority, claim_at,"
        " queued_at, filename, content_type, size_bytes, sha256, object_key, attempt, dispatches,"
        " partial, uploaded_at, row_version) VALUES (:id, :id, 'ann', '', 'queued', 'text',"
        " 'normal', NOW(), NOW(), 'a', 'text/plain', 1, '', 'k', 1, 0, 0, NOW(), 1)"
    )
    async with engine.begin() as connection:
        await connection.run_sync(as_before)
        await connection.execute(insert, {"id": new_id().bytes})
    await migrate(settings, timeout_s=60)
    async with engine.begin() as connection:
        await connection.execute(insert, {"id": new_id().bytes})
        added = await connection.execute(
            text(
                "SELECT options, depth, pages_done, pages_total, sealed_password, traceparent"
                " FROM document"
            )
        )
        assert added.all() == [(None, 0, 0, 0, None, None)] * 2
    await engine.dispose()


async def test_a_newer_schema_is_left_as_it_is(
    settings: DatabaseSettings, engine: AsyncEngine
) -> None:
    """An older release starts on it: it has only been expanded."""
    await migrate(settings, timeout_s=60)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await migrate(settings, timeout_s=5)
    await await_schema(settings, timeout_s=0)
    async with engine.connect() as connection:
        found = await connection.execute(text("SELECT version_num FROM alembic_version"))
        assert found.scalar_one() == "9999"
    await engine.dispose()


async def test_who_does_not_migrate_waits_for_who_does(settings: DatabaseSettings) -> None:
    """With a deadline."""
    with pytest.raises(Unavailable) as outdated:
        await await_schema(settings, timeout_s=0)
    assert outdated.value.reason == "SCHEMA_OUTDATED"

    waiting = asyncio.create_task(await_schema(settings, timeout_s=30))
    await migrate(settings, timeout_s=60)
    await waiting


async def test_a_database_that_does_not_answer_is_given_up_in_time() -> None:
    """It may be late, but not for ever."""
    url = SecretStr("mysql://nobody:nothing@127.0.0.1:9/none")
    with pytest.raises(Unavailable) as gone:
        await migrate(DatabaseSettings.model_construct(url=url), timeout_s=0.5)
    assert gone.value.reason == "DATABASE_UNAVAILABLE"


async def test_there_is_no_way_down() -> None:
    """Going back is done by an older release on the same schema."""
    for revision in ScriptDirectory.from_config(alembic_config()).walk_revisions():
        with pytest.raises(NotImplementedError):
            revision.module.downgrade()
