"""What the fakes share: the keys and the user of tests, and hooks."""

from collections.abc import (
    Awaitable,
    Callable,
)
from typing import Final

KEY: Final = "sk_test_0123456789"
READ_ONLY_KEY: Final = "sk_read_0123456789"
USER: Final = "user-1"

Hook = Callable[[], Awaitable[None]]


async def do_nothing() -> None:
    """Neither waits nor raises."""
