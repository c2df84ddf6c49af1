"""What the database's errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sheaf_common.errors import DeadlineExceeded, OverCapacity, SheafError, Unavailable
from sheaf_common.pools.database_connection import DriverError

DUPLICATE_KEY: Final = 1062
_DEADLOCK: Final = 1213
_LOCK_WAIT: Final = 1205
_STATEMENT_TIMEOUTS: Final = frozenset({1969, 3024})  # MariaDB, MySQL
_GONE: Final = frozenset(
    {
        1040,  # too many connections
        1053,  # shutdown in progress
        1152,  # aborted connection
        1203,  # the user has too many connections
        1290,  # read-only: a failover
        1792,  # as above
        1836,  # as above
        1927,  # connection was killed
        2002,  # cannot connect
        2003,  # cannot connect
        2006,  # gone away
        2013,  # lost during a query
        2014,  # out of sync
        2055,  # lost
    }
)


class LockFailure(Enum):
    """Why a transaction may be repeated at once."""

    DEADLOCK = _DEADLOCK
    LOCK_WAIT = _LOCK_WAIT


def error_number(error: BaseException) -> int | None:
    """The server's or driver's number of an error, if it has one."""
    if isinstance(error, DriverError) and error.args and isinstance(error.args[0], int):
        return error.args[0]
    return None


def lock_failure(error: BaseException) -> LockFailure | None:
    """Which lock failure an error is, if it is one."""
    number = error_number(error)
    return LockFailure(number) if number in (_DEADLOCK, _LOCK_WAIT) else None


def connection_lost(error: BaseException) -> bool:
    """Whether an error means that the connection is of no use any longer."""
    if isinstance(error, DriverError):
        return error_number(error) in _GONE
    return isinstance(error, OSError | EOFError)


def translated(error: Exception) -> SheafError | None:
    """The error that stands for one of the database; None if it is a bug."""
    if isinstance(error, SheafError):
        return error
    if isinstance(error, PoolTimeout):
        return OverCapacity(
            "DATABASE_POOL_TIMEOUT",
            "no database connection became free in time",
            retry_after_s=1.0,
        )
    if connection_lost(error):
        return Unavailable(
            "DATABASE_UNAVAILABLE", "the database does not answer", retry_after_s=1.0
        )
    if error_number(error) in _STATEMENT_TIMEOUTS:
        return DeadlineExceeded("STATEMENT_TIMEOUT", "the database took too long")
    return None


@contextmanager
def database_errors() -> Iterator[None]:
    """Raises the error that stands for what the block meets in the database."""
    try:
        yield
    except (DriverError, SQLAlchemyError, OSError, EOFError) as error:
        meaning = translated(error)
        if meaning is None:
            raise
        raise meaning from error
