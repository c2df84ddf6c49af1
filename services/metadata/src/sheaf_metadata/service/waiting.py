"""Those who wait for a change, and how they are woken.

A signal is only a reason to look again: it may come twice, or for nothing; one that is lost
is made good by looking again after a while. So nothing here needs Redis to be right.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sheaf_common import context
from sheaf_common.errors import OverCapacity
from sheaf_metadata.domain.documents import Lane

_ANSWER_S: Final = 0.25
"""What a waiting call leaves of its deadline, so that it answers before it ends."""


def ends_at(wait_s: float) -> float:
    """When a wait ends, by the monotonic clock: before the call's own deadline."""
    return time.monotonic() + context.time_left_s(wait_s + _ANSWER_S) - _ANSWER_S


@dataclass(frozen=True, slots=True)
class DocumentEnded:
    """A document reached a terminal status, or is deleted."""

    document_id: UUID


@dataclass(frozen=True, slots=True)
class BatchEnded:
    """A batch finished."""

    batch_id: UUID


@dataclass(frozen=True, slots=True)
class WorkQueued:
    """Documents were queued in a lane."""

    lane: Lane


@dataclass(frozen=True, slots=True)
class PlaceFreed:
    """A workflow of a lane holds nothing any longer."""

    lane: Lane


@dataclass(frozen=True, slots=True)
class EventsPlaced:
    """More events can be followed."""


Topic = DocumentEnded | BatchEnded | WorkQueued | PlaceFreed | EventsPlaced


class Signal:
    """Tells one waiter that something of its topics happened."""

    def __init__(self, *, closed: bool) -> None:
        self._event = asyncio.Event()
        self._closed = closed

    def set(self, *, closed: bool = False) -> None:
        """Wakes the waiter."""
        self._closed = self._closed or closed
        self._event.set()

    def clear(self) -> None:
        """Forgets what happened; call it before looking, so that nothing is missed."""
        self._event.clear()

    @property
    def closed(self) -> bool:
        """Whether the process is stopping: do not wait any longer."""
        return self._closed

    async def wait(self, timeout_s: float) -> bool:
        """Returns True when something happened, or False after `timeout_s`."""
        if self._closed or timeout_s <= 0:
            return False
        try:
            async with asyncio.timeout(timeout_s):
                return await self._event.wait()
        except TimeoutError:
            return False


class Waiters:
    """Everyone in this process who waits; at most `limit` at once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0
        self._closed = False
        self._signals: defaultdict[Hashable, set[Signal]] = defaultdict(set)

    @property
    def count(self) -> int:
        """How many wait now."""
        return self._count

    @contextmanager
    def waiting_for(self, *topics: Topic) -> Iterator[Signal]:
        """A signal for those topics, for as long as the block runs.

        Raises:
            OverCapacity: `WAITERS_EXHAUSTED`, if too many wait already.
        """
        if self._count >= self._limit:
            raise OverCapacity(
                "WAITERS_EXHAUSTED",
                f"{self._limit} calls wait already",
                evidence={"limit": str(self._limit)},
                retry_after_s=1.0,
            )
        signal = Signal(closed=self._closed)
        self._count += 1
        for topic in topics:
            self._signals[topic].add(signal)
        try:
            yield signal
        finally:
            self._count -= 1
            for topic in topics:
                remaining = self._signals[topic]
                remaining.discard(signal)
                if not remaining:
                    del self._signals[topic]

    def wake(self, topics: Iterable[Topic]) -> None:
        """Wakes all who wait for one of the topics."""
        for topic in topics:
            for signal in self._signals.get(topic, ()):
                signal.set()

    def close(self) -> None:
        """Wakes everyone for good: the process is stopping."""
        self._closed = True
        for signals in self._signals.values():
            for signal in signals:
                signal.set(closed=True)
