"""HTTP/1.1 parsing with what uvicorn leaves out: bounds of a connection, problems."""

import asyncio
import math
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from sheaf_gateway import metrics
from sheaf_gateway.api.edge import QUIET_PATHS
from sheaf_gateway.api.problems import MEDIA_TYPE, plain_problem
from sheaf_gateway.service.spread import spread_s

MAX_HEAD_BYTES: Final = 64 * 1024
ABORT: Final = "sheaf.abort"
"""The ASGI extension that cuts a connection at once, whatever is still to be sent."""
_LINGER_S: Final = 1.0
_OPERATORS: Final = 64
"""Connections beyond the bound on which what operators ask is still answered."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """A connection. The head of a request has a size limit and a time limit.

    What is sent must be taken: a client that takes nothing for `write_timeout_s` while more waits
    for it is cut off. Beyond `max_connections` only what operators ask is answered, and beyond
    that by some more, nothing: the connection is closed.
    """

    head_timeout_s: float = 15.0
    write_timeout_s: float = 60.0
    max_connections: int = 8192

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._in_head = True
        self._refused = False
        self._was_superfluous = False
        self._head_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._untaken_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first head is awaited from here on."""
        super().connection_made(transport)
        metrics.CONNECTIONS.set(len(self.connections))
        self._was_superfluous = len(self.connections) > self.max_connections
        if len(self.connections) > self.max_connections + _OPERATORS:
            metrics.HTTP_REFUSALS.labels("connections").inc()
            transport.abort()
            return
        self._start_timer(self.head_timeout_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any longer."""
        self._stop_timer()
        self._stop_stall_timer()
        super().connection_lost(exc)
        metrics.CONNECTIONS.set(len(self.connections))

    def pause_writing(self) -> None:
        """More is to be sent than the client takes."""
        super().pause_writing()
        self._untaken_bytes = self.transport.get_write_buffer_size()
        self._stall_timer = self.loop.call_later(self.write_timeout_s, self._look_at_stall)

    def resume_writing(self) -> None:
        """The client has taken what waited."""
        self._stop_stall_timer()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Counts what belongs to a head that is not complete."""
        if self._refused:
            return
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES and not self._refused:
            self._refuse(431, f"the request's head is larger than {MAX_HEAD_BYTES} bytes")

    def on_message_begin(self) -> None:
        """A head begins."""
        if self._refused:
            return
        self._in_head = True
        self._head_bytes = 0
        self._start_timer(self.head_timeout_s)
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: self.transport.abort}  # type: ignore[dict-item]

    def on_headers_complete(self) -> None:
        """The head is complete."""
        if self._refused:
            return
        self._in_head = False
        self._stop_timer()
        if self._is_superfluous() and not self._asked_by_operators():
            metrics.HTTP_REFUSALS.labels("connections").inc()
            self._refuse(503, "too many connections are open", retry_after_s=spread_s(1))
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Nobody reads the body of a request that was refused."""
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """As of its body."""
        if not self._refused:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn answers to bytes that are no HTTP."""
        self._refuse(400, msg)

    def _is_superfluous(self) -> bool:
        """Whether it came when there were enough, there still are, and nothing is under way."""
        cycle: RequestResponseCycle | None = self.cycle
        idle = cycle is None or cycle.response_complete
        return self._was_superfluous and idle and len(self.connections) > self.max_connections

    def _asked_by_operators(self) -> bool:
        return self.url.partition(b"?")[0].rstrip(b"/").decode("latin-1") in QUIET_PATHS

    def _refuse(self, status: int, detail: str, *, retry_after_s: float | None = None) -> None:
        """Answers and hangs up; what still comes is dropped, so that the answer is read."""
        self._refused = True
        answer = plain_problem(status, detail)
        head = (
            f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(answer.body)}\r\n"
            "connection: close\r\n"
        )
        if retry_after_s is not None:
            head += f"retry-after: {math.ceil(retry_after_s)}\r\n"
        head += "\r\n"
        self.transport.write(STATUS_LINE[status] + head.encode() + answer.body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._start_timer(_LINGER_S)

    def _start_timer(self, seconds: float) -> None:
        self._stop_timer()
        self._head_timer = self.loop.call_later(seconds, self.transport.close)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _look_at_stall(self) -> None:
        """Cuts the client off, unless it has taken something since the last look."""
        untaken_bytes = self.transport.get_write_buffer_size()
        if untaken_bytes >= self._untaken_bytes:
            metrics.HTTP_REFUSALS.labels("stalled").inc()
            self.transport.abort()
            return
        self._untaken_bytes = untaken_bytes
        self._stall_timer = self.loop.call_later(self.write_timeout_s, self._look_at_stall)

    def _stop_stall_timer(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None
