"""What owners ask of their documents."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from sheaf_metadata.domain.control import QuarantineFilter, Reprocessing
from sheaf_metadata.domain.documents import Document
from sheaf_metadata.ports.caching import Outdate, OutdateBatches
from sheaf_metadata.ports.changes import Changes
from sheaf_metadata.ports.fairness import Lags, QueuedWork


class Controls(Protocol):
    """Does what owners ask; a `user_id` of None may act on everyone's documents."""

    async def cancel(
        self, document_id: UUID, user_id: str | None, outdate: Outdate
    ) -> tuple[Document | None, Changes]:
        """Cancels a document unless it has ended; None if it is not there or someone else's."""
        ...

    async def work_of(self, document_id: UUID) -> QueuedWork | None:
        """A document as work of the text lane; None if it is not there."""
        ...

    async def quarantined(self, wanted: QuarantineFilter, limit: int) -> Sequence[QueuedWork]:
        """At most so many of the quarantined as work of the text lane, least ids first."""
        ...

    async def reprocess(
        self,
        wanted: Reprocessing,
        user_id: str | None,
        lags: Lags,
        outdate: Outdate,
        outdate_batches: OutdateBatches,
    ) -> tuple[Document | None, Changes]:
        """Queues a document that has ended as its next attempt; None as in `cancel`.

        Raises:
            FailedPrecondition: `ATTEMPT_CHANGED`, `DOCUMENT_NOT_TERMINAL`.
        """
        ...

    async def replay(
        self,
        document_ids: Sequence[UUID],
        lags: Lags,
        outdate: Outdate,
        outdate_batches: OutdateBatches,
    ) -> Changes:
        """Does the same with those of the documents that are quarantined still."""
        ...
