"""Deadlines of store operations, and writes that outlive who asked for them."""

import asyncio
from collections.abc import Awaitable, Coroutine
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import structlog

from sheaf_common import context
from sheaf_common.errors import Unavailable

log = structlog.get_logger()

_OPERATION_LIMIT_S: Final = 60.0
_MARGIN_S: Final = 0.1
_MARGIN_SHARE: Final = 0.1
_SETTLE_S: Final = 5.0
"""With the 20 s that a server drains, less than the 30 s that a stop may take."""

T = TypeVar("T")


def operation_limit_s() -> float:
    """How long an operation may take: what the request has left, less time to answer in."""
    left_s = context.time_left_s(_OPERATION_LIMIT_S)
    return left_s - min(_MARGIN_S, left_s * _MARGIN_SHARE)


async def within_deadline(operation: Awaitable[T]) -> T:
    """What `operation` returns; it is cancelled when the request's time is up.

    Raises:
        Unavailable: `S3_UNAVAILABLE`, the store did not answer in time.
    """
    try:
        async with asyncio.timeout(operation_limit_s()):
            return await operation
    except TimeoutError:
        raise _too_slow() from None


class Writes:
    """Writes that run to their end although their caller was cancelled or gave up.

    A write in a thread cannot be interrupted; what it holds (a lease, a buffer) is given
    back when it has ended, not when nobody waits for it any more. Leaving the block waits
    for those still running.
    """

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=_SETTLE_S)
        if self._running:
            log.warning("writes were still running at the stop", writes=len(self._running))

    def start(self, write: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Runs `write`, which nobody cancels; its failure is for whoever awaits the task."""
        task = asyncio.create_task(write)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    async def run(self, write: Coroutine[Any, Any, T]) -> T:
        """What `write` returns, if it does so within the request's deadline.

        Raises:
            Unavailable: `S3_UNAVAILABLE`, it did not; it goes on.
        """
        return await self.outcome(self.start(write))

    async def outcome(self, task: "asyncio.Task[T]") -> T:
        """As `run`, for a write that was started."""
        await asyncio.wait({task}, timeout=operation_limit_s())
        if not task.done():
            raise _too_slow()
        return task.result()

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # seen: whoever waited has it, and if nobody did, nobody needs it


def _too_slow() -> Unavailable:
    return Unavailable(
        "S3_UNAVAILABLE", "the object store did not answer in time", evidence={"dependency": "s3"}
    )
