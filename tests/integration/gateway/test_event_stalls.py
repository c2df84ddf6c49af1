"""A client that takes nothing is cut: what is sent to it is not kept for ever."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from litestar.types import Receive, Scope, Send

from sheaf_common.lifecycle import Lifecycle
from sheaf_gateway.admission_settings import AdmissionSettings
from sheaf_gateway.api import event_stream
from sheaf_gateway.api.event_stream import EventStreamAnswer, StreamTimes
from sheaf_gateway.api.server import http_server
from sheaf_gateway.events import Event
from sheaf_gateway.service.following import EventStream
from sheaf_gateway.settings import HttpSettings
from support.gateway_event_fakes import FakeEventLog
from support.waiting import until


class Endless:
    """A stream that always has more."""

    ended = over = False
    begun_after = 0

    def __init__(self) -> None:
        log = FakeEventLog()
        log.document(*["processing"] * 1000)
        self._events = log.events

    def wake(self) -> None:
        """Nothing waits."""

    async def next(self, _patience_s: float) -> Sequence[Event]:
        """A thousand events."""
        await asyncio.sleep(0)
        return self._events


async def test_a_client_that_reads_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time that a write may take; what the gateway held for it is dropped, mid-chunk."""
    monkeypatch.setattr(event_stream, "_STALL_S", 0.2)
    ends: list[BaseException | None] = []

    @asynccontextmanager
    async def opened() -> AsyncIterator[tuple[EventStream, Sequence[Event]]]:
        yield cast("EventStream", Endless()), ()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        answer = EventStreamAnswer(opened(), allowed, StreamTimes(15, 3600))
        try:
            await answer(scope, receive, send)
            ends.append(None)
        except BaseException as error:
            ends.append(error)
            raise

    async def allowed() -> Any:
        raise AssertionError("nobody asks so soon")

    lifecycle = Lifecycle()
    settings = HttpSettings().model_copy(update={"host": "127.0.0.1", "port": 0, "drain_s": 1})
    with socket.socket() as client:
        async with http_server(app, settings, AdmissionSettings(), lifecycle) as port:
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, ("127.0.0.1", port))
            await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            await until(lambda: ends == [None])
            received = b""
            while piece := await loop.sock_recv(client, 2**20):
                received += piece
            assert received.startswith(b"HTTP/1.1 200")
            assert not received.endswith(b"\n\n\r\n")
            lifecycle.stop()
