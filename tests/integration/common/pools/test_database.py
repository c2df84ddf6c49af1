"""The pool of database connections, at its bounds, over MariaDB."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from sheaf_common.ids import new_id
from sheaf_common.pools import database_checks
from sheaf_common.pools.database import DatabasePool, DatabaseSettings, begin, database_pool
from sheaf_common.pools.database_connection import DatabaseConnection, DriverError, SqlConnection
from sheaf_common.pools.database_session import session_statement
from support.tcp_proxy import tcp_proxy
from support.waiting import until, until_answer

from .conftest import DatabaseVariables


@asynccontextmanager
async def watched(settings: DatabaseSettings) -> AsyncIterator[tuple[DatabasePool, "Server"]]:
    """A pool whose connections the server can tell from all others: they use their own schema."""
    schema = f"pool_{new_id().hex}"
    engine = create_async_engine(settings.engine_url())
    async with engine.connect() as connection:
        await connection.exec_driver_sql(f"CREATE DATABASE {schema}")
        url = settings.engine_url().set(database=schema).render_as_string(hide_password=False)
        values = {info.validation_alias: getattr(settings, name) for name, info in fields(settings)}
        own = DatabaseSettings.model_validate(values | {"DATABASE_URL": url})
        async with database_pool(own) as pool:
            yield pool, Server(connection, schema)
        await connection.exec_driver_sql(f"DROP DATABASE {schema}")
    await engine.dispose()


def fields(settings: DatabaseSettings) -> list[tuple[str, Any]]:
    """Its fields."""
    return list(type(settings).model_fields.items())


class Server:
    """What the server says of the connections in one schema."""

    def __init__(self, connection: AsyncConnection, schema: str) -> None:
        self._connection = connection
        self._schema = schema

    async def connections(self) -> int:
        """How many SHOW PROCESSLIST shows."""
        rows: Sequence[Any] = (
            await self._connection.exec_driver_sql("SHOW PROCESSLIST")
        ).mappings().all()  # fmt: skip
        return sum(row["db"] == self._schema for row in rows)

    async def kill_all(self) -> None:
        """Ends every one of them."""
        rows = (await self._connection.exec_driver_sql("SHOW PROCESSLIST")).mappings().all()
        for row in rows:
            if row["db"] == self._schema:
                with contextlib.suppress(OperationalError):  # it has gone meanwhile
                    await self._connection.exec_driver_sql(f"KILL {row['Id']}")


async def hold(stack: AsyncExitStack, pool: DatabasePool, count: int) -> list[DatabaseConnection]:
    """So many connections, open until the stack ends."""
    return list(
        await asyncio.gather(*(stack.enter_async_context(pool.connection()) for _ in range(count)))
    )


async def test_the_151st_connection_waits_and_then_fails(database: DatabaseVariables) -> None:
    """50 and 100 more, as SHOW PROCESSLIST says too; the wait ends by DB_POOL_TIMEOUT."""
    async with watched(database(DB_POOL_TIMEOUT=0.5)) as (pool, server):
        async with AsyncExitStack() as stack:
            await hold(stack, pool, 150)
            assert (pool.size, pool.open, pool.used) == (150, 150, 150)
            assert await server.connections() == 150

            started = time.monotonic()
            refused = asyncio.create_task(hold(stack, pool, 1))
            await until(lambda: pool.waiting == 1)
            with pytest.raises(PoolTimeout):
                await refused
            assert 0.4 < time.monotonic() - started < 3
        assert (pool.used, pool.used_max, pool.waiting) == (0, 150, 0)


async def test_fifty_stay_open_and_the_rest_are_closed(database: DatabaseVariables) -> None:
    """The gauge and the server agree on what is left."""
    async with watched(database()) as (pool, server):
        async with AsyncExitStack() as stack:
            await hold(stack, pool, 80)
            assert (pool.open, await server.connections()) == (80, 80)
        assert pool.open == 50

        async def the_rest_is_gone() -> bool:
            return await server.connections() == 50

        await until_answer(the_rest_is_gone)


async def test_a_freed_connection_goes_to_the_one_that_waits(database: DatabaseVariables) -> None:
    """The line moves as soon as a connection comes back."""
    settings = database(DB_POOL_SIZE=1, DB_MAX_OVERFLOW=0, DB_POOL_TIMEOUT=30)
    async with database_pool(settings) as pool:
        async with pool.connection():
            waiting = asyncio.create_task(ask(pool, "SELECT 1"))
            await until(lambda: pool.waiting == 1)
        async with asyncio.timeout(5):
            assert await waiting == 1


async def test_a_shorter_deadline_ends_the_wait(database: DatabaseVariables) -> None:
    """The caller leaves the line in time, and takes no place with it."""
    settings = database(DB_POOL_SIZE=2, DB_MAX_OVERFLOW=0, DB_POOL_TIMEOUT=30)
    async with database_pool(settings) as pool:
        async with AsyncExitStack() as stack:
            await hold(stack, pool, 2)
            for _ in range(20):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.02):
                        await ask(pool, "SELECT 1")
            assert pool.waiting == 0
        async with AsyncExitStack() as stack, asyncio.timeout(5):
            assert len(await hold(stack, pool, 2)) == 2


async def test_rolled_back_the_sixth_waits(database: DatabaseVariables) -> None:
    """DB_POOL_MODE=baseline: 5 connections and no overflow, whatever else is set."""
    settings = database(DB_POOL_MODE="baseline", DB_POOL_SIZE=50, DB_POOL_TIMEOUT=0.2)
    async with watched(settings) as (pool, server), AsyncExitStack() as stack:
        await hold(stack, pool, 5)
        with pytest.raises(PoolTimeout):
            await hold(stack, pool, 1)
        assert (pool.size, await server.connections()) == (5, 5)


async def test_a_dead_connection_is_noticed_before_it_is_used(database: DatabaseVariables) -> None:
    """At once if the server has closed it; rolled back, without a check, the caller notices."""
    async with watched(database()) as (pool, server):
        async with AsyncExitStack() as stack:
            await hold(stack, pool, 3)
        for _ in range(3):
            await server.kill_all()
            assert await ask(pool, "SELECT 2") == 2

    async with watched(database(DB_POOL_MODE="baseline")) as (pool, server):
        async with AsyncExitStack() as stack:
            await hold(stack, pool, 3)
        await server.kill_all()
        with pytest.raises(DriverError):
            await ask(pool, "SELECT 2")
        for _ in range(3):  # with it went all that are as old
            assert await ask(pool, "SELECT 2") == 2


async def test_a_rested_connection_is_asked_before_it_is_used(
    database: DatabaseVariables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that has forgotten it says nothing: only a ping finds out."""
    monkeypatch.setattr(database_checks, "RESTED_S", 0.0)
    url = database().engine_url()
    async with tcp_proxy(url.host or "", url.port or 0) as proxy:
        through = url.set(port=proxy.port).render_as_string(hide_password=False)
        async with database_pool(database(DB_READ_TIMEOUT_S=1, DATABASE_URL=through)) as pool:
            first = await ask(pool, "SELECT CONNECTION_ID()")
            proxy.stall()
            asking = asyncio.create_task(ask(pool, "SELECT CONNECTION_ID()"))
            await until(lambda: proxy.stalled)
            await until(lambda: proxy.accepted == 2)
            proxy.flow()
            assert await asking != first


