"""The pool: lends subprocesses to callers, one document at a time, and replaces them."""

import asyncio
import logging
import os
from collections.abc import Callable
from types import TracebackType
from typing import NoReturn, Self, TypeVar

from sheaf_orchestrator.extraction.errors import (
    ExtractionFailed,
    PoolClosed,
    WorkerDied,
)
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.recognised import Recognised
from sheaf_orchestrator.extraction.sandbox.answers import extraction_of, picture_of, recognised_of
from sheaf_orchestrator.extraction.sandbox.channel import ChannelClosed, Content
from sheaf_orchestrator.extraction.sandbox.counters import Counters
from sheaf_orchestrator.extraction.sandbox.death import Exit, describe, reason_of
from sheaf_orchestrator.extraction.sandbox.launch import DEFAULT_REGISTRY
from sheaf_orchestrator.extraction.sandbox.line import Line
from sheaf_orchestrator.extraction.sandbox.process import WorkerProcess
from sheaf_orchestrator.extraction.sandbox.protocol import (
    Answer,
    AnyRequest,
    Extraction,
    Failed,
    RecogniseRequest,
    Request,
    ThumbnailRequest,
)
from sheaf_orchestrator.extraction.sandbox.staff import Staff
from sheaf_orchestrator.extraction.sandbox.stats import PoolStats

_log = logging.getLogger(__name__)
_WATCH_S = 0.2

