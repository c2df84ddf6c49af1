"""Waiters: woken by their topics, bounded, and let go at the stop."""

import asyncio
from uuid import UUID

import pytest

from sheaf_common.errors import OverCapacity
from sheaf_metadata.domain.documents import Lane
from sheaf_metadata.service.waiting import (
    BatchEnded,
    DocumentEnded,
    PlaceFreed,
    Signal,
    Waiters,
    WorkQueued,
)

_ONE, _TWO = UUID(int=1), UUID(int=2)


async def is_set(signal: Signal) -> bool:
    """Whether a signal has been given."""
    try:
        await asyncio.wait_for(signal._event.wait(), 0.01)
    except TimeoutError:
        return False
    return True


async def test_a_topic_wakes_those_who_wait_for_it() -> None:
    """All of them, and nobody else."""
    waiters = Waiters(10)
    with (
        waiters.waiting_for(DocumentEnded(_ONE)) as first,
        waiters.waiting_for(DocumentEnded(_ONE)) as second,
        waiters.waiting_for(DocumentEnded(_TWO)) as third,
        waiters.waiting_for(BatchEnded(_ONE)) as batch,
        waiters.waiting_for(WorkQueued(Lane.TEXT), PlaceFreed(Lane.TEXT)) as claim,
    ):
        waiters.wake([DocumentEnded(_ONE), PlaceFreed(Lane.TEXT)])
        signals = (first, second, third, batch, claim)
        assert [await is_set(signal) for signal in signals] == [True, True, False, False, True]


async def test_what_happens_between_clear_and_wait_is_not_missed() -> None:
    """The wait returns at once."""
    waiters = Waiters(1)
    with waiters.waiting_for(BatchEnded(_ONE)) as signal:
        signal.clear()
        waiters.wake([BatchEnded(_ONE)])
        async with asyncio.timeout(1):
            await signal.wait(60)


async def test_waiters_are_bounded_and_forgotten() -> None:
    """The bound counts those who wait now; nothing of them stays behind."""
    waiters = Waiters(2)
    with waiters.waiting_for(BatchEnded(_ONE)), waiters.waiting_for(BatchEnded(_TWO)):
        with pytest.raises(OverCapacity) as refused, waiters.waiting_for(BatchEnded(_ONE)):
            pass
        assert refused.value.reason == "WAITERS_EXHAUSTED"
    assert waiters.count == 0
    assert not waiters._signals
    with waiters.waiting_for(BatchEnded(_ONE)):
        assert waiters.count == 1


async def test_at_the_stop_nobody_waits() -> None:
    """Neither those who do nor those who come."""
    waiters = Waiters(2)
    with waiters.waiting_for(BatchEnded(_ONE)) as early:
        waiters.close()
        with waiters.waiting_for(BatchEnded(_TWO)) as late:
            async with asyncio.timeout(1):
                await early.wait(60)
                await late.wait(60)
            assert early.closed
            assert late.closed
