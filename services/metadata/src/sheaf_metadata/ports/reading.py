"""Reading documents, batches and workflows."""

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from sheaf_metadata.domain.documents import (
    BatchView,
    Document,
    WorkflowView,
)
from sheaf_metadata.domain.fields import Fields
from sheaf_metadata.domain.listing import ListFilter
from sheaf_metadata.domain.paging import Position, Scan


class Reads(Protocol):
    """Reads documents, batches and workflows; a `user_id` of None sees everyone's."""

    async def document(
        self, document_id: UUID, fields: Fields, user_id: str | None
    ) -> Document | None:
        """One document's fields; None if it is not there or someone else's."""
        ...

    async def open_documents(self, document_ids: Collection[UUID]) -> Collection[UUID]:
        """Those of the documents that are there and not terminal, in one query."""
        ...

    async def batch(self, batch_id: UUID, fields: Fields, user_id: str | None) -> BatchView | None:
        """A batch with its documents, in one query; None as above."""
        ...

    async def batch_finished(self, batch_id: UUID, user_id: str | None) -> bool | None:
        """Whether a batch has finished; None as above."""
        ...

    async def workflow(
        self, workflow_id: str, fields: Fields, user_id: str | None
    ) -> WorkflowView | None:
        """The user's documents of a workflow, in one query; None if there are none."""
        ...

    async def documents(
        self, wanted: ListFilter, fields: Fields, after: Position | None, limit: int
    ) -> Scan:
        """At most `limit` documents after a position, newest first.

        Ends earlier, and says where, once it has looked at `MAX_EXAMINED` index entries.
        """
        ...
