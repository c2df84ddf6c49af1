"""The life of a service process: start, serve, drain, stop.

A service is an async context manager: entering it opens everything and begins to serve,
leaving it drains and closes everything in reverse. `run` drives one from the process's
start to its exit code:

- SIGTERM or SIGINT while it starts unwinds what was opened; exit 0;
- SIGTERM or SIGINT while it serves leaves the context (which drains); exit 0;
- another signal a second later, or a drain longer than the grace period, ends the process at once;
- a failure at start, or reported while it serves (`Lifecycle.fail`), is logged; exit 1.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import structlog

log = structlog.get_logger()

EXIT_FAILED: Final = 1
_UNWIND_S: Final = 2.0
_SAME_SIGNAL_S: Final = 1.0
"""A wrapper such as `uv run` passes on what the terminal sends to the whole group as well: a
signal that comes again so soon is the same one."""
_CANCEL_AGAIN_S: Final = 1.0
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Lifecycle:
    """Lets a service see its stop coming and report that it cannot go on."""

    def __init__(self) -> None:
        self._stopping = asyncio.Event()
        self._failure: BaseException | None = None

    @property
    def stopping(self) -> bool:
        """Whether the process has been asked to stop, or has failed."""
        return self._stopping.is_set()

    @property
    def failure(self) -> BaseException | None:
        """Why the service cannot go on, if it cannot."""
        return self._failure

    def stop(self) -> None:
        """Asks for an orderly stop."""
        self._stopping.set()

    def fail(self, failure: BaseException) -> None:
        """Reports that the service cannot go on: it drains, then exits 1."""
        if self._failure is None:
            self._failure = failure
        self._stopping.set()

    async def wait(self) -> None:
        """Returns when the process shall stop. Has no deadline: this is the serving time."""
        await self._stopping.wait()

    @asynccontextmanager
    async def background(self, name: str, work: Awaitable[None]) -> AsyncIterator[None]:
        """Runs `work` beside the block and cancels it at the end.

        If it raises, or returns while the service runs, the service fails: background work
        is never lost silently.
        """
        task = asyncio.ensure_future(work)
        task.add_done_callback(lambda done: self._background_done(name, done))
        try:
            yield
        finally:
            while not task.done():
                # Again, if need be: `asyncio.wait_for` in Python 3.11 may lose a cancellation.
                task.cancel()
                await asyncio.wait([task], timeout=_CANCEL_AGAIN_S)

    def _background_done(self, name: str, task: "asyncio.Future[None]") -> None:
        if task.cancelled():
            return
        failure = task.exception()
        if failure is not None:
            log.error("background work failed", work=name, exc_info=failure)
            self.fail(failure)
        elif not self.stopping:
            self.fail(RuntimeError(f"background work {name!r} ended"))


ServiceFactory = Callable[[Lifecycle], AbstractAsyncContextManager[object]]


def run(service: ServiceFactory, *, grace_s: float) -> int:
    """Runs a service to its end and returns the process's exit code; blocks until then.

    `grace_s` is how long draining and closing may take together.
    """
    if sys.platform == "win32":
        return asyncio.run(_run(service, grace_s))
    import uvloop  # noqa: PLC0415 - not to be had on Windows

    return uvloop.run(_run(service, grace_s))


async def _run(service: ServiceFactory, grace_s: float) -> int:
    lifecycle = Lifecycle()

    loop = asyncio.get_running_loop()
    insisting_from: float | None = None

    def on_signal(number: signal.Signals) -> None:
        nonlocal insisting_from
        if insisting_from is None:
            insisting_from = loop.time() + _SAME_SIGNAL_S
            log.info("stopping", signal=number.name)
            lifecycle.stop()
        elif loop.time() >= insisting_from:
            log.warning("second signal, exiting at once", signal=number.name)
            os._exit(EXIT_FAILED)

    for number in _SIGNALS:
        loop.add_signal_handler(number, on_signal, number)
    try:
        await _serve(service, lifecycle, grace_s)
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
    if lifecycle.failure is not None:
        return EXIT_FAILED
    log.info("stopped")
    return 0


async def _serve(service: ServiceFactory, lifecycle: Lifecycle, grace_s: float) -> None:
    """Runs the service in one task, so that task groups may span its whole life."""
    ready = asyncio.Event()

    async def hold() -> None:
        async with service(lifecycle):
            ready.set()
            log.info("ready")
            await lifecycle.wait()

    holding = asyncio.ensure_future(hold())
    stopping = asyncio.ensure_future(lifecycle.wait())
    await asyncio.wait([holding, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not holding.done():
        if not ready.is_set():
            holding.cancel()
        await asyncio.wait([holding], timeout=grace_s)
    if not holding.done():
        log.error("did not stop in time", grace_s=grace_s)
        lifecycle.fail(TimeoutError(f"did not stop in {grace_s:g} s"))
        holding.cancel()
        await asyncio.wait([holding], timeout=_UNWIND_S)
    elif holding.cancelled() and not lifecycle.stopping:
        lifecycle.fail(RuntimeError("the service was cancelled from within"))
    elif not holding.cancelled() and (failure := holding.exception()) is not None:
        log.error("the service failed", was_ready=ready.is_set(), exc_info=failure)
        lifecycle.fail(failure)
