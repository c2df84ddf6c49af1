"""Server-sent events: one answer that goes on for as long as there is something to follow.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog
from litestar.types import Receive, Scope, Send

from sheaf_common.errors import PermissionDenied, SheafError, Unauthenticated
from sheaf_gateway import metrics
from sheaf_gateway.api.body import until_gone
from sheaf_gateway.api.protocol import ABORT
from sheaf_gateway.api.schemas import EventBody
from sheaf_gateway.api.streaming import Head, RawAnswer, send_head
from sheaf_gateway.events import Event
from sheaf_gateway.service.following import EventStream
from sheaf_gateway.service.places import parked

log = structlog.get_logger()

_STALL_S: Final = 20.0
"""How long a client may take nothing of what is sent before its connection is cut."""
_GONE_S: Final = 1.0
_RETRY_MS: Final = (1000, 3000)
"""Chosen for each stream: those that a stop has ended do not all come back at once."""
_KEEP_ALIVE: Final = b": keep-alive\n\n"
_HEAD: Final = Head(
    200,
    {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
        "x-content-type-options": "nosniff",
    },
)
_NOTHING_MORE: Final = Head(204, {"cache-control": "no-store"})

Opened = AbstractAsyncContextManager[tuple[EventStream, Sequence[Event]]]
StillAllowed = Callable[[], Awaitable[object]]
"""Raises Unauthenticated or PermissionDenied once the key is good no longer."""


@dataclass(frozen=True, slots=True)
class StreamTimes:
    """After how much silence a stream says that it lives, and how long it goes on at most."""

    keep_alive_s: float
    max_s: float


class EventStreamAnswer(RawAnswer):
    """Opens the stream, then sends it. What opening raises is still a problem+json.

    Ends when what is followed has ended, with the key, with the service, after a while (the client
    comes back with `Last-Event-ID`), and when the client has gone or takes nothing any more.
    """

    def __init__(self, opened: Opened, still_allowed: StillAllowed, times: StreamTimes) -> None:
        self._opened = opened
        self._still_allowed = still_allowed
        self._times = times

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the answer."""
        async with self._opened as (stream, first):
            if stream.over and not first:
                await send_head(send, _NOTHING_MORE)
                await send(_body(b"", more=False))
                return
            gone = asyncio.ensure_future(until_gone(receive))
            gone.add_done_callback(lambda _: stream.wake())
            try:
                await send_head(send, _HEAD)
                await _write(send, _opening(stream.begun_after))
                with parked():  # streams have a bound of their own
                    await self._pass_on(stream, first, gone, send)
                if not gone.done():
                    await send(_body(b"", more=False))
            except _Stalled:
                log.info("a stream was cut: its client takes nothing")
                abort: Callable[[], None] | None = _extensions(scope).get(ABORT)
                if abort is not None:
                    abort()
                await asyncio.wait([gone], timeout=_GONE_S)
            finally:
                gone.cancel()

    async def _pass_on(
        self, stream: EventStream, first: Sequence[Event], gone: "asyncio.Future[None]", send: Send
    ) -> None:
        events = first
        until = time.monotonic() + self._times.max_s
        alive_at = time.monotonic() + self._times.keep_alive_s
        sent = False
        while not gone.done():
            if events:
                await _write(send, b"".join(map(frame, events)))
                metrics.EVENTS_SENT.inc(len(events))
                sent = True
            now = time.monotonic()
            if stream.ended or now >= until:
                return
            if now >= alive_at:
                if not await self._allowed():
                    return
                if not sent:
                    await _write(send, _KEEP_ALIVE)
                alive_at, sent = time.monotonic() + self._times.keep_alive_s, False
            events = await stream.next(max(0.0, min(until, alive_at) - time.monotonic()))

    async def _allowed(self) -> bool:
        try:
            await self._still_allowed()
        except (Unauthenticated, PermissionDenied) as error:
            log.info("a stream ended with its key", reason=error.reason)
            return False
        except SheafError as error:
            log.debug("a stream's key could not be checked", reason=error.reason)
        return True


class _Stalled(Exception):
    """The client takes nothing."""


async def _write(send: Send, content: bytes) -> None:
    try:
        async with asyncio.timeout(_STALL_S):
            await send(_body(content, more=True))
    except TimeoutError as error:
        raise _Stalled from error


def _opening(position: int) -> bytes:
    """Names the position that the stream begins after.

    Whoever is cut off before the first event goes on from there.
    """
    retry_ms = random.randint(*_RETRY_MS)  # noqa: S311 - jitter
    return f"retry: {retry_ms}\nid: {position}\n\n".encode()


def _body(content: bytes, *, more: bool) -> Any:
    return {"type": "http.response.body", "body": content, "more_body": more}


def _extensions(scope: Scope) -> dict[str, Any]:
    return dict(scope.get("extensions") or {})


def frame(event: Event) -> bytes:
    """One event as it is sent. JSON has no line breaks, and a type is a word of our own."""
    data = msgspec.json.encode(
        EventBody(
            position=event.position,
            type=event.type,
            document_id=event.document_id,
            batch_id=event.batch_id,
            status=event.status,
            attempt=event.attempt,
            reason=event.reason,
            created_at=event.created_at,
        )
    )
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.position, event.type.encode(), data)
