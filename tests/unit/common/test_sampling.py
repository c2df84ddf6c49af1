"""What is sampled is fresh, or not known."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from structlog.testing import capture_logs

from sheaf_common.errors import Unavailable
from sheaf_common.telemetry.sampling import Sampler
from support.waiting import until


@asynccontextmanager
async def sampled(ask: Callable[[], Awaitable[int]]) -> AsyncIterator[Sampler[int]]:
    """A sampler that runs for the block."""
    sampler = Sampler("test", ask, period_s=0.005, limit_s=0.05)
    running = asyncio.create_task(sampler.run())
    try:
        yield sampler
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_a_failure_makes_it_unknown_and_is_logged_once_a_change() -> None:
    """Whatever is raised; and again known when it is answered again."""
    behaviour: int | Exception = 7
    asked = 0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        if isinstance(behaviour, Exception):
            raise behaviour
        return behaviour

    async def some_more() -> None:
        seen = asked
        await until(lambda: asked > seen + 3)

    with capture_logs() as logs:
        async with sampled(ask) as sampler:
            assert sampler.latest is None
            await until(lambda: sampler.latest == 7)
            behaviour = Unavailable("TEMPORAL_UNAVAILABLE", "away")
            await until(lambda: sampler.latest is None)
            await some_more()
            behaviour = ZeroDivisionError()
            await some_more()
            behaviour = 8
            await until(lambda: sampler.latest == 8)
            await some_more()
    assert [(log["event"], log.get("failure")) for log in logs] == [
        ("a metric is not known", "TEMPORAL_UNAVAILABLE"),
        ("a metric is not known", "ZeroDivisionError"),
        ("a metric is known again", None),
    ]


async def test_an_answer_that_does_not_come_is_not_waited_for() -> None:
    """What was known before is not told for longer than the limit."""
    answers = iter([5])

    async def ask() -> int:
        for answer in answers:
            return answer
        await asyncio.Event().wait()
        raise AssertionError

    async with sampled(ask) as sampler:
        await until(lambda: sampler.latest == 5)
        await until(lambda: sampler.latest is None, timeout_s=5)


async def test_a_slow_question_is_asked_less_often() -> None:
    """At most a tenth of the time is spent with it."""
    asked_at: list[float] = []

    async def ask() -> int:
        asked_at.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.02)
        return len(asked_at)

    async with sampled(ask):
        await until(lambda: len(asked_at) >= 5)
    assert asked_at[4] - asked_at[2] >= 2 * 10 * 0.02 * 0.9
