"""Statements on a pooled connection, straight to the driver.

SQLAlchemy keeps the pool; a statement does not go through it (ADR 0018: a fifth of the CPU). It is
written with named parameters, `:name`, of which a list or tuple stands for as many values, in
parentheses.
"""

import asyncio
import re
from collections import namedtuple
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Protocol, TypeVar

from asyncmy.constants.CR import CR_SERVER_LOST
from asyncmy.errors import Error as DriverError
from asyncmy.errors import IntegrityError, OperationalError
from sqlalchemy import TextClause
from sqlalchemy.exc import MultipleResultsFound, NoResultFound

__all__ = ["DatabaseConnection", "DriverError", "IntegrityError", "Rows", "SqlConnection"]

_PARAMETER: Final = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
"""As SQLAlchemy's `text` reads them."""
_KNOWN_STATEMENTS: Final = 1024

Parameters = Mapping[str, Any]
AnswerT = TypeVar("AnswerT")


class Rows:
    """What a statement answered. Rows are named tuples; `rowcount` is how many were affected."""

    __slots__ = ("_names", "_values", "rowcount")

    def __init__(
        self, names: tuple[str, ...], values: Sequence[tuple[Any, ...]], rowcount: int
    ) -> None:
        self._names = names
        self._values = values
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[Any]:
        return iter(self.all())

    def all(self) -> list[Any]:
        """Every row."""
        if not self._values:
            return []
        make = _row_type(self._names)._make
        return [make(value) for value in self._values]

    def first(self) -> Any | None:
        """The first row, if there is one."""
        return self._row(0) if self._values else None

    def one_or_none(self) -> Any | None:
        """The only row, if there is one. Raises MultipleResultsFound: there are several."""
        if len(self._values) > 1:
            raise MultipleResultsFound(f"{len(self._values)} rows where one was expected")
        return self.first()

    def one(self) -> Any:
        """The only row. Raises NoResultFound, MultipleResultsFound: there is another number."""
        if (row := self.one_or_none()) is None:
            raise NoResultFound("no row where one was expected")
        return row

    def scalar_one(self) -> Any:
        """The first column of the only row; raises as `one`."""
        return self.one()[0]

    def scalar_one_or_none(self) -> Any | None:
        """The first column of the only row, if there is one; raises as `one_or_none`."""
        row = self.one_or_none()
        return None if row is None else row[0]

    def scalars(self) -> Iterator[Any]:
        """The first column of every row."""
        return (value[0] for value in self._values)

    def _row(self, index: int) -> Any:
        return _row_type(self._names)._make(self._values[index])


class SqlConnection(Protocol):
    """What runs statements: a `DatabaseConnection`, or SQLAlchemy's own where it is at hand."""

    async def execute(self, statement: TextClause, parameters: Any = None, /) -> Any:
        """Runs a statement once, or an INSERT for each of several parameters."""

    async def exec_driver_sql(self, statement: str, parameters: Any = None, /) -> Any:
        """Runs a statement with the driver's placeholders, `%s`."""

    async def commit(self) -> None:
        """Commits."""


class DatabaseConnection:
    """A pooled session with MySQL, for the block of `DatabasePool.connection`.

    Errors are the driver's (`DriverError`); an answer that takes longer than `read_timeout_s` is
    one too. Whoever gives up while a statement runs leaves the connection closed, and the pool
    replaces it.

    The driver has such a timeout itself, on `asyncio.wait_for`, which in Python 3.11 may lose the
    cancellation of its caller (python/cpython#86296): what should end then runs on.
    """

    __slots__ = ("_read_timeout_s", "driver")

    def __init__(self, driver: Any, read_timeout_s: float) -> None:
        self.driver = driver
        self._read_timeout_s = read_timeout_s

    async def execute(
        self, statement: TextClause, parameters: Parameters | Sequence[Parameters] | None = None, /
    ) -> Rows:
        """Runs a statement; of several parameters, one INSERT of as many rows.

        Raises:
            KeyError: a parameter is missing.
            DriverError: the server refused it, or was lost.
        """
        sql = _driver_sql(statement.text)
        if parameters is None or isinstance(parameters, Mapping):
            return await self._run(sql, _sequences_as_tuples(parameters or {}))
        cursor = self.driver.cursor()
        await self._answered(cursor.executemany(sql, list(parameters)))
        return Rows((), (), cursor.rowcount)

    async def exec_driver_sql(self, statement: str, parameters: Any = None, /) -> Rows:
        """Runs a statement with the driver's placeholders, `%s`. Raises as `execute`."""
        return await self._run(statement, parameters)

    async def commit(self) -> None:
        """Commits what `begin` began. Raises as `execute`."""
        await self._answered(self.driver.commit())

    async def _run(self, sql: str, parameters: Any) -> Rows:
        cursor = self.driver.cursor()
        await self._answered(cursor.execute(sql, parameters))
        if cursor.description is None:
            return Rows((), (), cursor.rowcount)
        names = tuple([column[0] for column in cursor.description])
        return Rows(names, await cursor.fetchall(), cursor.rowcount)

    async def _answered(self, answer: Awaitable[AnswerT]) -> AnswerT:
        try:
            async with asyncio.timeout(self._read_timeout_s):
                return await answer
        except TimeoutError:
            raise OperationalError(
                CR_SERVER_LOST, "Lost connection to MySQL server during query (read timeout)"
            ) from None


def _sequences_as_tuples(parameters: Parameters) -> dict[str, Any]:
    """The driver makes a parenthesis of a tuple. Of none it would make `()`, which is no SQL."""
    made = dict(parameters)
    for name, value in parameters.items():
        if isinstance(value, list | tuple):
            made[name] = tuple(value) or (None,)
    return made


@lru_cache(maxsize=_KNOWN_STATEMENTS)
def _driver_sql(text: str) -> str:
    """With the driver's placeholders."""
    return _PARAMETER.sub(r"%(\1)s", text.replace("%", "%%"))


@lru_cache(maxsize=_KNOWN_STATEMENTS)
def _row_type(names: tuple[str, ...]) -> Any:
    return namedtuple("Row", names, rename=True)  # noqa: PYI024 - its fields are the statement's
