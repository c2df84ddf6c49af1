"""Scaling: as many CPU worker processes on this host as the load asks for."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

import structlog

from sheaf_common.backoff import backoff_s
from sheaf_common.errors import SheafError
from sheaf_orchestrator.domain import Lane
from sheaf_orchestrator.ports import IntakeBacklog, WorkerProcesses
from sheaf_orchestrator.scaling import Load, ScalingRule, Watch, decide
from sheaf_orchestrator.service.observer import ScalingObserver

log = structlog.get_logger()

_BACKOFF_BASE_S: Final = 0.5
_BACKOFF_LIMIT_S: Final = 30.0
_SETTLED_S: Final = 30.0
"""After so long without a death the next one is replaced at once again."""


@dataclass(slots=True)
class Scaler:
    """Keeps the wanted number of workers running, and changes that number by the rule.

    A worker that ends unasked is replaced, after a back-off that grows with each death; what it
    worked on comes back by its lease. While the backlog is not known the number stays.
    """

    rule: ScalingRule
    backlog: IntakeBacklog
    processes: WorkerProcesses
    observer: ScalingObserver
    look_s: float
    wanted: int = 0
    _watch: Watch = field(default_factory=Watch)
    _missing: int = 0
    """Workers that died and have not been replaced."""
    _deaths: int = 0
    _died_at_s: float = 0.0
    _not_before_s: float = 0.0
    _blind: bool = False

    async def run(self) -> None:
        """Scales until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self.look_s)

    async def look(self) -> None:
        """Looks once, and does what the rule says."""
        age_s, now_s = await self._oldest_age_s(), time.monotonic()
        self._notice_deaths(now_s)
        load = Load(now_s, age_s, self.processes.use(), starting=self.processes.starting)
        self._watch, change = decide(self.rule, self._watch, self.wanted, load)
        if change:
            self.wanted += change
            log.info("workers wanted", wanted=self.wanted, oldest_s=age_s, use=round(load.use, 2))
        await self._reconcile(now_s)
        self.observer.workers(running=self.processes.running, draining=self.processes.draining)

    async def _oldest_age_s(self) -> float | None:
        """The age of the oldest queued text; None while it cannot be known."""
        try:
            lanes = await self.backlog.lanes()
        except SheafError as error:
            if not self._blind:
                log.warning("the backlog is not known, nothing is scaled", error=str(error))
            self._blind = True
            return None
        if self._blind:
            log.info("the backlog is known again")
        self._blind = False
        return max((lane.oldest_age_s for lane in lanes if lane.lane is Lane.TEXT), default=0.0)

    def _notice_deaths(self, now_s: float) -> None:
        for code in self.processes.ended():
            if now_s - self._died_at_s > _SETTLED_S:
                self._deaths = 0
            pause_s = backoff_s(self._deaths, base_s=_BACKOFF_BASE_S, limit_s=_BACKOFF_LIMIT_S)
            self._deaths, self._died_at_s = self._deaths + 1, now_s
            self._not_before_s = now_s + pause_s
            self._missing += 1
            log.error("a CPU worker died", exit_code=code, replaced_in_s=round(pause_s, 2))

    def _room(self) -> bool:
        """Whether one is missing and may be started: with those that drain, never too many."""
        running, draining = self.processes.running, self.processes.draining
        return running < self.wanted and running + draining < self.rule.maximum

    async def _reconcile(self, now_s: float) -> None:
        """Starts or drains workers until as many run as are wanted."""
        while self.processes.running > self.wanted:
            self.processes.remove()
            self.observer.changed("removed")
        self._missing = min(self._missing, max(0, self.wanted - self.processes.running))
        while self._room() and now_s >= self._not_before_s:
            try:
                await self.processes.add()
            except OSError as error:
                log.error("a CPU worker cannot be started", error=str(error))  # noqa: TRY400 - says it all
                self._not_before_s = now_s + _BACKOFF_LIMIT_S
                return
            self.observer.changed("replaced" if self._missing else "added")
            self._missing = max(0, self._missing - 1)
