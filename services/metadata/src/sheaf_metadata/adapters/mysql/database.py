"""Reads and short transactions over the pool."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import structlog

from sheaf_common.backoff import backoff_s
from sheaf_common.errors import Conflict, DeadlineExceeded, Unavailable
from sheaf_common.pools.database import DatabasePool, begin
from sheaf_common.pools.database_connection import SqlConnection
from sheaf_common.telemetry import tracing
from sheaf_common.telemetry.tracing import NO_SPAN, Kind, Span
from sheaf_metadata.adapters.metrics import DATABASE_RETRIES, DATABASE_SECONDS
from sheaf_metadata.adapters.mysql.errors import connection_lost, database_errors, lock_failure

log = structlog.get_logger()

_TRIES: Final = 4
"""A transaction that meets a lock failure is repeated up to three times."""
_BACKOFF_BASE_S: Final = 0.005
_BACKOFF_LIMIT_S: Final = 0.1
LOCK_WAIT_S: Final = 1
"""The longest wait for a row: the least that the server knows, and about as long as a
transaction may last."""

ResultT = TypeVar("ResultT")
Work = Callable[[SqlConnection], Awaitable[ResultT]]


class Database:
    """The pool as the use cases see it.

    `transaction_s` is how long a transaction may hold locks before it commits.
    """

    def __init__(self, pool: DatabasePool, *, transaction_s: float) -> None:
        self._pool = pool
        self._transaction_s = transaction_s

    async def ping(self) -> None:
        """Returns if the database answers.

        Raises:
            SheafError: it does not.
        """
        async with self.reading("ping") as connection:
            await connection.exec_driver_sql("SELECT 1")

    @asynccontextmanager
    async def reading(self, use_case: str) -> AsyncIterator[SqlConnection]:
        """A connection for reading.

        Raises:
            Unavailable: `DATABASE_UNAVAILABLE`.
            OverCapacity: `DATABASE_POOL_TIMEOUT`.
            DeadlineExceeded: `STATEMENT_TIMEOUT`.
        """
        started = time.perf_counter()
        try:
            with _span(use_case), database_errors():
                async with self._pool.connection() as connection:
                    yield connection
        finally:
            DATABASE_SECONDS.labels(use_case).observe(time.perf_counter() - started)

    async def transaction(self, use_case: str, work: Work[ResultT]) -> ResultT:
        """Does `work` in one transaction and commits it.

        `work` may run several times: after a deadlock or a lock wait all of it is repeated.
        Once the commit has been sent it is waited for, even if the caller is cancelled.

        Raises:
            Conflict: `LOCK_CONFLICT`, if repeating did not help.
            Unavailable: also `COMMIT_UNKNOWN`, when the connection was lost while committing.
            DeadlineExceeded: `TRANSACTION_TIMEOUT`; it was rolled back.
            SheafError: as `reading`; what `work` raises passes, and rolls back.
        """
        started = time.perf_counter()
        try:
            with _span(use_case) as span, database_errors():
                return await self._repeated(use_case, work, span)
        finally:
            DATABASE_SECONDS.labels(use_case).observe(time.perf_counter() - started)

    async def _repeated(self, use_case: str, work: Work[ResultT], span: Span) -> ResultT:
        for tries in range(_TRIES):
            try:
                return await self._once(work)
            except Exception as error:
                failure = lock_failure(error)
                if failure is None:
                    raise
                DATABASE_RETRIES.labels(failure.name.lower()).inc()
                log.info("transaction repeated", use_case=use_case, cause=failure.name.lower())
                span.set("sheaf.retries", tries + 1)
            await asyncio.sleep(backoff_s(tries, base_s=_BACKOFF_BASE_S, limit_s=_BACKOFF_LIMIT_S))
        raise Conflict("LOCK_CONFLICT", f"{use_case} lost every race for its rows")

    async def _once(self, work: Work[ResultT]) -> ResultT:
        async with self._pool.connection() as connection:
            try:
                async with asyncio.timeout(self._transaction_s) as bound:
                    await begin(connection)
                    result = await work(connection)
            except TimeoutError:
                if not bound.expired():
                    raise
                raise DeadlineExceeded(
                    "TRANSACTION_TIMEOUT",
                    f"the transaction was not done in {self._transaction_s:g} s",
                ) from None
            await _commit(connection)
            return result


def _span(use_case: str) -> Span:
    """A use case's, the wait for a connection included; no statement, which may hold values."""
    if tracing.current() is None:
        return NO_SPAN
    attributes = {"db.system.name": "mysql", "db.operation.name": use_case}
    return tracing.span(f"mysql {use_case}", Kind.CLIENT, attributes)


async def _commit(connection: SqlConnection) -> None:
    """Commits, whatever becomes of the caller meanwhile.

    Raises:
        Unavailable: `COMMIT_UNKNOWN`.
    """
    committing = asyncio.ensure_future(connection.commit())
    try:
        await asyncio.shield(committing)
    except asyncio.CancelledError:
        while not committing.done():
            try:
                await asyncio.wait([committing])
            except asyncio.CancelledError:
                continue
        if not committing.cancelled():
            committing.exception()
        raise
    except Exception as error:
        if connection_lost(error):
            raise Unavailable(
                "COMMIT_UNKNOWN",
                "the database was lost while it committed: ask again",
                retry_after_s=1.0,
            ) from error
        raise
