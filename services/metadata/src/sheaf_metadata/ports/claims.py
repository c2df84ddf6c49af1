"""Claims of queued documents, their leases, and who claims."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from sheaf_metadata.domain.claims import ClaimedGroup, ClaimLimits, ClaimTry, DocumentAttempt
from sheaf_metadata.ports.caching import Outdate


class Pipelines(Protocol):
    """Knows which versions of the pipeline are in use."""

    async def note(self, version: str) -> None:
        """That version claims documents. Never raises."""
        ...


class Claims(Protocol):
    """Claims groups of queued documents."""

    async def try_claim(self, limits: ClaimLimits, outdate: Outdate, *, likely: bool) -> ClaimTry:
        """Claims a group if there are a place and documents now.

        Unless that is `likely` it looks first, which costs less than a try for nothing.
        """
        ...


class Leases(Protocol):
    """Keeps claims."""

    async def renew(
        self,
        workflow_id: str,
        documents: Sequence[DocumentAttempt],
        lease_ttl_s: float,
        outdate: Outdate,
    ) -> Sequence[UUID]:
        """Extends the lease, and writes what progress is new.

        Returns those that the workflow does not own.
        """
        ...

    async def passwords(
        self, workflow_id: str, document_ids: Sequence[UUID]
    ) -> Mapping[UUID, bytes]:
        """The sealed passwords of those that the workflow holds and that have one."""
        ...

    async def expired(self, max_workflows: int) -> Sequence[ClaimedGroup]:
        """Workflows with an expired lease, each with all that it still holds."""
        ...
