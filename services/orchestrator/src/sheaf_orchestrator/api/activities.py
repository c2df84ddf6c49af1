"""Activities: what Temporal calls. They translate and delegate."""

from dataclasses import asdict, dataclass

from temporalio import activity

from sheaf_common import context
from sheaf_common.context import RequestContext
from sheaf_orchestrator.api.activity_spans import activity_span
from sheaf_orchestrator.api.attending import group_of, heartbeats, stop_signal
from sheaf_orchestrator.domain import SweepReport
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


@dataclass(frozen=True, slots=True)
class ProcessingActivities:
    """Activities of the CPU task queue."""

    processor: GroupProcessor

    @activity.defn(name=EXTRACT_GROUP)
    async def extract_group(self, group: ExtractGroupInput) -> ProcessGroupOutput:
        """Processes a group; the workflow's id is what owns its documents."""
        workflow_id = activity.info().workflow_id or ""
        owned = group_of(workflow_id, group.lane, *group.documents)
        with (
            context.bound(RequestContext(request_id=workflow_id)),
            activity_span(owned, opens=True),
        ):
            async with heartbeats(), stop_signal() as stopping:
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
