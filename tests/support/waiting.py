"""Waiting for a condition, with a deadline; the tests' only way to wait."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], object], *, timeout_s: float = 15.0) -> None:
    """Returns once `condition` is true; looks every few milliseconds.

    Raises:
        TimeoutError: it was not true in time.
    """
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.002)


async def until_answer(question: Callable[[], Awaitable[object]], *, timeout_s: float = 15) -> None:
    """Returns once the answer to `question`, asked again and again, is true.

    Raises:
        TimeoutError: it was not true in time.
    """
    async with asyncio.timeout(timeout_s):
        while not await question():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
