"""The processing workflow: one activity for the whole group."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from sheaf_orchestrator.workflows.contracts import (
        EXTRACT_GROUP,
        PROCESS_GROUP,
        ExtractGroupInput,
        ProcessGroupInput,
        ProcessGroupOutput,
    )

_ONCE = RetryPolicy(maximum_attempts=1)


@workflow.defn(name=PROCESS_GROUP)
class ProcessGroupWorkflow:
    """Extracts one group of documents.

    The activity is tried once: a worker that is lost leaves its documents to the lease,
    which counts the loss for each of them. A retry here would hide that count, and two
    layers of retries multiply.
    """

    @workflow.run
    async def run(self, group: ProcessGroupInput) -> ProcessGroupOutput:
        """Runs the group's activity to its end. Fails if the activity fails."""
        output: ProcessGroupOutput = await workflow.execute_activity(
            EXTRACT_GROUP,
            ExtractGroupInput(lane=group.lane, documents=group.documents),
            task_queue=group.cpu_task_queue,
            result_type=ProcessGroupOutput,
            start_to_close_timeout=timedelta(seconds=group.deadline_s),
            heartbeat_timeout=timedelta(seconds=group.heartbeat_timeout_s),
            retry_policy=_ONCE,
        )
        return output
