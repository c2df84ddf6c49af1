"""An answer that lies ready for its client: what counts is whether some of it is taken."""

import asyncio
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from sheaf_gateway.api.protocol import BoundedHttpProtocol
from support.waiting import until


class FakeTransport(asyncio.Transport):
    """Holds as much as the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.held_bytes = 0
        self.looks = 0
        self.aborted = False

    def get_write_buffer_size(self) -> int:
        """As set; something is taken before each look but the last ones."""
        self.looks += 1
        self.held_bytes = max(1000, self.held_bytes - 1000)
        return self.held_bytes

    def abort(self) -> None:
        """Notes it."""
        self.aborted = True


def connection(transport: FakeTransport) -> BoundedHttpProtocol:
    """A connection that looks each millisecond."""

    class Protocol(BoundedHttpProtocol):
        write_timeout_s = 0.001

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        """Never called."""

    config = uvicorn.Config(app, log_config=None, lifespan="off")
    config.load()
    made = Protocol(config=config, server_state=ServerState(), app_state={})
    made.connection_made(transport)
    return made


async def test_a_slow_client_gets_all_the_time_that_it_takes() -> None:
    """It is cut off at the first look before which it took nothing."""
    transport = FakeTransport()
    transport.held_bytes = 20_000
    made = connection(transport)
    made.pause_writing()
    await until(lambda: transport.aborted)
    made.connection_lost(ConnectionAbortedError())

    assert transport.looks == 20


async def test_who_has_taken_all_is_not_looked_at_any_more() -> None:
    """Until something waits for it again."""
    transport = FakeTransport()
    made = connection(transport)
    made.pause_writing()
    made.resume_writing()
    assert made._stall_timer is None
    made.connection_lost(ConnectionAbortedError())
    assert not transport.aborted