async def test_round_trips_are_as_few_as_can_be(database: DatabaseVariables) -> None:
    """A read is one statement; a transaction has its beginning and its end, and no more."""
    async with watched(database()) as (pool, _), pool.connection() as watching:
        await watching.exec_driver_sql("CREATE TABLE t (id INT PRIMARY KEY)")
        await ask(pool, "SELECT 1")

        async def statements(work: Callable[[SqlConnection], Awaitable[None]]) -> int:
            before = await questions(watching)
            async with pool.connection() as connection:
                own = await questions(connection)
                await work(connection)
            async with pool.connection() as connection:
                assert await questions(watching) > before
                return await questions(connection) - own - 1

        async def read(connection: SqlConnection) -> None:
            await connection.exec_driver_sql("SELECT id FROM t")

        async def write(connection: SqlConnection) -> None:
            await begin(connection)
            await connection.exec_driver_sql("INSERT INTO t VALUES (1)")
            await connection.commit()

        async def give_up(connection: SqlConnection) -> None:
            await begin(connection)
            await connection.exec_driver_sql("INSERT INTO t VALUES (2)")

        assert await statements(read) == 1
        assert await statements(write) == 3
        assert await statements(give_up) == 3
        assert await ask(pool, "SELECT GROUP_CONCAT(id) FROM t") == "1"


