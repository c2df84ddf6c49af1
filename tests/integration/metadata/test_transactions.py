"""Transactions: repeated after lock failures, bounded, and certain about their commit."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import text

from sheaf_common.errors import Conflict, DeadlineExceeded, OverCapacity, Unavailable
from sheaf_common.pools.database import DatabaseSettings, database_pool
from sheaf_common.pools.database_connection import DatabaseConnection, SqlConnection
from sheaf_metadata.adapters.mysql.database import LOCK_WAIT_S, Database
from support.metadata import Metadata

Work = Callable[[SqlConnection], Awaitable[None]]


@pytest.fixture(scope="module")
async def database(service: Metadata) -> AsyncIterator[Database]:
    """A pool of its own over the module's database, with a table to fight over."""
    await service.sql("CREATE TABLE fight (id INT PRIMARY KEY, value INT NOT NULL)")
    async with database_pool(service.settings.database, lock_wait_s=LOCK_WAIT_S) as pool:
        yield Database(pool, transaction_s=1.0)


@pytest.fixture(autouse=True)
async def rows(service: Metadata, database: Database) -> None:
    """Two rows at zero."""
    await service.sql("DELETE FROM fight")
    await service.sql("INSERT INTO fight VALUES (1, 0), (2, 0)")


async def values(service: Metadata) -> list[int]:
    """What the rows hold."""
    return [row[0] for row in await service.sql("SELECT value FROM fight ORDER BY id")]


async def add(connection: SqlConnection, row: int) -> None:
    """Adds one to a row."""
    await connection.execute(text("UPDATE fight SET value = value + 1 WHERE id = :id"), {"id": row})


async def test_a_deadlock_is_repeated(service: Metadata, database: Database) -> None:
    """Two transactions that lock two rows in opposite order both succeed, each exactly once."""
    meeting = asyncio.Barrier(2)
    tries = []

    def crossing(first: int, second: int) -> Work:
        async def work(connection: SqlConnection) -> None:
            tries.append(first)
            await add(connection, first)
            if len(tries) <= 2:
                await meeting.wait()
            await add(connection, second)

        return work

    await asyncio.gather(
        database.transaction("test", crossing(1, 2)), database.transaction("test", crossing(2, 1))
    )
    assert await values(service) == [2, 2]
    assert len(tries) == 3


async def test_races_that_are_never_won_are_a_conflict(database: Database) -> None:
    """After four tries the caller is told to try again later."""
    tries = []

    async def work(connection: SqlConnection) -> None:
        tries.append(1)
        await connection.execute(
            text("SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'deadlock'")
        )

    with pytest.raises(Conflict) as lost:
        await database.transaction("test", work)
    assert (lost.value.reason, len(tries)) == ("LOCK_CONFLICT", 4)


async def test_a_transaction_is_bounded(service: Metadata, database: Database) -> None:
    """One that waits for a lock for over a second ends, and holds nothing afterwards."""

    async def both(connection: SqlConnection) -> None:
        await add(connection, 2)
        await add(connection, 1)

    async with service.engine.connect() as holder:
        await holder.execute(text("SELECT * FROM fight WHERE id = 1 FOR UPDATE"))
        loop = asyncio.get_running_loop()
        started = loop.time()
        with pytest.raises((DeadlineExceeded, Conflict)):
            await database.transaction("test", both)
        assert loop.time() - started < 5.5
        await asyncio.wait_for(service.sql("UPDATE fight SET value = 7 WHERE id = 2"), 2)
    assert await values(service) == [0, 7]


async def test_a_cancelled_transaction_is_rolled_back(
    service: Metadata, database: Database
) -> None:
    """Until the commit is sent a cancelled caller leaves nothing."""
    added = asyncio.Event()

    async def work(connection: SqlConnection) -> None:
        await add(connection, 1)
        added.set()
        await asyncio.Event().wait()

    running = asyncio.create_task(database.transaction("test", work))
    await added.wait()
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()
    assert await values(service) == [0, 0]


async def test_a_commit_is_finished_whatever_becomes_of_the_caller(
    service: Metadata, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled twice while it commits: it is committed, and then the cancel goes on."""
    committing, go_on = asyncio.Event(), asyncio.Event()
    commit = DatabaseConnection.commit

    async def slow_commit(connection: DatabaseConnection) -> None:
        committing.set()
        await go_on.wait()
        await commit(connection)

    async def work(connection: SqlConnection) -> None:
        await add(connection, 1)

    monkeypatch.setattr(DatabaseConnection, "commit", slow_commit)
    running = asyncio.create_task(database.transaction("test", work))
    await committing.wait()
    for _ in range(2):
        running.cancel()
        await asyncio.sleep(0)
    go_on.set()
    await asyncio.wait([running])
    monkeypatch.undo()

    assert running.cancelled()
    assert await values(service) == [1, 0]


async def test_a_connection_lost_while_committing_leaves_it_open(
    service: Metadata, database: Database
) -> None:
    """The caller is told that it must ask again."""

    async def work(connection: SqlConnection) -> None:
        await add(connection, 1)
        await kill(service, connection)

    with pytest.raises(Unavailable) as lost:
        await database.transaction("test", work)
    assert lost.value.reason == "COMMIT_UNKNOWN"


async def test_a_connection_lost_before_is_known_to_have_changed_nothing(
    service: Metadata, database: Database
) -> None:
    """That is another reason; and the pool goes on with new connections."""

    async def work(connection: SqlConnection) -> None:
        await add(connection, 1)
        await kill(service, connection)
        await add(connection, 2)

    with pytest.raises(Unavailable) as lost:
        await database.transaction("test", work)
    assert lost.value.reason == "DATABASE_UNAVAILABLE"
    await database.ping()
    assert await values(service) == [0, 0]


async def kill(service: Metadata, connection: SqlConnection) -> None:
    """Ends a connection from outside."""
    number = (await connection.execute(text("SELECT CONNECTION_ID()"))).scalar_one()
    await service.sql(f"KILL {int(number)}")


async def test_a_pool_that_is_full_says_so(service: Metadata) -> None:
    """The caller waits for the pool's time, then is told which bound it met."""
    settings = DatabaseSettings.model_construct(
        url=service.settings.database.url, pool_size=1, max_overflow=1, pool_timeout_s=0.2
    )
    async with database_pool(settings) as pool:
        database = Database(pool, transaction_s=1.0)
        async with database.reading("test"), database.reading("test"):
            assert pool.used == pool.size == 2
            with pytest.raises(OverCapacity) as full:
                await database.ping()
    assert full.value.reason == "DATABASE_POOL_TIMEOUT"
