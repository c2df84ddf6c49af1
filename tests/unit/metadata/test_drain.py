"""How fast the queues are worked off, and how often the database is asked for it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import pytest

from sheaf_common.errors import Unavailable
from sheaf_metadata.domain.documents import DocumentReferences, Lane, LaneBacklog
from sheaf_metadata.domain.drain import Drain
from sheaf_metadata.service.backlog import WatchBacklog


@dataclass
class FakeHousekeeping:
    """`Housekeeping` over events of which each is the claim of a text document."""

    newest: int = 0
    looks: int = 0
    down: bool = False

    async def backlog(self) -> Sequence[LaneBacklog]:
        """The same each time."""
        await asyncio.sleep(0)
        self.looks += 1
        return [LaneBacklog(Lane.TEXT, 7, 1.5, 2, 90), LaneBacklog(Lane.OCR, 0, 0.0, 0, 0)]

    async def newest_event(self) -> int:
        """As set."""
        if self.down:
            raise Unavailable("DATABASE_UNAVAILABLE", "down")
        return self.newest

    async def claimed_between(self, after: int, upto: int) -> Mapping[Lane, int]:
        """All of them."""
        return {Lane.TEXT: upto - after}

    async def references(self, document_ids: Sequence[UUID]) -> Sequence[DocumentReferences]:
        """Never asked."""
        raise NotImplementedError

    async def prune_events(self, min_age_s: float, max_events: int) -> int:
        """Never asked."""
        raise NotImplementedError


async def rates(claims: Sequence[int]) -> list[float]:
    """The rate as it is told each second, of so many claims in each."""
    now, house = 0.0, FakeHousekeeping()
    watch = WatchBacklog(house, lambda: now)
    told = []
    for count in claims:
        house.newest += count
        told.append((await watch.look())[0].drained_per_second)
        now += 1
    return told


async def test_a_steady_rate_is_told_as_it_is() -> None:
    """As soon as a second of it has settled, and on to the end."""
    assert await rates([10] * 40) == [0, 0, 0, *[10.0] * 37]


async def test_the_rate_is_that_of_the_last_half_minute() -> None:
    """Halfway after a stop it is half; what is older is forgotten."""
    told = await rates([10] * 40 + [0] * 40)
    assert told[40 + 2 + 15 - 1] == pytest.approx(5.0)
    assert told[-1] == 0


def test_ids_count_only_once_they_have_settled() -> None:
    """One that becomes visible late, below the highest, is among those that are asked for."""
    drain = Drain()
    assert drain.due(0.0, 100) is None
    assert drain.due(1.0, 110) is None
    assert drain.due(2.9, 130) is None
    assert drain.due(3.0, 131) == (100, 110)
    drain.add(3.0, {Lane.TEXT: 4})
    assert drain.due(4.9, 140) == (110, 130)
    assert drain.per_second(Lane.TEXT) == pytest.approx(4.0)


def test_what_could_not_be_counted_is_counted_later() -> None:
    """A failed count leaves the place from which it goes on."""
    drain = Drain()
    for second in range(10):
        drain.due(float(second), 10 * second)
    assert drain.due(10.0, 100) == (0, 80)


def test_events_that_were_all_deleted_begin_anew() -> None:
    """No rate is negative."""
    drain = Drain()
    for second in range(4):
        drain.due(float(second), 1000)
    assert drain.due(4.0, 5) is None
    assert drain.per_second(Lane.TEXT) == 0


async def test_the_backlog_is_read_once_a_second_however_many_ask() -> None:
    """At once, and one after the other."""
    now, house = 0.0, FakeHousekeeping()
    watch = WatchBacklog(house, lambda: now)
    await asyncio.gather(*(watch.recent() for _ in range(50)))
    now = 0.9
    await asyncio.gather(*(watch.recent() for _ in range(50)))
    assert house.looks == 1
    now = 1.0
    await watch.recent()
    assert house.looks == 2


async def test_a_backlog_that_is_too_old_to_be_told_is_an_error() -> None:
    """What was known is not told for longer than a second."""
    now, house = 0.0, FakeHousekeeping()
    watch = WatchBacklog(house, lambda: now)
    await watch.recent()
    now, house.down = 1.0, True
    with pytest.raises(Unavailable):
        await watch.recent()
