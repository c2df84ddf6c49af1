"""What is queued, and what the other services measure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from sheaf_common.telemetry.measured import Recent
from sheaf_gateway.backlog import LaneQueue

MeasuredService = Literal["storage", "metadata", "orchestrator"]


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits of text documents: in the intake, and as tasks of workflows in Temporal.

    `group_max_documents`, at least 1, is how many of them one workflow takes at most.
    """

    queued_documents: int
    group_max_documents: int
    waiting_tasks: int


class IntakeQueue(Protocol):
    """What is queued to be processed."""

    async def lanes(self, *, timeout_s: float) -> Sequence[LaneQueue]:
        """Every lane, as it was at most a second ago. Answers or raises within `timeout_s`.

        Raises:
            SheafError: Unavailable, DeadlineExceeded, …
        """
        ...


class Measurements(Protocol):
    """What the other services measure. Of several replicas one answers."""

    async def recent(
        self, service: MeasuredService, window_s: float, *, timeout_s: float
    ) -> Recent:
        """What a service measured in the last seconds. Answers or raises within `timeout_s`.

        Raises:
            SheafError: Unavailable, DeadlineExceeded, …
        """
        ...

    async def backlog(self, *, timeout_s: float) -> Backlog:
        """How much waits. Answers or raises within `timeout_s`.

        Raises:
            SheafError: Unavailable, DeadlineExceeded, …
        """
        ...
