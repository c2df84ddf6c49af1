"""What is known of documents."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from sheaf_gateway.domain.documents import Batch, Columns, Document, Workflow
from sheaf_gateway.domain.listing import DocumentPage, ListFilter
from sheaf_gateway.domain.registration import NewBatch, Registered
from sheaf_gateway.domain.replaying import Replay, Replayed
from sheaf_gateway.options import Options


class Records(Protocol):
    """Keeps what is known of documents. Acts for the current request's user.

    Of each document only the columns asked for are read, and its id.
    """

    async def register(self, batch: NewBatch, *, timeout_s: float) -> Registered:
        """Registers a batch, idempotent by document id; its documents in the order of its files.

        Under an idempotency key the same transaction ends the work on it.
        If it asks for reusable results and there are any, those instead.

        Raises:
            Conflict: `IDEMPOTENCY_KEY_LOST`; nothing is registered.
            SheafError: a definite rejection, or a kind after which the outcome is unknown.
        """
        ...

    async def document(self, document_id: UUID, columns: Columns, *, wait_s: float = 0) -> Document:
        """A document, waiting for its terminal status if asked to. Raises NotFound."""
        ...

    async def batch(self, batch_id: UUID, columns: Columns, *, wait_s: float = 0) -> Batch:
        """A batch, waiting for its end if asked to. Raises NotFound."""
        ...

    async def workflow(self, workflow_id: str, columns: Columns) -> Workflow:
        """A workflow. Raises NotFound; InvalidInput for what can be no workflow's id."""
        ...

    async def documents(
        self, wanted: ListFilter, columns: Columns, *, limit: int, cursor: str
    ) -> DocumentPage:
        """A page of documents, newest first.

        Raises:
            InvalidInput: `CURSOR_INVALID`; `FIELD_INVALID`, naming the filter.
        """
        ...

    async def cancel(self, document_id: UUID) -> Document:
        """The document, cancelled unless it had ended: then as it is. Raises NotFound."""
        ...

    async def reprocess(
        self,
        document_id: UUID,
        options: Options | None,
        sealed_password: bytes,
        *,
        after_attempt: int,
    ) -> Document:
        """Queues a document that has ended again; `options` None leaves those it has.

        Raises:
            NotFound: `DOCUMENT_NOT_FOUND`.
            FailedPrecondition: `DOCUMENT_NOT_TERMINAL`; `ATTEMPT_CHANGED`, if `after_attempt`
                is not 0 and not the attempt that has ended.
        """
        ...

    async def delete(self, document_id: UUID) -> Sequence[str]:
        """Deletes a document and what was found inside it; the ids of all. Raises NotFound."""
        ...

    async def delete_batch(self, batch_id: UUID) -> Sequence[str]:
        """Deletes a batch; the ids of its documents. Raises NotFound."""
        ...

    async def confirm_deleted(self, document_ids: Sequence[str], *, timeout_s: float) -> None:
        """Says that the objects of deleted documents, at most 1,000, are deleted."""
        ...

    async def replay(self, wanted: Replay) -> Replayed:
        """Queues quarantined documents again, oldest first."""
        ...
