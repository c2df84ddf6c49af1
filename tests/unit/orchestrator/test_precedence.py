"""Text goes before recognition, which keeps its share."""

import asyncio
import time

import pytest

from sheaf_orchestrator.service.precedence import Precedence
from support.waiting import until


class Pool:
    """Knows whether it is held, how often it was, and for how long."""

    def __init__(self) -> None:
        self.held, self.holds = False, 0
        self.stood_s = self._since = 0.0

    def hold(self) -> None:
        """See `Holdable`."""
        self.held, self._since = True, time.monotonic()
        self.holds += 1

    def resume(self) -> None:
        """See `Holdable`."""
        if self.held:
            self.stood_s += time.monotonic() - self._since
        self.held = False


def precedence(share: float, *, period_s: float = 60.0) -> tuple[Precedence, Pool]:
    """Precedence over one pool."""
    pool = Pool()
    given = Precedence(share, period_s)
    given.over(pool)
    return given, pool


async def test_recognition_stands_still_while_text_is_worked_on() -> None:
    """From the first text to the end of the last one."""
    text, pool = precedence(0.25)
    assert not pool.held
    with text.taken():
        assert pool.held
        with text.taken():
            assert pool.held
        assert pool.held
    assert not pool.held


async def test_a_failure_of_text_lets_it_go_on() -> None:
    """Whatever ends the work."""
    text, pool = precedence(0.25)
    with pytest.raises(ZeroDivisionError), text.taken():
        assert 1 / 0
    assert not pool.held


async def test_it_stands_still_from_the_claim_on() -> None:
    """For a moment, in which the work begins or has gone to another process."""
    text, pool = precedence(0.25)
    text.expect()
    assert pool.held
    await until(lambda: not pool.held, timeout_s=5)


async def test_it_is_not_held_for_ever() -> None:
    """Text without a break leaves it its share, again and again."""
    text, pool = precedence(0.5, period_s=0.02)
    with text.taken():
        await until(lambda: pool.holds >= 3, timeout_s=5)
        await until(lambda: not pool.held, timeout_s=5)
        await until(lambda: pool.held, timeout_s=5)
    assert not pool.held


async def test_short_breaks_do_not_take_its_share() -> None:
    """Many texts one right after the other are as one: it runs in its turn."""
    text, pool = precedence(0.5, period_s=0.1)
    began = time.monotonic()
    while (passed_s := time.monotonic() - began) < 0.5:  # seconds
        with text.taken():
            await asyncio.sleep(0.005)
    assert 0.2 * passed_s < pool.stood_s < 0.7 * passed_s


async def test_the_whole_share_is_never_held() -> None:
    """The switch for those who want it so."""
    text, pool = precedence(1.0)
    with text.taken():
        assert not pool.held
