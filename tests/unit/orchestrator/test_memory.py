"""The byte budget: a bound that holds, in order, and gives back what was cancelled."""

import asyncio

import pytest

from sheaf_orchestrator.service.memory import ByteBudget
from support.waiting import until


async def test_no_more_is_held_than_the_limit() -> None:
    """The one that does not fit waits until there is room."""
    budget = ByteBudget(100)
    order: list[str] = []

    async def use(name: str, size: int) -> None:
        async with budget.hold(size):
            order.append(name)

    async with budget.hold(60):
        waiting = asyncio.create_task(use("large", 50))
        await asyncio.sleep(0)
        assert (budget.held_bytes, order) == (60, [])

    await asyncio.wait_for(waiting, 1)
    assert (order, budget.held_bytes) == (["large"], 0)


async def test_a_small_request_does_not_overtake_a_large_one() -> None:
    """First come, first served: a stream of small ones cannot starve a large one."""
    budget = ByteBudget(100)
    order: list[str] = []

    async def use(name: str, size: int) -> None:
        async with budget.hold(size):
            order.append(name)

    async with budget.hold(60):
        tasks = [asyncio.create_task(use("large", 90)), asyncio.create_task(use("small", 10))]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert order == []
    await asyncio.wait(tasks, timeout=1)

    assert order == ["large", "small"]


async def test_a_cancelled_wait_holds_nothing() -> None:
    """Whether it was still waiting or just granted."""
    budget = ByteBudget(10)

    async def use() -> None:
        async with budget.hold(10):
            await asyncio.Event().wait()

    async with budget.hold(10):
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
