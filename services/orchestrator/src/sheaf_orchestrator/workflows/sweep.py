"""The sweep workflow: one long activity that heartbeats how far it is."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from sheaf_orchestrator.workflows.contracts import (
        SWEEP,
        SWEEP_OBJECTS,
        SweepInput,
        SweepOutput,
    )

_DEADLINE = timedelta(hours=6)
_HEARTBEAT = timedelta(minutes=2)
_RETRY = RetryPolicy(maximum_attempts=5, maximum_interval=timedelta(minutes=5))


@workflow.defn(name=SWEEP)
class SweepWorkflow:
    """Removes what nothing refers to. A retry goes on after the last heartbeat."""

    @workflow.run
    async def run(self, sweep: SweepInput) -> SweepOutput:
        """Runs one sweep to its end."""
        output: SweepOutput = await workflow.execute_activity(
            SWEEP_OBJECTS,
            sweep,
            task_queue=sweep.io_task_queue,
            result_type=SweepOutput,
            start_to_close_timeout=_DEADLINE,
            heartbeat_timeout=_HEARTBEAT,
            retry_policy=_RETRY,
        )
        return output
