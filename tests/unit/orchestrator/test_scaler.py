"""The scaler: as many workers as the rule wants, the dead replaced, blindness survived."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from sheaf_common.errors import SheafError, Unavailable
from sheaf_orchestrator.domain import Lane, LaneBacklog
from sheaf_orchestrator.scaling import ScalingRule
from sheaf_orchestrator.service import scaler as module
from sheaf_orchestrator.service.scaler import Scaler


@dataclass
class FakeWorkers:
    """Counts; `dead` ended unasked."""

    running: int = 0
    draining: int = 0
    starting: bool = False
    dead: list[int] = field(default_factory=list)
    failure: OSError | None = None

    async def add(self) -> None:
        """One more."""
        if self.failure is not None:
            raise self.failure
        self.running += 1

    def remove(self) -> None:
        """One drains."""
        self.running, self.draining = self.running - 1, self.draining + 1

    def ended(self) -> Sequence[int]:
        """Those that died."""
        dead, self.dead = self.dead, []
        return dead

    def use(self) -> float:
        """Idle."""
        return 0.0

    def die(self) -> None:
        """One is killed."""
        self.running -= 1
        self.dead.append(-9)


@dataclass
class FakeBacklog:
    """Text that waits, and scans that wait for an hour: those are not the scaler's business."""

    age_s: float = 0.0
    failure: SheafError | None = None

    async def lanes(self) -> Sequence[LaneBacklog]:
        """Both lanes."""
        if self.failure is not None:
            raise self.failure
        return [LaneBacklog(Lane.TEXT, 1, self.age_s, 1), LaneBacklog(Lane.OCR, 9, 3600.0, 1)]


@dataclass
class FakeObserver:
    """Remembers."""

    changes: list[str] = field(default_factory=list)
    seen: tuple[int, int] = (0, 0)

    def workers(self, *, running: int, draining: int) -> None:
        """Numbers."""
        self.seen = running, draining

    def changed(self, change: str) -> None:
        """A change."""
        self.changes.append(change)


@dataclass
class Clock:
    """Moved by hand."""

    now_s: float = 1000.0

    def monotonic(self) -> float:
        """As `time.monotonic`."""
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The scaler's clock; a back-off is always as long as it can be."""
    found = Clock()
    monkeypatch.setattr(module, "time", found)
    monkeypatch.setattr(module, "backoff_s", lambda tries, *, base_s, limit_s: base_s * 2**tries)
    return found


def scaler_of(workers: FakeWorkers, backlog: FakeBacklog, observer: FakeObserver) -> Scaler:
    """One to three workers."""
    rule = ScalingRule(1, 3, up_age_s=1, up_after_s=2, down_after_s=10, cooldown_s=1)
    return Scaler(rule, backlog, workers, observer, 0.5)


async def looks(scaler: Scaler, clock: Clock, seconds: float) -> None:
    """Looks each half second."""
    for _ in range(int(seconds / 0.5)):
        await scaler.look()
        clock.now_s += 0.5


async def test_workers_follow_the_age_of_queued_text(clock: Clock) -> None:
    """One at the start, more while text is old, the fewest again afterwards; never too many."""
    workers, backlog, observer = FakeWorkers(), FakeBacklog(), FakeObserver()
    scaler = scaler_of(workers, backlog, observer)
    await looks(scaler, clock, 5)
    assert workers.running == 1

    backlog.age_s = 5.0
    await looks(scaler, clock, 10)
    assert (workers.running, observer.seen) == (3, (3, 0))

    backlog.age_s = 0.0
    await looks(scaler, clock, 30)
    assert (workers.running, workers.draining, observer.seen) == (1, 2, (1, 2))
    assert observer.changes == ["added"] * 3 + ["removed"] * 2


async def test_those_that_drain_count_as_there(clock: Clock) -> None:
    """A worker that has not ended holds its memory and its ports: no more than the most exist."""
    workers, backlog = FakeWorkers(running=1, draining=2), FakeBacklog(5.0)
    scaler = scaler_of(workers, backlog, FakeObserver())
    scaler.wanted = 1
    await looks(scaler, clock, 10)
    assert workers.running == 1

    workers.draining = 0
    await looks(scaler, clock, 0.5)
    assert workers.running == 3


async def test_nothing_changes_while_a_worker_starts(clock: Clock) -> None:
    """It may be what is missing: the next is added when this one is of use and text still old."""
    workers, backlog = FakeWorkers(), FakeBacklog(5.0)
    scaler = scaler_of(workers, backlog, FakeObserver())
    await looks(scaler, clock, 3)
    assert workers.running == 2
    workers.starting = True
    await looks(scaler, clock, 30)
    assert workers.running == 2

    workers.starting = False
    await looks(scaler, clock, 2)
    assert workers.running == 2
    await looks(scaler, clock, 1)
    assert workers.running == 3


async def test_a_dead_worker_is_replaced_after_a_growing_pause(clock: Clock) -> None:
    """And counted as that; one that dies much later is replaced quickly again."""
    workers, observer = FakeWorkers(), FakeObserver()
    scaler = scaler_of(workers, FakeBacklog(), observer)
    await looks(scaler, clock, 1)
    for pause_s in (0.5, 1.0, 2.0):
        workers.die()
        await looks(scaler, clock, pause_s)
        assert workers.running == 0
        await looks(scaler, clock, 0.5)
        assert workers.running == 1
    clock.now_s += 60
    workers.die()
    await looks(scaler, clock, 1.0)

    assert workers.running == 1
    assert observer.changes == ["added"] + ["replaced"] * 4


async def test_an_unknown_backlog_keeps_the_number(clock: Clock) -> None:
    """Metadata is down: nobody is added or removed, but the dead are replaced."""
    workers, backlog, observer = FakeWorkers(), FakeBacklog(5.0), FakeObserver()
    scaler = scaler_of(workers, backlog, observer)
    await looks(scaler, clock, 4)
    before = workers.running

    backlog.failure = Unavailable("X", "")
    await looks(scaler, clock, 60)
    assert workers.running == before
    workers.die()
    await looks(scaler, clock, 2)
    assert workers.running == before


async def test_a_worker_that_cannot_be_started_is_tried_again_later(clock: Clock) -> None:
    """Out of processes: not each half second, and not for ever."""
    workers = FakeWorkers(failure=BlockingIOError(11, "no process"))
    scaler = scaler_of(workers, FakeBacklog(), FakeObserver())
    await looks(scaler, clock, 5)
    workers.failure = None
    await looks(scaler, clock, 5)
    assert workers.running == 0
    await looks(scaler, clock, 25)
    assert workers.running == 1
