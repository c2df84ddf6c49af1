"""The gate to Redis: bounded, shut after failures, opened by nobody's request."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from sheaf_metadata.adapters.redis import gate as gate_module
from sheaf_metadata.adapters.redis.gate import RedisGate
from support.waiting import until


class FakeRedis:
    """Answers pings as it is told to."""

    def __init__(self) -> None:
        self.answers = True
        self.pings = 0

    async def ping(self) -> None:
        """An answer, or none."""
        self.pings += 1
        if not self.answers:
            raise RedisConnectionError


def a_gate(client: FakeRedis | None = None) -> RedisGate:
    """A gate with a budget of 20 ms."""
    fake: Any = client or FakeRedis()
    return RedisGate(fake, budget_s=0.02)


async def hang() -> None:
    """A server that never answers."""
    await asyncio.Event().wait()


async def break_off() -> None:
    """A server that is not there."""
    raise RedisConnectionError


async def answer() -> str:
    """A server that is."""
    return "answer"


@pytest.mark.parametrize("failure", [hang, break_off])
async def test_three_failures_shut_it(failure: Callable[[], Awaitable[None]]) -> None:
    """Each within the budget; the fourth call is not even begun."""
    gate = a_gate()
    for _ in range(3):
        assert gate.is_open
        await gate.call("test", failure())
    assert not gate.is_open
    assert await gate.call("test", answer()) is None


async def test_failures_with_an_answer_between_do_not_shut_it() -> None:
    """Only those in a row count."""
    gate = a_gate()
    for _ in range(4):
        await gate.call("test", break_off())
        await gate.call("test", break_off())
        assert await gate.call("test", answer()) == "answer"
    assert gate.is_open


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
    keeping = asyncio.create_task(gate.keep())
    for _ in range(3):
        await gate.call("test", break_off())
    await until(lambda: client.pings >= 3)
    assert not gate.is_open

    client.answers = True
    await until(lambda: gate.is_open)
    assert await gate.call("test", answer()) == "answer"
    keeping.cancel()
