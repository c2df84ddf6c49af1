"""A bounded pool of Redis connections that lets callers wait a little.

redis-py has such a pool too. This one differs in that its line is counted and timed, that
whoever waits longest is next, and that no cancellation can keep a place: theirs is given
back behind a lock, which a cancelled caller may not get.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio import Connection, ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError

from sheaf_common.telemetry.peak import RecentPeak
from sheaf_common.telemetry.pools import WaitQueue


class BoundedConnectionPool(ConnectionPool):
    """At most `max_connections` in use; one more caller waits `timeout` seconds."""

    def __init__(
        self,
        max_connections: int = 200,
        timeout: float = 0.5,
        connection_class: type[AbstractConnection] = Connection,
        **connection_options: Any,
    ) -> None:
        super().__init__(connection_class, max_connections, **connection_options)
        self.size: Final = max_connections
        self._timeout_s = timeout
        self._places = asyncio.Semaphore(max_connections)
        self._places_apart = 0
        self._queue = WaitQueue("redis")
        self._peak = RecentPeak()

    @property
    def open(self) -> int:
        """Connections to the server, in use or idle."""
        every = (*self._available_connections, *self._in_use_connections)
        return sum(bool(each.is_connected) for each in every) + self._places_apart

    @property
    def used(self) -> int:
        """Connections in use."""
        return len(self._in_use_connections) + self._places_apart

    @property
    def used_max(self) -> int:
        """The most in use at once during the last minute."""
        return self._peak.most(self.used)

    @property
    def waiting(self) -> int:
        """Callers that wait for a connection, or for theirs to be opened."""
        return self._queue.length

    async def get_connection(
        self,
        command_name: str | None = None,  # noqa: ARG002 - of the interface, for commands by name
        *_keys: Any,
        **_options: Any,
    ) -> AbstractConnection:
        """A connected connection; give it back with `release`.

        Raises:
            redis.exceptions.ConnectionError: none became free in time, or the server cannot
                be reached.
        """
        with self._queue.waiting():
            await self._wait_for_a_place()
            connection: AbstractConnection = self.get_available_connection()  # type: ignore[no-untyped-call]
            self._peak.changed(self.used - 1, self.used)
            try:
                await self.ensure_connection(connection)
            except BaseException:
                self._give_back(connection)
                raise
            return connection

    async def release(self, connection: AbstractConnection) -> None:
        """Takes a connection back. Only one that is out of date is waited for: it is closed."""
        try:
            if connection.should_reconnect():  # type: ignore[no-untyped-call]
                await connection.disconnect()
        finally:
            self._give_back(connection)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place for the block, for a connection that is not the pool's; as `get_connection`."""
        with self._queue.waiting():
            await self._wait_for_a_place()
        self._places_apart += 1
        self._peak.changed(self.used - 1, self.used)
        try:
            yield
        finally:
            self._places_apart -= 1
            self._free_place()

    def _give_back(self, connection: AbstractConnection) -> None:
        self._in_use_connections.remove(connection)
        self._available_connections.append(connection)
        self._free_place()

    def _free_place(self) -> None:
        self._peak.changed(self.used + 1, self.used)
        self._places.release()

    async def _wait_for_a_place(self) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._places.acquire()
        except TimeoutError:
            self._queue.timed_out()
            raise RedisConnectionError(
                f"no connection became free in {self._timeout_s:g} s: all {self.size} are in use"
            ) from None
