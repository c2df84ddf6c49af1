"""The gate to Redis: bounded, shut after a failure, opened by nobody's request."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from sheaf_common.pools import redis_gate as gate_module
from sheaf_common.pools.redis_gate import RedisGate
from support.waiting import until


class FakeRedis:
    """Takes writes as it is told to."""

    def __init__(self) -> None:
        self.answers = True
        self.probes = 0

    async def set(self, key: str, value: bytes, px: int) -> None:
        """An answer, or none."""
        self.probes += 1
        if not self.answers:
            raise RedisConnectionError


def a_gate(client: FakeRedis | None = None, *, budget_s: float = 0.02) -> RedisGate:
    """A gate with a budget of 20 ms."""
    fake: Any = client or FakeRedis()
    return RedisGate(fake, budget_s=budget_s)


@asynccontextmanager
async def kept(gate: RedisGate) -> AsyncIterator[None]:
    """The gate's task runs for the block."""
    keeping = asyncio.create_task(gate.keep())
    try:
        yield
    finally:
        keeping.cancel()


async def hang() -> None:
    """A server that never answers."""
    await asyncio.Event().wait()


async def break_off() -> None:
    """A server that is not there."""
    raise RedisConnectionError


async def refuse() -> None:
    """A server that answers with an error."""
    raise ResponseError


async def answer() -> str:
    """A server that is."""
    return "answer"


@pytest.mark.parametrize("failure", [hang, break_off])
async def test_a_call_without_an_answer_shuts_it(failure: Callable[[], Awaitable[None]]) -> None:
    """Within the budget; the next call is not even begun."""
    gate = a_gate()
    assert gate.is_open
    await gate.call("test", failure())
    assert not gate.is_open
    assert await gate.call("test", answer()) is None


async def test_calls_under_way_cost_one_budget_together() -> None:
    """They end at the same time, and none that comes later begins."""
    gate = a_gate(budget_s=0.2)
    started = asyncio.get_running_loop().time()
    await asyncio.gather(*(gate.call("test", hang()) for _ in range(50)))
    await asyncio.gather(*(gate.call("test", hang()) for _ in range(50)))
    assert asyncio.get_running_loop().time() - started < 0.35


async def test_errors_that_redis_answers_shut_it_in_a_row_of_three() -> None:
    """One key of a wrong type is no outage; a Redis that refuses everything is of no use."""
    gate = a_gate()
    for _ in range(4):
        await gate.call("test", refuse())
        await gate.call("test", refuse())
        assert await gate.call("test", answer()) == "answer"
    for _ in range(3):
        assert gate.is_open
        await gate.call("test", refuse())
    assert not gate.is_open


async def test_a_bug_is_not_an_outage() -> None:
    """It passes, and does not shut the gate."""
    gate = a_gate()

    async def bug() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        await gate.call("test", bug())
    assert gate.is_open


async def test_it_opens_when_redis_answers_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked in the background."""
    monkeypatch.setattr(gate_module, "_PROBE_S", 0.005)
    client = FakeRedis()
    client.answers = False
    gate = a_gate(client)
    async with kept(gate):
        await gate.call("test", break_off())
        await until(lambda: client.probes >= 3)
        assert not gate.is_open

        client.answers = True
        await until(lambda: gate.is_open)
        assert await gate.call("test", answer()) == "answer"


async def test_one_lost_call_costs_the_time_of_a_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is at once; what is lost with that call and fails later does not count again."""
    monkeypatch.setattr(gate_module, "_PROBE_S", 60)
    gate = a_gate()
    async with kept(gate):
        late = asyncio.create_task(gate.call("test", hang()))
        await asyncio.sleep(0)
        await gate.call("test", break_off())
        await until(lambda: gate.is_open, timeout_s=1)
        await late
        assert gate.is_open


async def test_half_open_it_lets_one_call_through_at_a_time() -> None:
    """Until one is answered; a caller that leaves makes way for another."""
    gate = a_gate(budget_s=60)
    async with kept(gate):
        await gate.call("test", break_off())
        await until(lambda: gate.is_open)
        first = asyncio.create_task(gate.call("test", hang()))
        await asyncio.sleep(0)
        assert not gate.is_open
        assert await gate.call("test", answer()) is None
        first.cancel()
        await asyncio.wait([first])
        assert await gate.call("test", answer()) == "answer"
        both = [asyncio.create_task(gate.call("test", hang())) for _ in range(2)]
        await asyncio.sleep(0)
        assert await gate.call("test", answer()) == "answer"
        for task in both:
            task.cancel()


async def test_one_that_answers_probes_only_is_tried_ever_more_rarely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Up to a bound; after 20 answers it is as trusted as ever."""
    pauses: list[float] = []
    real_sleep = asyncio.sleep

    async def sleep(delay: float) -> None:
        pauses.append(delay)
        await real_sleep(0)

    gate = a_gate(budget_s=0.001)
    async with kept(gate):
        monkeypatch.setattr(asyncio, "sleep", sleep)
        for _ in range(8):
            await gate.call("test", hang())
            while not gate.is_open:
                await real_sleep(0)
        assert pauses == [0.25, 0.5, 1, 2, 4, 4, 4]

        for _ in range(20):
            await gate.call("test", answer())
        await gate.call("test", hang())
        while not gate.is_open:
            await real_sleep(0)
        assert len(pauses) == 7
