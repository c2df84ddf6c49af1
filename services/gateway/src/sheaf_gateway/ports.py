"""What the gateway needs from outside."""

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Literal, Protocol
from uuid import UUID

from sheaf_common.telemetry.measured import Recent
from sheaf_gateway.api_keys import KeyPage, NewKey
from sheaf_gateway.backlog import LaneQueue
from sheaf_gateway.domain import (
    Batch,
    Columns,
    Document,
    DocumentPage,
    KeyOwner,
    ListFilter,
    NewBatch,
    Registered,
    Replay,
    Replayed,
    StoredObject,
    Workflow,
)
from sheaf_gateway.events import EventPage, Followed
from sheaf_gateway.idempotency import HeldKey
from sheaf_gateway.options import Options
from sheaf_gateway.rates import Allowance, Rate


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

    async def put_result(self, key: str, content: bytes, *, timeout_s: float) -> None:
        """Stores a result under a new key, as it is: zstd-compressed JSON.

        Raises:
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

    async def delete_all(self, document_id: str, *, timeout_s: float) -> None:
        """Deletes every object of a document that is there when it is looked for."""
        ...


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


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """What the work on an idempotency key has ended with."""

    fingerprint: bytes
    """What it was about, 32 bytes."""
    answer: bytes
    """What was kept of it besides."""
    documents: tuple[Document, ...]
    """As they were registered, in the order of the batch's files."""


class IdempotencyKeys(Protocol):
    """Says who works on an idempotency key. Acts for the current request's user."""

    async def begin(self, held: HeldKey, lease_ttl_s: float) -> KeyAnswer | None:
        """Gives the key to the holder, for so long; or says what the work on it has ended with.

        Raises:
            Conflict: `IDEMPOTENCY_KEY_IN_FLIGHT`, with what is left of another's lease.
        """
        ...

    async def renew(self, held: HeldKey, lease_ttl_s: float) -> None:
        """Extends the lease to so long from now. Raises Conflict `IDEMPOTENCY_KEY_LOST`."""
        ...

    async def abandon(self, held: HeldKey) -> None:
        """Gives the key back as if it had not been used; one that is lost or answered stays."""
        ...


class EventLog(Protocol):
    """Knows what has happened, in the order of positions."""

    async def poll(self, after: int | None, *, wait_s: float) -> EventPage:
        """What all users may see after a position, waiting for it; None is the last there is.

        Raises:
            SheafError: Unavailable, DeadlineExceeded, OverCapacity, …
        """
        ...

    async def listed(self, followed: Followed, after: int, until: int, limit: int) -> EventPage:
        """At most so many after a position, up to another, of the current request's user.

        Raises:
            NotFound: there is no such document or batch of the user's.
            SheafError: Unavailable, DeadlineExceeded, …
        """
        ...


class KeyDirectory(Protocol):
    """Knows whose an API key is."""

    async def resolve(self, sha256: bytes) -> KeyOwner:
        """The owner of the key with that hash. Raises Unauthenticated."""
        ...


@dataclass(frozen=True, slots=True)
class Taken:
    """A key's mark as it stands; `allowance` is None if another one was expected."""

    mark: str
    allowance: Allowance | None


class SharedKeys(Protocol):
    """What all gateways know of a key, by its hash. Never raises; None is: not known now."""

    async def mark(self, sha256: bytes) -> str | None:
        """The mark that stands until the key changes; made now if there is none."""
        ...

    async def take(self, sha256: bytes, rate: Rate, mark: str | None) -> Taken | None:
        """Counts one request if that mark stands; whichever does, if none is given."""
        ...


class Keys(Protocol):
    """Keeps API keys. Acts for the current request's user."""

    async def create(self, key: NewKey) -> None:
        """Records a key."""
        ...

    async def page(self, *, limit: int, cursor: str) -> KeyPage:
        """A page of keys, the newest first. Raises InvalidInput `CURSOR_INVALID`."""
        ...

    async def revoke(self, key_id: UUID) -> None:
        """Revokes a key, at once in force everywhere. Raises NotFound `API_KEY_NOT_FOUND`."""
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
