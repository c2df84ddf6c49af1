"""What the gateway needs from outside."""

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Literal, Protocol
from uuid import UUID

from sheaf_common.telemetry.measured import Recent
from sheaf_gateway.backlog import LaneQueue
from sheaf_gateway.domain import (
    Batch,
    Columns,
    Document,
    DocumentPage,
    KeyOwner,
    ListFilter,
    NewBatch,
    Replay,
    Replayed,
    StoredObject,
    Workflow,
)
from sheaf_gateway.options import Options


@dataclass(frozen=True, slots=True)
class ObjectContent:
    """An object that is being read: what it is, and its bytes (or the range asked for)."""

    stored: StoredObject
    chunks: AsyncIterator[bytes]


class ObjectStore(Protocol):
    """Keeps the bytes of documents and results."""

    async def put(
        self,
        key: str,
        filename: str,
        content: bytes | AsyncIterable[bytes],
        *,
        accepted_content_types: Sequence[str],
        max_size_bytes: int,
        timeout_s: float,
    ) -> StoredObject:
        """Stores an object, create-only; the same content again is success.

        Nothing is stored if `content` raises, and what it raised is raised.

        Raises:
            InvalidInput: `OBJECT_EMPTY`, `OBJECT_TOO_LARGE`, `UNSUPPORTED_MEDIA_TYPE`.
            SheafError: Unavailable, DeadlineExceeded, OverCapacity, …
        """
        ...

    def get(
        self, key: str, *, offset: int = 0, length_bytes: int = 0
    ) -> AbstractAsyncContextManager[ObjectContent]:
        """Opens an object for reading; length 0 means to the end. The block owns the stream.

        Raises:
            NotFound: `OBJECT_NOT_FOUND`. OutOfRange: `RANGE_NOT_SATISFIABLE`.
        """
        ...

    async def delete(self, keys: Sequence[str], *, timeout_s: float) -> None:
        """Deletes objects, at most 1,000; those not there count as deleted."""
        ...


class Records(Protocol):
    """Keeps what is known of documents. Acts for the current request's user.

    Of each document only the columns asked for are read, and its id.
    """

    async def register(self, batch: NewBatch, *, timeout_s: float) -> tuple[Document, ...]:
        """Registers a batch, idempotent by document id; its documents in the order of its files.

        Raises:
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

    async def replay(self, wanted: Replay) -> Replayed:
        """Queues quarantined documents again, oldest first."""
        ...


class KeyDirectory(Protocol):
    """Knows whose an API key is."""

    async def resolve(self, sha256: bytes) -> KeyOwner:
        """The owner of the key with that hash. Raises Unauthenticated."""
        ...


class PageRenderer(Protocol):
    """Draws pages of documents."""

    async def thumbnail(self, document: Document, page: int, width_px: int) -> bytes:
        """A page as WebP, which is kept beside the document as well.

        Of the document it needs id, object key, content type, size and hash.

        Raises:
            InvalidInput: with the reason for which it cannot be drawn.
            SheafError: OverCapacity, Unavailable, DeadlineExceeded, …
        """
        ...


class Serving(Enum):
    """What a dependency's health service said."""

    YES = "up"
    NO = "down"
    SILENT = "silent"
    """No answer in time: slow, or out of reach without a refusal."""


class HealthProbe(Protocol):
    """Asks the dependencies how they are."""

    async def ask(self) -> Mapping[str, Serving]:
        """Every dependency by name, asked at once, within about a second. Never raises."""
        ...


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
