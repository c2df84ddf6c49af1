"""How claims end: by outcomes, or by giving documents back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sheaf_metadata.domain.outcomes import Disposition, HeldDocument, Outcome, ReleaseCause
from sheaf_metadata.ports.caching import Outdate
from sheaf_metadata.ports.changes import Changes
from sheaf_metadata.ports.fairness import Lags


class Outcomes(Protocol):
    """Ends claims by outcomes."""

    async def held(self, workflow_id: str, document_ids: Sequence[UUID]) -> Sequence[HeldDocument]:
        """Those that the workflow holds."""
        ...

    async def record(
        self, workflow_id: str, outcomes: Sequence[Outcome], lags: Lags, outdate: Outdate
    ) -> tuple[Sequence[Disposition], Changes]:
        """Records what the workflow may still say; one disposition an outcome, in order.

        What completed documents hold is queued with that, as far as depth and batch allow:
        where it is not, the document is partial.
        """
        ...


@dataclass(frozen=True, slots=True)
class Released:
    """What became of released documents."""

    requeued: tuple[UUID, ...]
    quarantined: tuple[UUID, ...]
    changes: Changes


class Releases(Protocol):
    """Ends claims by giving documents back."""

    async def release(
        self,
        workflow_id: str,
        document_ids: Sequence[UUID],
        cause: ReleaseCause,
        outdate: Outdate,
    ) -> Released:
        """Gives back what the workflow still holds of them; of all, if none are named."""
        ...
