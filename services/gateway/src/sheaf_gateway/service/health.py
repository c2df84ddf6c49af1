"""How the gateway's dependencies are: asked on demand, remembered for a second."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from sheaf_gateway.ports.health import HealthProbe, Serving

REQUIRED: Final = ("storage", "s3", "metadata", "mysql")
"""What intake cannot do without; with anything else down it goes on."""

_FRESH_S: Final = 1.0
_KNOWN_S: Final = 5.0


class HealthStatus(Enum):
    """How the whole is."""

    OK = "ok"
    DEGRADED = "degraded"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What every dependency said, and what that means."""

    status: HealthStatus
    dependencies: Mapping[str, Serving]


class HealthService:
    """Asks at most once a second, whoever wants to know."""

    def __init__(self, probe: HealthProbe, clock: Callable[[], float] = time.monotonic) -> None:
        self._probe = probe
        self._clock = clock
        self._report: HealthReport | None = None
        self._asked_at = float("-inf")
        self._asking: asyncio.Task[HealthReport] | None = None

    async def report(self) -> HealthReport:
        """How everything is, at most a second ago."""
        if self._report is not None and self._clock() - self._asked_at < _FRESH_S:
            return self._report
        return await asyncio.shield(self._ask_once())

    def known_down(self) -> str | None:
        """A dependency of intake that said, a moment ago, that it does not serve.

        Silence is no such answer: a slow peer must not turn uploads away. Never waits; asks
        anew in the background when what is known is over a second old.
        """
        age_s = self._clock() - self._asked_at
        if age_s >= _FRESH_S:
            self._ask_once()
        if self._report is None or age_s >= _KNOWN_S:
            return None
        said = self._report.dependencies
        return next((name for name in REQUIRED if said.get(name) is Serving.NO), None)

    async def close(self) -> None:
        """Ends a question that is under way."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])

    def _ask_once(self) -> asyncio.Task[HealthReport]:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._ask())
        return self._asking

    async def _ask(self) -> HealthReport:
        began = self._clock()
        said = await self._probe.ask()
        self._report = HealthReport(_status(said), said)
        self._asked_at = began
        return self._report


def _status(said: Mapping[str, Serving]) -> HealthStatus:
    if any(said.get(name) is not Serving.YES for name in REQUIRED):
        return HealthStatus.UNAVAILABLE
    if all(answer is Serving.YES for answer in said.values()):
        return HealthStatus.OK
    return HealthStatus.DEGRADED
