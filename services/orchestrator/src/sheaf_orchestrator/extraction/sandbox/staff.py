"""The subprocesses of a pool: started ahead of need, replaced, and all ended at the end."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from sheaf_orchestrator.extraction.errors import WorkersUnavailable
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.sandbox.counters import Counters
from sheaf_orchestrator.extraction.sandbox.death import Exit
from sheaf_orchestrator.extraction.sandbox.process import WorkerProcess
from sheaf_orchestrator.extraction.sandbox.workspace import Workspace

_log = logging.getLogger(__name__)


class Staff:
    """Keeps ``strength`` subprocesses alive; calls ``changed`` when one comes or starts fail.

    While it rests it keeps none. Failed starts are repeated one at a time after growing pauses.
    After ``limits.start_failures`` in a row, and while none lives, ``trouble`` says so.
    """

    def __init__(
        self,
        registry: str,
        limits: Limits,
        strength: int,
        counters: Counters,
        changed: Callable[[], None],
        *,
        resting: bool = False,
    ) -> None:
        self._registry, self._limits, self._strength = registry, limits, strength
        self._counters, self._changed = counters, changed
        self.living: set[WorkerProcess] = set()
        self.ready: list[WorkerProcess] = []
        self.isolation: str | None = None
        self.priority: str | None = None
        self._resting = resting
        self._workspace: Workspace | None = None
        self._starts: set[asyncio.Task[None]] = set()
        self._burials: set[asyncio.Task[Exit]] = set()
        self._failures_in_row = 0
        self._last_failure = ""
        self._pause: asyncio.TimerHandle | None = None
        self._news = asyncio.Event()
        self._closed = False

    @property
    def starting(self) -> int:
        """Subprocesses that have not said hello yet."""
        return len(self._starts)

    @property
    def trouble(self) -> WorkersUnavailable | None:
        """The error for callers, when there is no point in waiting."""
        if self._failures_in_row >= self._limits.start_failures and not self.living:
            return WorkersUnavailable(self._last_failure)
        return None

    def check(self) -> None:
        """Raise WorkersUnavailable if there is no point in waiting."""
        if (trouble := self.trouble) is not None:
            raise trouble

    async def open(self) -> None:
        """Start them all; return with the first, unless resting. Raises WorkersUnavailable."""
        self._workspace = Workspace()
        if self._resting:
            return
        self._replenish()
        while not self.living:
            self.check()
            self._news.clear()
            await self._news.wait()

    def wake(self) -> None:
        """Begin to start them if they rest."""
        if self._resting:
            self._resting = False
            self._replenish()

    def rest(self) -> None:
        """End those that are ready, and start no further ones until woken."""
        self._resting = True
        for worker in list(self.ready):
            self.dismiss(worker, "rest")

    async def close(self) -> None:
        """End them all, also those still starting."""
        self._closed = True
        if self._pause is not None:
            self._pause.cancel()
        for start in self._starts:
            start.cancel()
        await asyncio.gather(*self._starts, return_exceptions=True)
        for worker in list(self.living):
            self.dismiss(worker, None)
        await asyncio.gather(*self._burials, return_exceptions=True)
        if self._workspace is not None:
            self._workspace.close()
            self._workspace = None

    def lend(self, *, fresh: bool) -> WorkerProcess | None:
        """A ready subprocess, the one used last first; None when there is none.

        For ``fresh`` only one that has seen no document; a used one makes room for it.
        """
        for index in range(len(self.ready) - 1, -1, -1):
            if not (fresh and self.ready[index].documents):
                return self.ready.pop(index)
        if self.ready and not self._starts and self._pause is None:
            self.dismiss(self.ready[0], "fresh")
        return None

    def take_back(self, worker: WorkerProcess) -> None:
        """A lent subprocess is ready again, unless it has ended meanwhile."""
        if worker not in self.living:
            return
        if worker.ended:
            self.dismiss(worker, "idle")
        else:
            self.ready.append(worker)

    def dismiss(self, worker: WorkerProcess, cause: str | None) -> "asyncio.Task[Exit]":
        """Kill it, have it replaced, and count the cause; the task ends when it is gone.

        Without a cause nothing is counted: the caller learns it from the task.
        """
        self.living.discard(worker)
        if worker in self.ready:
            self.ready.remove(worker)
        if cause is not None:
            self._counters.restarts[cause] += 1
        burial = worker.bury()
        self._burials.add(burial)
        burial.add_done_callback(self._burials.discard)
        self._replenish()
        return burial

    def _replenish(self) -> None:
        """Start what is missing; after a failure only one, and not before the pause is over."""
        if self._closed or self._resting or self._pause is not None:
            return
        missing = self._strength - len(self.living) - len(self._starts)
        if self._failures_in_row:
            missing = min(missing, 1 - len(self._starts))
        for _ in range(missing):
            start = asyncio.create_task(self._start())
            self._starts.add(start)
            start.add_done_callback(self._started)

    def _started(self, start: asyncio.Task[None]) -> None:
        self._starts.discard(start)
        if self._closed:
            return
        if not start.cancelled() and (error := start.exception()) is not None:
            self._fail(str(error))
        self._replenish()
        self._changed()
        self._news.set()

    async def _start(self) -> None:
        if self._workspace is None:
            return
        folder = self._workspace.folder()
        worker = await WorkerProcess.start(self._registry, self._limits, folder)
        self._failures_in_row = 0
        self.isolation, self.priority = worker.hello.isolation, worker.hello.priority
        self.living.add(worker)
        self.ready.insert(0, worker)
        worker.on_exit(partial(self._ended, worker))
        weaker = self.isolation == "none" or self.priority == "normal group"
        level = logging.WARNING if weaker else logging.INFO
        _log.log(
            level,
            "extraction subprocess ready",
            extra={
                "pid": worker.pid,
                "isolation": worker.hello.isolation,
                "priority": worker.hello.priority,
                "versions": worker.hello.versions,
                "rss_bytes": worker.hello.rss_bytes,
            },
        )

    def _ended(self, worker: WorkerProcess) -> None:
        """One that nobody used has ended by itself: replace it."""
        if worker in self.ready:
            _log.warning("idle extraction subprocess ended", extra={"pid": worker.pid})
            self.dismiss(worker, "idle")

    def _fail(self, evidence: str) -> None:
        self._counters.failed_starts += 1
        self._failures_in_row += 1
        self._last_failure = evidence
        pause_s = min(
            self._limits.start_backoff_s * 2.0 ** (self._failures_in_row - 1),
            self._limits.start_backoff_max_s,
        )
        _log.error("extraction subprocess did not start", extra={"evidence": evidence})
        if self._pause is not None:
            self._pause.cancel()
        self._pause = asyncio.get_running_loop().call_later(pause_s, self._resume)

    def _resume(self) -> None:
        self._pause = None
        self._replenish()
