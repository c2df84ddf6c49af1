"""What the use cases report to whoever watches: the port of the metrics."""

from typing import Literal, Protocol

from sheaf_orchestrator.domain import GroupSummary, Lane, WorkflowState


class DispatchObserver(Protocol):
    """Sees dispatch and leases at work. Calls return at once and never raise."""

    def dispatched(self, lane: Lane, documents: int) -> None:
        """A group's workflow was started."""
        ...

    def limited(self, lane: Lane, max_workflows: int) -> None:
        """A claim is made, with so many places for workflows."""
        ...

    def lease_resolved(self, state: WorkflowState, documents: int) -> None:
        """An expired lease was resolved by what Temporal said of its workflow."""
        ...


class ProcessingObserver(Protocol):
    """Sees processing at work. Calls return at once and never raise."""

    def group_processed(self, lane: Lane, summary: GroupSummary, duration_s: float) -> None:
        """A group ended: all of the text lane's; of the OCR lane, one activity that ended it."""
        ...

    def stage_done(self, stage: str, duration_s: float) -> None:
        """One document passed `fetch`, `extract`, `put` and so on, or a batch `record`."""
        ...

    def page_recognised(self, *, failed: bool) -> None:
        """A page went through character recognition."""
        ...


class ScalingObserver(Protocol):
    """Sees the scaler at work. Calls return at once and never raise."""

    def workers(self, *, running: int, draining: int) -> None:
        """So many CPU worker processes are there."""
        ...

    def changed(self, change: Literal["added", "removed", "replaced"]) -> None:
        """One was added or removed by load, or took the place of one that died."""
        ...
