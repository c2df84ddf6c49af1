"""HTTP/1.1 parsing with what uvicorn leaves out: bounds on a request's head, problems."""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from sheaf_gateway.api.problems import MEDIA_TYPE, plain_problem

MAX_HEAD_BYTES: Final = 64 * 1024
ABORT: Final = "sheaf.abort"
"""The ASGI extension that cuts a connection at once, whatever is still to be sent."""
_LINGER_S: Final = 1.0


class BoundedHttpProtocol(HttpToolsProtocol):
    """A connection. The head of a request has a size limit and a time limit."""

    head_timeout_s: float = 15.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._in_head = True
        self._refused = False
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first head is awaited from here on."""
        super().connection_made(transport)
        self._start_timer(self.head_timeout_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any longer."""
        self._stop_timer()
        super().connection_lost(exc)

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
        self._in_head = True
        self._head_bytes = 0
        self._start_timer(self.head_timeout_s)
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: self.transport.abort}  # type: ignore[dict-item]

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._in_head = False
        self._stop_timer()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn answers to bytes that are no HTTP."""
        self._refuse(400, msg)

    def _refuse(self, status: int, detail: str) -> None:
        """Answers and hangs up; what still comes is dropped, so that the answer is read."""
        self._refused = True
        answer = plain_problem(status, detail)
        head = (
            f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(answer.body)}\r\n"
            "connection: close\r\n\r\n"
        )
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
