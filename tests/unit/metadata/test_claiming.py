"""Waiting for work and for a place, over fakes."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from sheaf_common.context import RequestContext, bound
from sheaf_common.errors import InvalidInput
from sheaf_metadata.domain.claims import ClaimedGroup, ClaimLimits, ClaimTry
from sheaf_metadata.domain.documents import Lane
from sheaf_metadata.service.claims import ClaimDocuments
from sheaf_metadata.service.waiting import PlaceFreed, Waiters, WorkQueued
from support.metadata_fakes import (
    FakeCache,
    FakeClaims,
    FakeObserver,
    FakePipelines,
    candidate,
)
from support.waiting import until

_LIMITS = ClaimLimits(Lane.TEXT, 1, 10, 10**9, 1.0, 10.0)
_GROUP = ClaimTry(ClaimedGroup("w", Lane.TEXT, (candidate(),)))
_NO_WORK = ClaimTry(None)
_NO_PLACE = ClaimTry(None, work_waits=True)
_MAY_GROW = ClaimTry(None, work_waits=True, linger_s=0.05)


class Bench:
    """The use case over fakes."""

    def __init__(self, answers: Sequence[ClaimTry], *, poll_s: float = 60.0) -> None:
        self.claims = FakeClaims(list(answers))
        self.waiters = Waiters(10)
        self.observer = FakeObserver()
        self.pipelines = FakePipelines()
        self.claim = ClaimDocuments(
            self.claims, self.waiters, FakeCache(), self.observer, poll_s, self.pipelines
        )


async def test_what_is_there_is_claimed_at_once() -> None:
    """Without waiting."""
    bench = Bench([_GROUP])
    assert await bench.claim(_LIMITS, 0) == _GROUP.group
    assert (bench.claims.tries, bench.observer.claims) == (1, [1])


async def test_who_claims_says_which_pipeline_is_in_use() -> None:
    """Also where it finds nothing; an older claimer says nothing."""
    bench = Bench([_NO_WORK])
    await bench.claim(replace(_LIMITS, pipeline_version="2"), 0)
    await bench.claim(_LIMITS, 0)
    assert bench.pipelines.noted == ["2"]
    with pytest.raises(InvalidInput):
        await bench.claim(replace(_LIMITS, pipeline_version="two words"), 0)


async def test_without_a_wait_there_is_one_try() -> None:
    """And an empty answer."""
    bench = Bench([_NO_WORK])
    assert await bench.claim(_LIMITS, 0) is None
    assert (bench.claims.tries, bench.observer.claims) == (1, [0])


async def test_new_work_wakes_who_found_none() -> None:
    """A freed place does not concern it."""
    bench = Bench([_NO_WORK, _GROUP])
    waiting = asyncio.create_task(bench.claim(_LIMITS, 50))
    await until(lambda: bench.claims.tries == 1)
    bench.waiters.wake([PlaceFreed(Lane.TEXT), WorkQueued(Lane.OCR)])
    await asyncio.sleep(0.01)
    assert not waiting.done()
    bench.waiters.wake([WorkQueued(Lane.TEXT)])
    assert await asyncio.wait_for(waiting, 1) == _GROUP.group


async def test_a_freed_place_wakes_who_found_none() -> None:
    """More work does not concern it: a loaded system is not asked at each registration."""
    bench = Bench([_NO_PLACE, _GROUP])
    waiting = asyncio.create_task(bench.claim(_LIMITS, 50))
    await until(lambda: bench.claims.tries == 1)
    bench.waiters.wake([WorkQueued(Lane.TEXT)])
    await asyncio.sleep(0.01)
    assert bench.claims.tries == 1
    bench.waiters.wake([PlaceFreed(Lane.TEXT)])
    assert await asyncio.wait_for(waiting, 1) == _GROUP.group


async def test_without_hints_it_looks_by_itself() -> None:
    """As often as it is told to."""
    bench = Bench([_NO_WORK, _NO_PLACE, _NO_WORK, _GROUP], poll_s=0.01)
    assert await asyncio.wait_for(bench.claim(_LIMITS, 50), 1) == _GROUP.group
    assert bench.claims.likely == [True, False, False, False]


async def test_with_a_hint_it_does_not_look_first() -> None:
    """There is something to claim, so it tries at once."""
    bench = Bench([_NO_WORK, _GROUP])
    waiting = asyncio.create_task(bench.claim(_LIMITS, 50))
    await until(lambda: bench.claims.tries == 1)
    bench.waiters.wake([WorkQueued(Lane.TEXT)])
    await asyncio.wait_for(waiting, 1)
    assert bench.claims.likely == [True, True]


async def test_a_group_that_may_grow_is_claimed_when_its_time_is_over() -> None:
    """Not before by more work, and then without looking first."""
    bench = Bench([_MAY_GROW, _GROUP])
    waiting = asyncio.create_task(bench.claim(_LIMITS, 50))
    await until(lambda: bench.claims.tries == 1)
    bench.waiters.wake([WorkQueued(Lane.TEXT)])
    await asyncio.sleep(0.01)
    assert bench.claims.tries == 1
    assert await asyncio.wait_for(waiting, 1) == _GROUP.group
    assert bench.claims.likely == [True, True]


async def test_a_group_that_may_grow_is_tried_again_as_a_place_is_freed() -> None:
    """It may have been the last other one."""
    bench = Bench([ClaimTry(None, work_waits=True, linger_s=30.0), _GROUP])
    waiting = asyncio.create_task(bench.claim(_LIMITS, 50))
    await until(lambda: bench.claims.tries == 1)
    bench.waiters.wake([PlaceFreed(Lane.TEXT)])
    assert await asyncio.wait_for(waiting, 1) == _GROUP.group


async def test_a_wait_ends_before_the_deadline_of_its_call() -> None:
    """A claim that nobody hears of would cost a lease."""
    bench = Bench([_NO_WORK])
    with bound(RequestContext("r", None, time.monotonic() + 0.8)):
        started = time.monotonic()
        assert await bench.claim(_LIMITS, 50) is None
    assert 0.2 < time.monotonic() - started < 0.6


async def test_at_the_stop_a_waiting_claim_is_answered() -> None:
    """Empty, and without another try."""
    bench = Bench([_NO_WORK])
    waiting = asyncio.create_task(bench.claim(_LIMITS, 50))
    await until(lambda: bench.claims.tries == 1)
    bench.waiters.close()
    assert await asyncio.wait_for(waiting, 1) is None
