"""How many workflows may hold documents: as many as the live workers can carry."""

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from sheaf_common.errors import SheafError
from sheaf_orchestrator.domain import MAX_WORKFLOWS, GroupLimits, Lane
from sheaf_orchestrator.ports import WorkerCensus

log = structlog.get_logger()

INTERVAL_S: Final = 2.0
FORGET_S: Final = 60.0
"""For so long the last answer holds while there is none; then this process's own number."""


@dataclass(slots=True)
class FollowedLimits:
    """The limits of a lane's claims, with a place for each live subprocess, and one more.

    The one more is claimed and started while the others are worked on. Until workers are known,
    and when nothing has been heard of them for a while, the number is `own`'s. A claim that waits
    has the number of when it began: more places come into force when the next place is free, or
    when its wait ends; fewer never stop what runs.
    """

    lane: Lane
    own: GroupLimits
    census: WorkerCensus
    interval_s: float = INTERVAL_S
    forget_s: float = FORGET_S
    _subprocesses: int | None = None
    _heard_at_s: float = 0.0
    _deaf: bool = False
    _current: GroupLimits = field(init=False)

    def __post_init__(self) -> None:
        self._current = self.own

    def __call__(self) -> GroupLimits:
        """The limits of a claim that is made now."""
        return self._current

    async def run(self) -> None:
        """Asks again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self.interval_s)

    async def look(self) -> None:
        """Asks once."""
        try:
            found = await self.census.subprocesses(self.lane)
        except SheafError as error:
            if not self._deaf:
                log.warning("the live workers are not known", error=str(error))
            self._deaf, found = True, None
        else:
            self._deaf = False
        now_s = time.monotonic()
        if found is not None:
            self._subprocesses, self._heard_at_s = found, now_s
        elif now_s - self._heard_at_s >= self.forget_s:
            self._subprocesses = None
        self._follow()

    def _follow(self) -> None:
        limits = self.own
        if self._subprocesses is not None:
            limits = replace(limits, max_workflows=min(self._subprocesses + 1, MAX_WORKFLOWS))
        if limits != self._current:
            log.info("workflow limit", lane=self.lane.value, max_workflows=limits.max_workflows)
            self._current = limits