async def questions(connection: SqlConnection) -> int:
    """How many statements the session has sent."""
    row: Any = (await connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Questions'")).one()
    return int(row[1])


async def test_what_failed_is_rolled_back_before_the_connection_is_used_again(
    database: DatabaseVariables,
) -> None:
    """Neither its changes nor its locks stay, whatever ended it."""
    settings = database(DB_POOL_SIZE=1, DB_MAX_OVERFLOW=0)
    async with watched(settings) as (pool, _):
        async with pool.connection() as connection:
            await connection.exec_driver_sql("CREATE TABLE t (id INT PRIMARY KEY)")
        for statement in ("INSERT INTO t VALUES (2), (2)", "SELECT nothing", "SELECT 1"):
            with pytest.raises((DriverError, KeyError)):  # noqa: PT012 - all of it is one use
                async with pool.connection() as connection:
                    await begin(connection)
                    await connection.exec_driver_sql("INSERT INTO t VALUES (1)")
                    await connection.exec_driver_sql(statement)
                    raise KeyError
            assert await ask(pool, "SELECT @@in_transaction") == 0
            assert await ask(pool, "SELECT COUNT(*) FROM t") == 0


async def test_an_old_connection_is_replaced(database: DatabaseVariables) -> None:
    """DB_POOL_RECYCLE after it was opened."""
    async with database_pool(database(DB_POOL_RECYCLE=1)) as pool:
        first = await ask(pool, "SELECT CONNECTION_ID()")
        assert await ask(pool, "SELECT CONNECTION_ID()") == first

        async def another() -> bool:
            return bool(await ask(pool, "SELECT CONNECTION_ID()") != first)

        await until_answer(another)


async def test_every_session_is_set_up(database: DatabaseVariables) -> None:
    """UTC, READ COMMITTED, utf8mb4, strict, autocommit, and the server's own limits."""
    async with database_pool(database(), lock_wait_s=1) as pool, AsyncExitStack() as stack:
        for connection in await hold(stack, pool, 3):
            row: Any = (
                await connection.execute(
                    text(
                        "SELECT @@tx_isolation, @@time_zone, @@character_set_client,"
                        " @@character_set_connection, @@character_set_results, @@autocommit,"
                        " @@max_statement_time, @@innodb_lock_wait_timeout, @@sql_mode"
                    )
                )
            ).one()
            assert row[:8] == (
                "READ-COMMITTED", "+00:00", "utf8mb4", "utf8mb4", "utf8mb4", 1, 10, 1,
            )  # fmt: skip
            assert "STRICT_TRANS_TABLES" in row[8]


def test_mysql_names_its_limits_otherwise() -> None:
    """Milliseconds for SELECTs, and the isolation level by its standard name."""
    statement = session_statement("8.0.36", statement_timeout_s=10, lock_wait_s=1)

    assert "max_execution_time = 10000" in statement
    assert " transaction_isolation = 'READ-COMMITTED'" in statement


async def test_the_server_ends_a_long_statement(database: DatabaseVariables) -> None:
    """DB_STATEMENT_TIMEOUT_S; the connection stays good."""
    settings = database(DB_STATEMENT_TIMEOUT_S=1, DB_POOL_SIZE=1, DB_MAX_OVERFLOW=0)
    async with database_pool(settings) as pool:
        started = time.monotonic()
        with pytest.raises(DriverError, match="1969"):
            await ask(pool, "SELECT SLEEP(5)")
        assert 0.8 < time.monotonic() - started < 5
        assert await ask(pool, "SELECT 1") == 1


async def test_a_silent_server_is_given_up(database: DatabaseVariables) -> None:
    """DB_READ_TIMEOUT_S after the question, and the connection with it."""
    settings = database(DB_READ_TIMEOUT_S=1)
    url = settings.engine_url()
    async with tcp_proxy(url.host or "", url.port or 0) as proxy:
        through = url.set(port=proxy.port).render_as_string(hide_password=False)
        async with database_pool(database(DB_READ_TIMEOUT_S=1, DATABASE_URL=through)) as pool:
            await ask(pool, "SELECT 1")
            async with pool.connection() as connection:
                proxy.stall()
                started = time.monotonic()
                with pytest.raises(DriverError, match="read timeout"):
                    await connection.exec_driver_sql("SELECT 1")
                assert 0.8 < time.monotonic() - started < 5
            proxy.flow()
            assert await ask(pool, "SELECT 2") == 2


async def test_a_server_that_never_greets_is_given_up(database: DatabaseVariables) -> None:
    """DB_CONNECT_TIMEOUT_S holds for the log-in too, not only for TCP."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        url = f"mysql://u:p@127.0.0.1:{port}/x"
        async with database_pool(database(DATABASE_URL=url, DB_CONNECT_TIMEOUT_S=1)) as pool:
            started = time.monotonic()
            with pytest.raises(TimeoutError):
                await ask(pool, "SELECT 1")
            assert 0.8 < time.monotonic() - started < 5
            assert (pool.used, pool.open, pool.waiting) == (0, 0, 0)


async def ask(pool: DatabasePool, question: str) -> Any:
    """One value."""
    async with pool.connection() as connection:
        return (await connection.exec_driver_sql(question)).scalar_one()


async def test_the_embedded_server_holds_the_pools_of_three_processes(
    database: DatabaseVariables,
) -> None:
    """And the connection with which each of them migrates."""
    async with database_pool(database()) as pool:
        assert await ask(pool, "SELECT @@max_connections") >= 3 * (pool.size + 1)
