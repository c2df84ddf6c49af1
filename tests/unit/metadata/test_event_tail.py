"""The latest events in memory: what is there is whole, and what is forgotten is known to be."""

from datetime import UTC, datetime

from sheaf_common.ids import new_id
from sheaf_metadata.domain.documents import Status
from sheaf_metadata.domain.events import Event
from sheaf_metadata.service.event_tail import EventTail


def events(first: int, last: int, step: int = 1) -> list[Event]:
    """Events at these positions."""
    return [
        Event(
            position,
            "document.queued",
            new_id(),
            new_id(),
            "ann",
            Status.QUEUED,
            1,
            None,
            datetime.now(UTC),
        )
        for position in range(first, last + 1, step)
    ]


def positions(found: object) -> list[int] | None:
    """Those of what was found."""
    return None if found is None else [event.position for event in found]  # type: ignore[attr-defined]


def test_nothing_is_known_before_it_begins() -> None:
    """Whoever asks has to read the record."""
    tail = EventTail(10)
    assert tail.after(0, 10) is None
    tail.begin(7)
    assert (tail.after(6, 10), positions(tail.after(7, 10))) == (None, [])


def test_what_is_there_is_whole_and_in_order() -> None:
    """From any position in it, as many as are asked for; there may be gaps."""
    tail = EventTail(10)
    tail.begin(5)
    tail.extend(events(6, 10, 2), 11)
    assert tail.until == 11
    assert positions(tail.after(5, 2)) == [6, 8]
    assert positions(tail.after(7, 9)) == [8, 10]
    assert positions(tail.after(11, 9)) == []


def test_it_is_bounded_and_knows_what_it_has_forgotten() -> None:
    """The last are there; who asks for more is sent to the record, never told too little."""
    tail = EventTail(10)
    tail.begin(0)
    for first in range(1, 400, 3):
        tail.extend(events(first, first + 2), first + 2)
        assert len(tail._events) <= 22
        assert positions(tail.after(tail.start, 999)) == list(range(tail.start + 1, first + 3))
        assert tail.after(tail.start - 1, 1) is None or tail.start == 0
    assert tail.start > 370
