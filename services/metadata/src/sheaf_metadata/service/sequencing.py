"""Gives committed events their positions, and keeps the latest at hand for those who follow.

Runs in every metadata process, for all of them: who finds another at it leaves it to that one.
While somebody follows, an event of this process gets its position at once if none did in the
last 100 ms, and within about 100 ms if not, 150 where many come: a round costs about as much for
ten events as for one. While nobody follows it is within about a second.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import Final

import structlog

from sheaf_common.backoff import backoff_s
from sheaf_common.errors import SheafError
from sheaf_metadata.domain.events import MAX_PAGE, Event, Span
from sheaf_metadata.ports.changes import Announcer, Changes
from sheaf_metadata.ports.events import EventLog, Placed, Positions
from sheaf_metadata.service.event_tail import EventTail
from sheaf_metadata.service.observer import Observer
from sheaf_metadata.service.waiting import EventsPlaced, Waiters

log = structlog.get_logger()

_FOLLOWED_S: Final = 0.1
_BUSY_S: Final = 0.15
_BUSY_EVENTS: Final = 10
"""In one round."""
_ALONE_S: Final = 1.0
_STILL_FOLLOWED_S: Final = 10.0
"""After the last of those who followed has been answered: it asks again."""
_FULL_S: Final = 0.02
"""Between rounds while more wait than one takes: others need the database too."""
_TRIES_MAX: Final = 8
_BACKOFF_BASE_S: Final = 0.1
_BACKOFF_LIMIT_S: Final = 5.0


class Sequencer:
    """`run` for the process's life. `tail` is this object's to write."""

    def __init__(
        self,
        positions: Positions,
        events: EventLog,
        tail: EventTail,
        waiters: Waiters,
        observer: Observer,
    ) -> None:
        self._positions = positions
        self._events = events
        self._tail = tail
        self._waiters = waiters
        self._observer = observer
        self._began = False
        self._likely = False
        """Whether the last round placed some: then the next does so without looking first."""
        self._due = asyncio.Event()
        self._followers = 0
        self._followed_until = 0.0
        self._next_at = 0.0

    @property
    def followed(self) -> bool:
        """Whether somebody waits for events, or did a moment ago."""
        return self._followers > 0 or time.monotonic() < self._followed_until

    @contextlib.contextmanager
    def following(self) -> Iterator[None]:
        """Somebody waits for events while the block runs."""
        if not self.followed:
            self._due.set()
        self._followers += 1
        try:
            yield
        finally:
            self._followers -= 1
            self._followed_until = time.monotonic() + _STILL_FOLLOWED_S

    def wake(self) -> None:
        """Says that events were committed. Never blocks."""
        if self.followed:
            self._due.set()

    async def run(self) -> None:
        """Runs until cancelled. A database that fails is tried again, ever more seldom."""
        failures = 0
        while True:
            try:
                more = await self.round()
            except SheafError as error:
                failures = min(failures + 1, _TRIES_MAX)
                log.warning("events got no position", reason=error.reason, detail=error.message)
                await asyncio.sleep(
                    backoff_s(failures, base_s=_BACKOFF_BASE_S, limit_s=_BACKOFF_LIMIT_S)
                )
                continue
            failures = 0
            if more:
                await asyncio.sleep(_FULL_S)
            else:
                await self._until_due()

    async def round(self) -> bool:
        """Places what waits now; says whether there was more than one round takes.

        Raises:
            SheafError: as `Positions` and `EventLog`.
        """
        placed = await self._place()
        self._likely = placed is not None and bool(placed.events)
        if placed is None or not placed.events:
            return False
        busy = len(placed.events) >= _BUSY_EVENTS
        self._next_at = time.monotonic() + (_BUSY_S if busy else _FOLLOWED_S)
        self._observer.placed(placed.ages_s)
        self._tell(placed.events, placed.events[-1].position)
        return len(placed.events) == MAX_PAGE

    async def _place(self) -> Placed | None:
        """What was placed, with the tail brought to what comes before it; None if nothing was."""
        if not self._likely:
            seen = await self._positions.look()
            if not self._began:
                self._began = True
                self._begin(seen.last)
            if not seen.waits:
                await self._catch_up(seen.last)
                return None
        placed = await self._positions.place(MAX_PAGE)
        # If another process does it now, this one sees what that had done before.
        last = (await self._positions.look()).last if placed is None else placed.before
        await self._catch_up(last)
        return placed

    async def _catch_up(self, last: int) -> None:
        """Brings the tail to what other processes have placed."""
        if last <= self._tail.until:
            return
        if not self.followed or last - self._tail.until > self._tail.keep:
            self._begin(last)
            return
        while self._tail.until < last:
            page = await self._events.after(Span(self._tail.until, last), MAX_PAGE)
            self._tell(page, page[-1].position if len(page) == MAX_PAGE else last)

    def _begin(self, last: int) -> None:
        """What came before is read by those who need it."""
        self._tail.begin(last)
        self._waiters.wake([EventsPlaced()])

    def _tell(self, events: Sequence[Event], until: int) -> None:
        self._tail.extend(events, until)
        self._waiters.wake([EventsPlaced()])

    async def _until_due(self) -> None:
        period_s = _FOLLOWED_S if self.followed else _ALONE_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(period_s):
                await self._due.wait()
        self._due.clear()
        await asyncio.sleep(self._next_at - time.monotonic())


class SequencedAnnouncer:
    """An `Announcer` that tells the sequencer too."""

    def __init__(self, announcer: Announcer, sequencer: Sequencer) -> None:
        self._announcer = announcer
        self._sequencer = sequencer

    def announce(self, changes: Changes) -> None:
        """See `Announcer`."""
        self._announcer.announce(changes)
        self._sequencer.wake()
