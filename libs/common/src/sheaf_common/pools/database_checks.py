"""Checking a connection before it is used.

Whether the server has closed it is known without asking: the event loop has seen the end of
the stream. Only a connection that has rested is pinged, since a network may have forgotten
it; to ping each time costs a third of a small read. HikariCP does the same, with the same
half second (its `aliveBypassWindowMs`).
"""

import asyncio
import time
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.util.concurrency import await_

RESTED_S: Final = 0.5
_RETURNED_AT: Final = "sheaf_returned_at"


def check_before_use(engine: Engine, ping_timeout_s: float) -> None:
    """From now on a dead connection is replaced, and so are all older ones, before its use."""

    async def ping(driver: Any) -> None:
        async with asyncio.timeout(ping_timeout_s):
            await driver.ping(reconnect=False)

    def on_return(_connection: Any, record: Any) -> None:
        record.info[_RETURNED_AT] = time.monotonic()

    def before_use(connection: Any, record: Any, _proxy: Any) -> None:
        returned_at = record.info.get(_RETURNED_AT)
        if returned_at is None:  # new
            return
        if is_closed(connection.driver_connection):
            raise InvalidatePoolError("the server has closed the connection")
        if time.monotonic() - returned_at < RESTED_S:
            return
        try:
            await_(ping(connection.driver_connection))
        except Exception as error:
            raise InvalidatePoolError("the connection does not answer") from error

    event.listen(engine, "checkin", on_return)
    event.listen(engine, "checkout", before_use)


def is_closed(connection: Any) -> bool:
    """Whether asyncmy's stream has ended, by either side or by an error."""
    stream = connection._proto  # noqa: SLF001 - asyncmy does not tell it otherwise
    return bool(stream is None or stream.eof or stream.exc is not None or not connection.connected)