T = TypeVar("T")


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class ExtractionPool:
    """Extracts documents in ``size`` subprocesses, with ``spares`` more kept warm.

    An async context manager, for one event loop whose thread lives as long as the pool: the
    subprocesses die with that thread, however it dies. Entering returns when the first
    subprocess is ready and raises WorkersUnavailable when none will start. Leaving kills what
    runs (its callers get PoolClosed) and leaves no process and no file behind.

    With ``idle_s`` subprocesses are started at the first need, and ended once nobody has needed
    one for so long.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        size: int | None = None,
        spares: int = 1,
        registry: str = DEFAULT_REGISTRY,
        idle_s: float | None = None,
    ) -> None:
        """``size`` defaults to the cores; ``registry`` names the module that knows extractors."""
        self._limits = limits or Limits()
        self._size = size or _cores()
        self._busy: set[WorkerProcess] = set()
        self._counters = Counters()
        self._line = Line(self._limits)
        self._idle_s = idle_s
        self._staff = Staff(
            registry,
            self._limits,
            self._size + spares,
            self._counters,
            self._serve,
            resting=idle_s is not None,
        )
        self._watcher: asyncio.Task[None] | None = None
        self._needed_s = 0.0
        self._closed = False

    async def __aenter__(self) -> Self:
        try:
            await self._staff.open()
        except BaseException:
            await self.aclose()
            raise
        self._watcher = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Kill every subprocess and wait until it is gone. Harmless when done twice."""
        self._closed = True
        self._line.refuse(PoolClosed("the extraction pool is closed"))
        if self._watcher is not None:
            self._watcher.cancel()
        await self._staff.close()

    async def extract(
        self, request: Request, content: Content, *, fresh: bool = False
    ) -> Extraction:
        """Extract one document; ``content`` must not change meanwhile.

        Waits up to ``limits.wait_s`` for a subprocess, then up to ``limits.wall_s`` for the
        document. ``fresh`` asks for a subprocess that has seen no document. Cancelling kills
        the subprocess at once.

        Raises ExtractionFailed (the document's own fault), WorkerDied (worth one more attempt
        with ``fresh``), PoolBusy, WorkersUnavailable, PoolClosed.
        """
        return await self._ask(request, content, extraction_of, fresh=fresh)

    async def recognise(
        self, request: RecogniseRequest, content: Content, *, fresh: bool = False
    ) -> Recognised:
        """Read pages by character recognition, within ``limits.wall_s`` for all of them.

        Like ``extract`` otherwise; the pool's registry must be one that recognises.
        """
        return await self._ask(request, content, recognised_of, fresh=fresh)

    async def thumbnail(
        self, request: ThumbnailRequest, content: Content, *, fresh: bool = False
    ) -> bytes:
        """Draw a page, as WebP. Like ``extract`` otherwise."""
        return await self._ask(request, content, picture_of, fresh=fresh)

    async def _ask(
        self,
        request: AnyRequest,
        content: Content,
        read: Callable[[Answer, bytes], T],
        *,
        fresh: bool,
    ) -> T:
        if len(content) > self._limits.content_bytes:
            self._fail(
                Reason.TOO_LARGE,
                f"The document has {len(content)} bytes; at most {self._limits.content_bytes} "
                "are read.",
            )
        worker = await self._borrow(fresh=fresh)
        done, answer = await self._exchange(worker, request, content, read)
        self._give_back(worker, answer)
        if isinstance(answer, Failed):
            self._fail(answer.reason, answer.message)
        if done is None:
            raise RuntimeError("an answer without content")
        return done

    def hold(self) -> None:
        """Have every subprocess stand still until ``resume``; those that start meanwhile do not.

        Their time goes on: a document that is held for ``limits.wall_s`` is killed.
        """
        for worker in self._staff.living:
            worker.hold()

    def resume(self) -> None:
        """Have every subprocess go on."""
        for worker in self._staff.living:
            worker.resume()

    def stats(self) -> PoolStats:
        """Figures as of now."""
        return PoolStats(
            size=self._size,
            in_use=len(self._busy),
            ready=len(self._staff.ready),
            starting=self._staff.starting,
            waiting=len(self._line),
            documents=self._counters.documents,
            failures=dict(self._counters.failures),
            restarts=dict(self._counters.restarts),
            failed_starts=self._counters.failed_starts,
            isolation=self._staff.isolation,
            priority=self._staff.priority,
            pids=tuple(sorted(worker.pid for worker in self._staff.living)),
        )

    async def _borrow(self, *, fresh: bool) -> WorkerProcess:
        if self._closed:
            raise PoolClosed("the extraction pool is closed")
        self._needed_s = asyncio.get_running_loop().time()
        self._staff.wake()
        self._staff.check()
        place = self._line.join(fresh=fresh)
        self._serve()
        try:
            return await self._line.wait(place)
        except BaseException:
            if (worker := place.worker) is not None:  # lent in the very moment of giving up
                self._busy.discard(worker)
                self._staff.take_back(worker)
                self._serve()
            raise

    def _serve(self) -> None:
        """Lend ready subprocesses to those who wait, first come first served."""
        if (trouble := self._staff.trouble) is not None:
            self._line.refuse(trouble)
        for place in self._line.places():
            if len(self._busy) >= self._size:
                return
            worker = self._staff.lend(fresh=place.fresh)
            if worker is not None:
                self._busy.add(worker)
                self._line.lend(place, worker)

    async def _exchange(
        self,
        worker: WorkerProcess,
        request: AnyRequest,
        content: Content,
        read: Callable[[Answer, bytes], T],
    ) -> tuple[T | None, Answer]:
        """The answer, and what was read of it unless it is a failure."""
        limits = self._limits
        try:
            async with asyncio.timeout(limits.wall_s):
                answer, body = await worker.exchange(request, content, limits.reply_bytes)
            return None if isinstance(answer, Failed) else read(answer, body), answer
        except TimeoutError:
            worker.kill(Reason.TIME_LIMIT)
        except ChannelClosed as error:
            _log.debug("extraction subprocess %d: %s", worker.pid, error)
        except BaseException:
            worker.kill()
            self._let_go(worker, "cancelled")
            raise
        if self._closed:
            raise PoolClosed("the extraction pool was closed under the document")
        exit_ = await asyncio.shield(self._let_go(worker, None))
        reason = worker.killed_for or reason_of(exit_, limits)
        evidence = describe(exit_)
        self._counters.failures[reason.value] += 1
        self._counters.restarts[reason.value] += 1
        _log.warning(
            "extraction subprocess died: %s",
            reason.value,
            extra={
                "document_id": request.document_id,
                "reason": reason.value,
                "evidence": evidence,
            },
        )
        raise WorkerDied(reason, evidence)

    def _give_back(self, worker: WorkerProcess, reply: Answer) -> None:
        self._counters.documents += 1
        out_of_memory = isinstance(reply, Failed) and reply.reason is Reason.MEMORY_LIMIT
        if out_of_memory or reply.rss_bytes > self._limits.recycle_rss_bytes:
            self._let_go(worker, "rss")
        elif worker.documents >= self._limits.documents_per_worker:
            self._let_go(worker, "documents")
        else:
            self._busy.discard(worker)
            self._staff.take_back(worker)
            self._serve()

    def _let_go(self, worker: WorkerProcess, cause: str | None) -> "asyncio.Task[Exit]":
        """End a busy subprocess and have it replaced; a ready one serves at once."""
        self._busy.discard(worker)
        burial = self._staff.dismiss(worker, cause)
        self._serve()
        return burial

    def _fail(self, reason: Reason, message: str) -> NoReturn:
        self._counters.failures[reason.value] += 1
        raise ExtractionFailed(reason, message)

    async def _watch(self) -> None:
        """Look at the memory of what works, and end what nobody needs."""
        while True:
            await asyncio.sleep(_WATCH_S)
            self._rest_if_idle()
            for worker in self._busy:
                if worker.rss_bytes > self._limits.rss_bytes:
                    worker.kill(Reason.MEMORY_LIMIT)

    def _rest_if_idle(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if self._busy or len(self._line):
            self._needed_s = now_s
        elif self._idle_s is not None and now_s - self._needed_s > self._idle_s:
            self._staff.rest()
