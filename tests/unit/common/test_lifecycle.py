"""Work beside a service."""

import asyncio

from sheaf_common.lifecycle import Lifecycle


async def test_background_work_that_loses_a_cancellation_is_cancelled_again() -> None:
    """As what waits by `asyncio.wait_for` in Python 3.11 may: the stop does not hang on it."""
    lost = 0

    async def work() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1
                if lost > 1:
                    raise

    async with asyncio.timeout(5), Lifecycle().background("work", work()):
        await asyncio.sleep(0)
    assert lost == 2
