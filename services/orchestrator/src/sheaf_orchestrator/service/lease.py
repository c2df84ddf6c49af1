"""The lease of a group, held and renewed for as long as the group is worked on."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import structlog

from sheaf_common.errors import SheafError
from sheaf_common.telemetry import tracing
from sheaf_orchestrator.domain import DocumentTask, Group, Progress
from sheaf_orchestrator.ports import Intake

log = structlog.get_logger()


class HeldLease:
    """Renews a group's lease beside the block, and cancels the work on what it loses.

    A document is lost when it was cancelled, deleted or given to another workflow; that is
    how those acts reach running work. A renewal that fails is tried again at the next beat:
    until the lease expires nobody else takes the group.
    """

    def __init__(
        self,
        intake: Intake,
        group: Group,
        *,
        renew_s: float,
        progress: Callable[[], Sequence[Progress]] = tuple,
    ) -> None:
        """`progress` is asked at each renewal, and told with it."""
        self._intake = intake
        self._workflow_id = group.workflow_id
        self._renew_s = renew_s
        self._progress = progress
        self._open: dict[str, DocumentTask] = {task.document_id: task for task in group.documents}
        self._guarded: dict[str, asyncio.Future[Any]] = {}
        self._renewing: asyncio.Task[None] | None = None
        self.lost: set[str] = set()
        """Ids of documents that the workflow does not own any longer."""

    async def __aenter__(self) -> Self:
        """Begins to renew. The first renewal is awaited: it drops what is lost already."""
        await self._renew_once()
        with tracing.under(None):  # one a second says nothing of a document
            self._renewing = asyncio.create_task(self._renew())
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait([self._renewing])

    @contextmanager
    def guarding(self, document_id: str, work: asyncio.Future[Any]) -> Iterator[None]:
        """Cancels `work` if the document is lost during the block; after it, it is done."""
        self._guarded[document_id] = work
        try:
            yield
        finally:
            del self._guarded[document_id]
            self._open.pop(document_id, None)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._renew_s)
            await self._renew_once()

    async def _renew_once(self) -> None:
        tasks = list(self._open.values())
        if not tasks:
            return
        try:
            lost = await self._intake.renew(self._workflow_id, tasks, self._progress())
        except SheafError as error:
            log.warning("lease not renewed", workflow_id=self._workflow_id, error=str(error))
            return
        for document_id in lost & self._open.keys():
            self.lost.add(document_id)
            del self._open[document_id]
            if (work := self._guarded.get(document_id)) is not None:
                log.info("work cancelled, document lost", document_id=document_id)
                work.cancel()
