"""Activities: what Temporal calls. They translate and delegate."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Final

from temporalio import activity

from sheaf_common import context
from sheaf_common.context import RequestContext
from sheaf_orchestrator.domain import DocumentTask, Group, Lane, SweepReport
from sheaf_orchestrator.service.processing import GroupProcessor
from sheaf_orchestrator.service.sweeper import Sweeper
from sheaf_orchestrator.workflows.contracts import (
    EXTRACT_GROUP,
    SWEEP_OBJECTS,
    ExtractGroupInput,
    ProcessGroupOutput,
    SweepInput,
    SweepOutput,
    SweepProgress,
)

_HEARTBEATS_A_TIMEOUT: Final = 4


@asynccontextmanager
async def _heartbeats() -> AsyncIterator[None]:
    """Heartbeats for the block, several times in the activity's heartbeat timeout."""
    timeout = activity.info().heartbeat_timeout
    if timeout is None:
        raise RuntimeError("the activity has no heartbeat timeout")

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(timeout.total_seconds() / _HEARTBEATS_A_TIMEOUT)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()


@asynccontextmanager
async def _stop_signal() -> AsyncIterator[asyncio.Event]:
    """An event that is set once the worker begins to shut down."""
    stopping = asyncio.Event()

    async def watch() -> None:
        await activity.wait_for_worker_shutdown()
        stopping.set()

    watching = asyncio.create_task(watch())
    try:
        yield stopping
    finally:
        watching.cancel()


@dataclass(frozen=True, slots=True)
class ProcessingActivities:
    """Activities of the CPU task queue."""

    processor: GroupProcessor

    @activity.defn(name=EXTRACT_GROUP)
    async def extract_group(self, group: ExtractGroupInput) -> ProcessGroupOutput:
        """Processes a group; the workflow's id is what owns its documents."""
        workflow_id = activity.info().workflow_id or ""
        owned = Group(
            workflow_id=workflow_id,
            lane=Lane(group.lane),
            documents=tuple(DocumentTask(**asdict(task)) for task in group.documents),
        )
        with context.bound(RequestContext(request_id=workflow_id)):
            async with _heartbeats(), _stop_signal() as stopping:
                summary = await self.processor.process(owned, stopping=stopping)
        return ProcessGroupOutput(**asdict(summary))


@dataclass(frozen=True, slots=True)
class SweepActivities:
    """Activities of the IO task queue. `min_age_s` is the configured age."""

    sweeper: Sweeper
    min_age_s: float

    @activity.defn(name=SWEEP_OBJECTS)
    async def sweep_objects(self, sweep: SweepInput) -> SweepOutput:
        """Sweeps from where an earlier try of this activity last was."""
        info = activity.info()
        last = SweepProgress()
        if info.heartbeat_details:
            details = info.heartbeat_details[0]
            last = SweepProgress(details["after_key"], SweepOutput(**details["so_far"]))

        def progress(after_key: str, report: SweepReport) -> None:
            activity.heartbeat(SweepProgress(after_key, SweepOutput(**asdict(report))))

        with context.bound(RequestContext(request_id=info.workflow_id or "")):
            report = await self.sweeper.sweep(
                min_age_s=self.min_age_s if sweep.min_age_s is None else sweep.min_age_s,
                after_key=last.after_key,
                report=SweepReport(**asdict(last.so_far)),
                progress=progress,
            )
        return SweepOutput(**asdict(report))
