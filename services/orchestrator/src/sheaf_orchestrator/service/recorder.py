"""Records a group's outcomes in small batches, beside the work that makes them."""

import asyncio
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

import structlog

from sheaf_common.backoff import backoff_s
from sheaf_common.errors import SheafError
from sheaf_common.failpoints import failpoint
from sheaf_common.telemetry import tracing
from sheaf_orchestrator.domain import (
    Completed,
    Disposition,
    Failed,
    Group,
    GroupSummary,
    NeedsOcr,
    Outcome,
)
from sheaf_orchestrator.ports import Intake
from sheaf_orchestrator.service.observer import ProcessingObserver

log = structlog.get_logger()

_BATCH: Final = 16
_LINGER_S: Final = 0.05
_GIVE_UP_S: Final = 60.0
_UNWIND_S: Final = 5.0
_BACKOFF_BASE_S: Final = 0.1
_BACKOFF_LIMIT_S: Final = 5.0


class OutcomeRecorder:
    """Takes outcomes and records them: at 16, after 50 ms, or when none is to come.

    One transaction for several documents costs little more than for one, and 50 ms is
    nothing to a client that waits for a loaded system; the last outcome of a group, and the
    only one of a single document, is recorded at once.
    """

    def __init__(
        self, intake: Intake, group: Group, summary: GroupSummary, observer: ProcessingObserver
    ) -> None:
        self._intake = intake
        self._workflow_id = group.workflow_id
        self._to_come = len(group.documents)
        self._summary = summary
        self._observer = observer
        self._pending: list[Outcome] = []
        self._changed = asyncio.Event()
        self._recording: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begins to record."""
        self._recording = asyncio.create_task(self._record_all())
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Waits until every outcome is recorded; after an error, for a few seconds at most.

        Raises:
            SheafError: outcomes could not be recorded within a minute.
        """
        recording = self._recording
        if recording is None:
            return
        if error_type is not None:
            self._to_come = 0
            self._changed.set()
            await asyncio.wait([recording], timeout=_UNWIND_S)
        try:
            if error_type is None:
                await asyncio.shield(recording)
        finally:
            recording.cancel()
            await asyncio.wait([recording])

    def add(self, outcome: Outcome) -> None:
        """Takes one outcome; returns at once."""
        self._pending.append(outcome)
        self.skip()

    def skip(self) -> None:
        """Says that one document of the group will have no further outcome."""
        self._to_come -= 1
        self._changed.set()

    async def _record_all(self) -> None:
        while self._to_come > 0 or self._pending:
            await self._wait_for_batch()
            batch, self._pending = self._pending[:_BATCH], self._pending[_BATCH:]
            if batch:
                with tracing.span("record", attributes={"sheaf.outcomes": len(batch)}):
                    await self._record(batch)

    async def _wait_for_batch(self) -> None:
        """Returns when a batch is full, when none is to come, or 50 ms after its first."""
        deadline: float | None = None
        while self._to_come > 0 and len(self._pending) < _BATCH:
            if self._pending and deadline is None:
                deadline = asyncio.get_running_loop().time() + _LINGER_S
            self._changed.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._changed.wait()
            except TimeoutError:
                return

    async def _record(self, batch: Sequence[Outcome]) -> None:
        started = time.monotonic()
        tries = 0
        while True:
            try:
                dispositions = await self._intake.record(self._workflow_id, batch)
                break
            except SheafError as error:
                if not error.retryable or time.monotonic() - started > _GIVE_UP_S:
                    raise
                log.warning("outcomes not recorded yet", error=str(error), tries=tries)
                await asyncio.sleep(
                    backoff_s(tries, base_s=_BACKOFF_BASE_S, limit_s=_BACKOFF_LIMIT_S)
                )
                tries += 1
        await failpoint("cpu.recorded")
        self._observer.stage_done("record", time.monotonic() - started)
        for outcome in batch:
            self._count(outcome, dispositions[outcome.document_id])

    def _count(self, outcome: Outcome, disposition: Disposition) -> None:
        if disposition is Disposition.SUPERSEDED:
            log.info("outcome superseded", document_id=outcome.document_id)
            self._summary.lost += 1
        elif isinstance(outcome.result, Completed):
            self._summary.completed += 1
        elif isinstance(outcome.result, Failed):
            self._summary.failed += 1
        elif isinstance(outcome.result, NeedsOcr):
            self._summary.needs_ocr += 1
        else:
            self._summary.quarantined += 1
