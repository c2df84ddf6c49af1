"""What `bench --scenario step` calls followed."""

import dataclasses

import pytest

from sheaf_dev.bench.arrivals import Arrival, Latencies
from sheaf_dev.bench.step import Moment, Step


def moment(phase: str, workers: int, places: int, oldest_s: float, draining: int = 0) -> Moment:
    """One look."""
    return Moment(0.0, phase, workers, draining, places, 0, oldest_s)


FOLLOWED = Step(
    rates={"low": 1.0, "high": 8.0, "low again": 1.0},
    latencies={phase: Latencies.of([Arrival(0.0, 0.5)]) for phase in ("low", "high", "low again")},
    timeline=(
        moment("low", 1, 2, 0.0),
        moment("high", 1, 2, 3.0),
        moment("high", 2, 3, 0.5),
        moment("low again", 1, 3, 0.0),
    ),
    workers_limit=2,
)


def test_a_step_that_was_followed_is() -> None:
    """Up, worked off, down again; the places of a worker that is gone may linger."""
    assert FOLLOWED.ok
    assert FOLLOWED.verdict.startswith("followed: workers went from 1 to 2")
    assert len(FOLLOWED.rows) == 3


@pytest.mark.parametrize(
    ("timeline", "missing"),
    [
        ([(1, 2, 0.0), (1, 3, 3.0), (1, 3, 0.0)], "rose"),
        ([(1, 2, 0.0), (2, 2, 3.0), (1, 2, 0.0)], "rose"),
        ([(1, 2, 0.0), (2, 3, 3.0), (1, 3, 1.5)], "recovered"),
        ([(1, 2, 0.0), (2, 3, 0.9), (1, 3, 0.0)], "recovered"),
        ([(1, 2, 0.0), (2, 3, 3.0), (2, 3, 0.0)], "fell"),
    ],
    ids=["no workers", "no places", "not worked off", "no step", "workers stay"],
)
def test_each_part_of_following_counts(
    timeline: list[tuple[int, int, float]], missing: str
) -> None:
    """Without it the verdict is against, and the JSON says what is missing."""
    phases = ("low", "high", "low again")
    looks = [moment(phase, *seen) for phase, seen in zip(phases, timeline, strict=True)]
    step = dataclasses.replace(FOLLOWED, timeline=looks)

    assert not step.ok
    assert step.verdict.startswith("NOT followed")
    assert [part for part in ("rose", "recovered", "fell") if not step.as_json()[part]] == [missing]


def test_a_lost_document_and_one_that_still_drains_count() -> None:
    """However well the workers followed."""
    lost = Latencies.of([Arrival(0.0, 0.5), Arrival(0.0, None, "lost")])
    draining = (*FOLLOWED.timeline[:3], moment("low again", 1, 3, 0.0, draining=1))

    assert not dataclasses.replace(FOLLOWED, latencies={"high": lost}).ok
    assert not dataclasses.replace(FOLLOWED, timeline=draining).ok
