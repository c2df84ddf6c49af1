"""One poll of a process for all who follow: its events are handed on in memory."""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

import structlog

from sheaf_common.backoff import backoff_s
from sheaf_common.errors import SheafError
from sheaf_gateway.events import Event, Followed
from sheaf_gateway.ports.events import EventLog

log = structlog.get_logger()

_POLL_S: Final = 20.0
_LINGER_S: Final = 30.0
"""How long it goes on after the last listener: the next is then served without a wait."""
_QUEUED_EVENTS: Final = 128
_BACKOFF_BASE_S: Final = 0.05
_BACKOFF_LIMIT_S: Final = 3.0
_MAX_FAILURES: Final = 10


class Listener:
    """What one stream has still to take: bounded; what does not fit is left in the record.

    Every event after `start` is offered, in order. From the first that does not fit on, none is
    taken until `resume`: whoever listens reads the rest from the record.
    """

    def __init__(self, start: int, limit: int = _QUEUED_EVENTS) -> None:
        self.start = start
        self.lagging = False
        self._limit = limit
        self._queue: deque[Event] = deque()
        self._woken = asyncio.Event()

    def offer(self, event: Event) -> None:
        """Takes an event if there is room."""
        if self.lagging or len(self._queue) >= self._limit:
            self.lagging = True
        else:
            self._queue.append(event)
        self._woken.set()

    def wake(self) -> None:
        """Makes the next `wait` return at once."""
        self._woken.set()

    def take(self) -> tuple[Event, ...]:
        """What is queued; it is then no longer."""
        taken = tuple(self._queue)
        self._queue.clear()
        return taken

    async def wait(self, timeout_s: float) -> None:
        """Returns when there is something, when it was woken, or after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()


class EventHub:
    """`run` for the process's life; it polls only while somebody listens.

    While metadata is down nothing is handed on; it goes on from its position then.
    """

    def __init__(self, events: EventLog, *, linger_s: float = _LINGER_S) -> None:
        self._events = events
        self._linger_s = linger_s
        self._listeners: defaultdict[tuple[str, str], set[Listener]] = defaultdict(set)
        self._count = 0
        self._left_at = 0.0
        self._wanted = asyncio.Event()
        self._ready = asyncio.Event()
        self._position = 0
        self._failures = 0
        self.closed = False

    @property
    def position(self) -> int:
        """Every event up to this one was offered to those who listened."""
        return self._position

    def close(self) -> None:
        """Wakes all listeners for good: the process is stopping."""
        self.closed = True
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.wake()

    @asynccontextmanager
    async def listening(self, followed: Followed) -> AsyncIterator[Listener]:
        """A listener for as long as the block runs.

        Waits until the hub knows its position; the caller has a deadline for that.
        """
        self._count += 1
        self._wanted.set()
        key = followed.kind, followed.identifier
        listener: Listener | None = None
        try:
            await self._ready.wait()
            listener = Listener(self._position)
            self._listeners[key].add(listener)
            yield listener
        finally:
            self._count -= 1
            self._left_at = time.monotonic()
            if listener is not None:
                self._listeners[key].discard(listener)
                if not self._listeners[key]:
                    del self._listeners[key]

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            await self._wanted.wait()
            if self._count or time.monotonic() - self._left_at < self._linger_s:
                await self._poll()
            else:
                self._wanted.clear()
                self._ready.clear()

    async def _poll(self) -> None:
        known = self._ready.is_set()
        try:
            page = await self._events.poll(self._position if known else None, wait_s=_POLL_S)
        except SheafError as error:
            if not self._failures:
                log.warning("events cannot be followed", reason=error.reason)
            self._failures = min(self._failures + 1, _MAX_FAILURES)
            await asyncio.sleep(
                backoff_s(self._failures, base_s=_BACKOFF_BASE_S, limit_s=_BACKOFF_LIMIT_S)
            )
            return
        if self._failures:
            log.info("events are followed again")
        self._failures = 0
        if known:
            self._hand_on(page.events)
        self._position = page.position
        self._ready.set()

    def _hand_on(self, events: Iterable[Event]) -> None:
        for event in events:
            for key in (
                ("document", event.document_id or ""),
                ("batch", event.batch_id),
                ("user", event.user_id),
            ):
                for listener in self._listeners.get(key, ()):
                    listener.offer(event)
