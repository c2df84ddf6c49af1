"""What a database server was asked, as it tells itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

# As bytes: an id in a statement may be no UTF-8, which the driver would refuse to decode.
_LOGGED: Final = text(
    "SELECT CAST(LEFT(argument, 4000) AS BINARY) FROM mysql.general_log"
    " WHERE command_type = 'Query'"
)

_OF_ITS_OWN_ACCORD: Final = ("SELECT (SELECT COUNT(*) FROM (", "SELECT COUNT(*) AS claimed, ")
"""Metadata's looks at its backlog, which come whenever they are due."""


@asynccontextmanager
async def statements(engine: AsyncEngine, *beginnings: str) -> AsyncIterator[list[str]]:
    """What the server is asked during the block that begins so; known when it has ended.

    By every session, so no other test may use the server meanwhile; but for what metadata asks of
    its own accord.
    """
    found: list[str] = []
    await _run(engine, "SET GLOBAL log_output = 'TABLE'")
    await _run(engine, "TRUNCATE mysql.general_log")
    await _run(engine, "SET GLOBAL general_log = ON")
    try:
        yield found
    finally:
        await _run(engine, "SET GLOBAL general_log = OFF")
    async with engine.connect() as connection:
        logged = await connection.execute(_LOGGED)
        for statement in logged.scalars():
            whole = statement.decode(errors="replace")
            if whole.startswith(beginnings) and not whole.startswith(_OF_ITS_OWN_ACCORD):
                found.append(whole)


async def _run(engine: AsyncEngine, statement: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement))
