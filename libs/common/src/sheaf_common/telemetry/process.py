"""What every process serves of itself: which service it is, and how late its event loop is."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from prometheus_client import disable_created_metrics

from sheaf_common.telemetry import catalogue

_LAG_SECONDS: Final = catalogue.EVENT_LOOP_LAG_SECONDS.histogram()
_INFO: Final = catalogue.PROCESS_INFO.gauge()
_PERIOD_S: Final = 0.5


class LoopLag:
    """Looks twice a second how late the event loop comes to what is due; belongs to that loop.

    A stall shows as one look as late as the stall was long, less up to half a second.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._rest()

    def close(self) -> None:
        """Looks no more."""
        self._next.cancel()

    def _rest(self) -> None:
        self._due = time.perf_counter() + _PERIOD_S
        self._next = self._loop.call_later(_PERIOD_S, self._look)

    def _look(self) -> None:
        # A loop's timers may come up to a millisecond early.
        _LAG_SECONDS.observe(max(0.0, time.perf_counter() - self._due))
        self._rest()


@asynccontextmanager
async def process_metrics(service: str) -> AsyncIterator[None]:
    """Serves what every process has, for the block; `service` is its distribution's name."""
    # A time beside each counter, which nobody asks for.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    _INFO.labels(service.removeprefix("sheaf-"), _version(service)).set(1)
    lag = LoopLag(asyncio.get_running_loop())
    try:
        yield
    finally:
        lag.close()


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:  # it runs from a folder and is not installed
        return "unknown"
