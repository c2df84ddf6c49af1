"""The rule of scaling: bounded, steady on a load that does not change, quick after a step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from sheaf_orchestrator.scaling import PATIENCE_LIMIT, Load, ScalingRule, Watch, decide

LOOK_S = 0.5
few = settings(max_examples=40, deadline=None)
"""Each example is minutes of looks."""
RULE = ScalingRule(
    minimum=1, maximum=4, up_age_s=1.0, up_after_s=2.0, down_after_s=20.0, cooldown_s=5.0
)


@dataclass
class Queue:
    """A queue before workers, each of which does one unit of work a second."""

    backlog: float = 0.0

    def load(self, at_s: float, arriving: float, workers: int) -> Load:
        """What is seen after a look's time, in which `arriving` units a second came."""
        wanted = self.backlog + arriving * LOOK_S
        done = min(wanted, workers * LOOK_S)
        self.backlog = wanted - done
        use = done / (workers * LOOK_S) if workers else 0.0
        return Load(at_s, self.backlog / arriving if arriving else self.backlog, use)


def scaled(
    arriving: Callable[[float], float], seconds: float, queue: Queue | None = None
) -> Iterator[tuple[float, int]]:
    """Moments and workers, under a load over time."""
    queue, watch, workers = queue or Queue(), Watch(), RULE.minimum
    for look in range(int(seconds / LOOK_S)):
        at_s = look * LOOK_S
        watch, change = decide(RULE, watch, workers, queue.load(at_s, arriving(at_s), workers))
        workers += change
        yield at_s, workers


ages = st.none() | st.floats(min_value=0, max_value=1e4)
looks = st.lists(st.tuples(st.floats(0.01, 30), ages, st.floats(0, 2)), max_size=200)


@few
@given(looks, st.integers(0, 8), st.integers(1, 4), st.integers(0, 4))
def test_it_stays_within_its_bounds(
    seen: list[tuple[float, float | None, float]], start: int, minimum: int, more: int
) -> None:
    """Whatever is seen: one step at a time, never beyond a bound, back into them from outside."""
    rule = ScalingRule(minimum, minimum + more, 1.0, 2.0, 10.0, 5.0)
    watch, workers, at_s, inside = Watch(), start, 0.0, False
    for pause_s, age_s, use in seen:
        at_s += pause_s
        watch, change = decide(rule, watch, workers, Load(at_s, age_s, use))
        workers += change
        assert change in (-1, 0, 1)
        inside = inside or rule.minimum <= workers <= rule.maximum
        assert not inside or rule.minimum <= workers <= rule.maximum
        assert watch.patience <= PATIENCE_LIMIT
    assert len(seen) < 8 or inside


@few
@given(st.floats(0, 6))
def test_a_constant_load_is_carried_without_swinging(arriving: float) -> None:
    """None is ever removed again, and the backlog is young in the end, or all workers are there."""
    queue = Queue()
    run = [workers for _, workers in scaled(lambda _: arriving, 400, queue)]

    assert run == sorted(run)
    last = queue.load(400.0, arriving, run[-1])
    assert run[-1] == RULE.maximum or (last.oldest_age_s or 0.0) <= RULE.up_age_s


@few
@given(st.floats(1.2, 4.0))
def test_a_step_is_followed_up_and_down(arriving: float) -> None:
    """Up within the time that the rule gives for each worker; down again, one by one."""
    run = dict(scaled(lambda at_s: arriving if 50 <= at_s < 150 else 0.1, 400))
    needed = -int(-arriving // 1)
    pace_s = RULE.cooldown_s + RULE.up_after_s + 2 * LOOK_S
    first_s = RULE.up_age_s * arriving / (arriving - 1) + RULE.up_after_s + 2 * LOOK_S

    assert run[49.5] == 1
    in_time = 50 + first_s + (needed - 2) * pace_s + LOOK_S
    assert max(workers for at_s, workers in run.items() if at_s <= in_time) >= needed
    assert run[399.5] == 1
    assert all(abs(after - before) <= 1 for before, after in pairwise(run.values()))


def test_an_age_that_workers_do_not_mend_is_left_alone_more_and_more() -> None:
    """A slow store makes documents old without using CPU: removals that fail get rare."""
    watch, workers, removals = Watch(), 1, []
    for look in range(8000):
        at_s = look * LOOK_S
        load = Load(at_s, 5.0 if workers == 1 else 0.0, 0.1)
        watch, change = decide(RULE, watch, workers, load)
        workers += change
        if change < 0:
            removals.append(at_s)

    gaps = [after - before for before, after in pairwise(removals)]
    assert gaps[-1] >= RULE.down_after_s * PATIENCE_LIMIT
    assert gaps[0] < gaps[1] < gaps[2] < gaps[3]


def test_a_gap_lies_between_too_old_and_young() -> None:
    """An age in it changes nothing, for however long."""
    watch, workers = Watch(), 2
    for look in range(1000):
        watch, change = decide(RULE, watch, workers, Load(look * LOOK_S, 0.75, 0.0))
        assert change == 0


def test_what_is_not_known_changes_nothing() -> None:
    """And what was seen before is no reason any more."""
    watch, _ = decide(RULE, Watch(), 2, Load(0.0, 9.0, 1.0))
    watch, change = decide(RULE, watch, 2, Load(5.0, None, 1.0))
    assert change == 0
    _, change = decide(RULE, watch, 2, Load(5.5, 9.0, 1.0))
    assert change == 0


def test_a_busy_worker_is_kept_however_young_the_backlog() -> None:
    """With one less, the rest would be over 70 % of their capacity."""
    watch, workers = Watch(), 2
    for look in range(1000):
        watch, change = decide(RULE, watch, workers, Load(look * LOOK_S, 0.0, 0.4))
        assert change == 0
