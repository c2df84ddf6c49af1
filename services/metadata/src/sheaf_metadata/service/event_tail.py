"""The latest events, in memory: what many wait for is read once."""

from bisect import bisect_right
from collections.abc import Sequence

from sheaf_metadata.domain.events import MAX_POSITION, Event


class EventTail:
    """Every event of the positions in (`start`, `until`]; at least the last `keep` of them.

    At twice as many the older half is forgotten. Before `begin` there is nothing.
    """

    def __init__(self, keep: int) -> None:
        self.keep = keep
        self._events: list[Event] = []
        self.start = self.until = MAX_POSITION

    def begin(self, position: int) -> None:
        """Forgets everything; what is added comes after that position."""
        self._events.clear()
        self.start = self.until = position

    def extend(self, events: Sequence[Event], until: int) -> None:
        """Adds all that there is of (`self.until`, `until`]."""
        self._events.extend(events)
        self.until = until
        if len(self._events) >= 2 * self.keep:
            self.start = self._events[-self.keep - 1].position
            del self._events[: -self.keep]

    def after(self, position: int, limit: int) -> Sequence[Event] | None:
        """At most so many after a position; None if some of them are forgotten."""
        if position < self.start:
            return None
        first = bisect_right(self._events, position, key=_position)
        return self._events[first : first + limit]


def _position(event: Event) -> int:
    return event.position
