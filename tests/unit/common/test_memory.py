"""The byte budget: a bound that holds, in order, and gives back what was cancelled."""

import asyncio

import pytest

from sheaf_common.errors import OverCapacity
from sheaf_common.memory import ByteBudget
from support.waiting import until


async def test_no_more_is_held_than_the_limit() -> None:
    """The one that does not fit waits until there is room."""
    budget = ByteBudget(100, wait_s=5.0)
    order: list[str] = []

    async def use(name: str, size: int) -> None:
        with (await budget.reserve(size)).released():
            order.append(name)

    with (await budget.reserve(60)).released():
        waiting = asyncio.create_task(use("large", 50))
        await asyncio.sleep(0)
        assert (budget.held_bytes, order) == (60, [])

    await asyncio.wait_for(waiting, 1)
    assert (order, budget.held_bytes) == (["large"], 0)


async def test_a_small_request_does_not_overtake_a_large_one() -> None:
    """First come, first served: a stream of small ones cannot starve a large one."""
    budget = ByteBudget(100, wait_s=5.0)
    order: list[str] = []

    async def use(name: str, size: int) -> None:
        with (await budget.reserve(size)).released():
            order.append(name)

    with (await budget.reserve(60)).released():
        tasks = [asyncio.create_task(use("large", 90)), asyncio.create_task(use("small", 10))]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert order == []
    await asyncio.wait(tasks, timeout=1)

    assert order == ["large", "small"]


async def test_a_cancelled_wait_holds_nothing() -> None:
    """Whether it was still waiting or just granted."""
    budget = ByteBudget(10, wait_s=5.0)

    async def use() -> None:
        with (await budget.reserve(10)).released():
            await asyncio.Event().wait()

    with (await budget.reserve(10)).released():
        waiting = asyncio.create_task(use())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        granted = asyncio.create_task(use())
        await asyncio.sleep(0)
    granted.cancel()
    with pytest.raises(asyncio.CancelledError):
        await granted
    await until(lambda: budget.held_bytes == 0)


async def test_a_request_waits_only_so_long() -> None:
    """What is not free in time is refused by name, and nothing stays held for it."""
    budget = ByteBudget(10, wait_s=0.01)
    with (await budget.reserve(10)).released(), pytest.raises(OverCapacity) as refused:
        await budget.reserve(1)

    assert (refused.value.reason, budget.held_bytes) == ("BUFFER_FULL", 0)


async def test_a_transferred_reservation_is_given_back_once() -> None:
    """The new owner releases it; the old one's release does nothing."""
    budget = ByteBudget(10, wait_s=5.0)
    first = await budget.reserve(4)
    second = first.transfer()
    first.release()
    assert budget.held_bytes == 4

    second.release()
    second.release()

    assert budget.held_bytes == 0
