"""What the service needs from outside: the record in the database, a cache, hints, fairness.

Every method of the record raises `SheafError`: `Unavailable` if the database does not
answer (reason `COMMIT_UNKNOWN`: the change may have been made; all of them may be repeated),
`OverCapacity` if there is no connection to be had, `Conflict` after lost races. A change is
one transaction, and is complete when the method returns. Cache, hints and fairness never
raise: without them everything works, slower; but a new attempt of what has ended, which caches
keep for minutes, needs a cache that says it has heard of it.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from sheaf_metadata.domain.api_keys import ApiKey, KeyRecord, RecordedKey
from sheaf_metadata.domain.claims import ClaimedGroup, ClaimLimits, ClaimTry, DocumentAttempt
from sheaf_metadata.domain.control import QuarantineFilter, Reprocessing
from sheaf_metadata.domain.documents import (
    Batch,
    BatchView,
    Document,
    DocumentReferences,
    Lane,
    LaneBacklog,
    WorkflowView,
)
from sheaf_metadata.domain.events import Event, Followed, Span
from sheaf_metadata.domain.fields import Fields
from sheaf_metadata.domain.idempotency import HeldKey, KeyAnswer
from sheaf_metadata.domain.listing import ListFilter
from sheaf_metadata.domain.outcomes import Disposition, HeldDocument, Outcome, ReleaseCause
from sheaf_metadata.domain.paging import Position, Scan
from sheaf_metadata.domain.registration import NewBatch
from sheaf_metadata.domain.reusing import Reusable


@dataclass(frozen=True, slots=True)
class QueuedWork:
    """A document's share of work in a lane, as fairness counts it."""

    document_id: UUID
    user_id: str
    lane: Lane
    work_ms: float


Lags = Mapping[UUID, timedelta]
"""By document, how far behind now it stands in line; before now, where the line is late."""

Outdate = Callable[[Sequence[tuple[UUID, int]]], Awaitable[bool]]
"""Takes ids with the row versions that they are about to have. A change calls it before it
commits, so that nobody who has seen the new row is shown the old one by a cache after that.
Says whether the cache has heard of it; what it raises, rolls the change back."""

OutdateBatches = Callable[[Sequence[UUID]], Awaitable[bool]]
"""The same for finished batches that are about to be open again."""


class Registrations(Protocol):
    """Registers batches."""

    async def register(
        self, batch: NewBatch, lags: Lags
    ) -> tuple[Batch, tuple[Document, ...], bool]:
        """Registers a batch; returns it, its documents in request order, and whether it is new.

        Raises:
            AlreadyExists: `DOCUMENT_EXISTS`, `BATCH_EXISTS`.
            InvalidInput: `ID_TOO_OLD`, `ID_INVALID` by the database's clock.
            Conflict: `IDEMPOTENCY_KEY_LOST`; nothing was changed.
            KeyAnswered: its holder has registered it already, under its idempotency key.
        """
        ...


class IdempotencyKeys(Protocol):
    """Records of idempotency keys. One that has expired is as if it were not there."""

    async def begin(self, held: HeldKey, lease_ttl_s: float) -> KeyAnswer | None:
        """Gives the key to the holder, for so long; or says what the work on it ended with.

        Raises:
            Conflict: `IDEMPOTENCY_KEY_IN_FLIGHT`, with what is left of the other's lease.
        """
        ...

    async def renew(self, held: HeldKey, lease_ttl_s: float) -> None:
        """Extends the lease to so long from now.

        Raises:
            Conflict: `IDEMPOTENCY_KEY_LOST`.
        """
        ...

    async def abandon(self, held: HeldKey) -> None:
        """Forgets the key, if the holder has it and the work on it has not ended."""
        ...

    async def prune(self, limit: int) -> int:
        """Deletes at most so many expired records; returns how many."""
        ...


class ReusableResults(Protocol):
    """Finds results that new documents can have a copy of."""

    async def find(self, batch: NewBatch) -> Sequence[Reusable]:
        """One for each document of the batch that can have one, in no order.

        It is of the same user's same content and options, made by a version of the pipeline that
        is in use, and of no document that was found in another or has others inside it.
        """
        ...


class Pipelines(Protocol):
    """Knows which versions of the pipeline are in use."""

    async def note(self, version: str) -> None:
        """That version claims documents. Never raises."""
        ...


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


@dataclass(frozen=True, slots=True)
class Changes:
    """What a transaction changed, for caches and for those who wait.

    `documents` are whole rows as they are now; `added` is how many more were registered with it,
    `deleted` are those that have no row any longer.
    """

    documents: tuple[Document, ...] = ()
    finished_batches: tuple[UUID, ...] = ()
    queued_lanes: frozenset[Lane] = frozenset()
    freed_lanes: frozenset[Lane] = frozenset()
    added: int = 0
    deleted: tuple[UUID, ...] = ()


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


class Housekeeping(Protocol):
    """What operators and sweeps ask."""

    async def backlog(self) -> Sequence[LaneBacklog]:
        """One entry for each lane; how fast they are worked off is not told."""
        ...

    async def newest_event(self) -> int:
        """The highest id of an event that is committed; 0 if there is none."""
        ...

    async def claimed_between(self, after: int, upto: int) -> Mapping[Lane, int]:
        """Documents that were claimed in events with ids after the first, up to the second."""
        ...

    async def references(self, document_ids: Sequence[UUID]) -> Sequence[DocumentReferences]:
        """What those documents refer to; one without a row is absent."""
        ...

    async def prune_events(self, min_age_s: float, max_events: int) -> int:
        """Deletes the oldest events that are older than that; returns how many."""
        ...


@dataclass(frozen=True, slots=True)
class Placement:
    """The last position that was given, and whether events wait for one."""

    last: int
    waits: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """Events that were given the positions next after `before`, and how old each was."""

    before: int
    events: tuple[Event, ...]
    ages_s: tuple[float, ...]


class Positions(Protocol):
    """Gives committed events their positions, which become visible in their order."""

    async def look(self) -> Placement:
        """How far it has come. Everything up to the last position can be read."""
        ...

    async def place(self, limit: int) -> Placed | None:
        """Gives at most so many events a position, in the order of their ids.

        None if another process does it now. An event of a transaction that has not ended is
        left out; it comes when that has committed.
        """
        ...


class EventLog(Protocol):
    """Events that have a position, in its order."""

    async def after(self, span: Span, limit: int) -> Sequence[Event]:
        """At most so many of all users."""
        ...

    async def of(self, followed: Followed, span: Span, limit: int) -> Sequence[Event]:
        """At most so many of a document or a batch."""
        ...

    async def of_user(self, user_id: str, span: Span, limit: int) -> Sequence[Event]:
        """At most so many of a user."""
        ...


class ApiKeys(Protocol):
    """Recorded API keys."""

    async def create(self, key: ApiKey) -> UUID:
        """Records a key; returns the id under which its hash is recorded.

        One that is there gets the scopes that it lacks.

        Raises:
            InvalidInput: `FIELD_INVALID`: they would be too many.
            AlreadyExists: `API_KEY_EXISTS`: the hash is another user's, or the id another key's.
        """
        ...

    async def find(self, sha256: bytes) -> RecordedKey | None:
        """The key with that hash."""
        ...

    async def page(self, user_id: str, after: UUID | None, limit: int) -> Sequence[KeyRecord]:
        """At most so many of the user's keys, the newest first, after one of them."""
        ...

    async def revoke(self, key_id: UUID, user_id: str | None) -> tuple[KeyRecord, bytes] | None:
        """Revokes a key unless it was before; it and its hash.

        None if it is not there or someone else's; a `user_id` of None may revoke anyone's.
        """
        ...

    async def used(self, key_ids: Sequence[UUID]) -> None:
        """Writes that these keys were used now, where that is not written within the minute."""
        ...


class KeyMarks(Protocol):
    """What says to every process that it may remember a key. Never raises."""

    async def remove(self, sha256: bytes) -> bool:
        """Ends every memory of the key with that hash; says whether it is certain."""
        ...


class DocumentCache(Protocol):
    """Whole rows by id. An older row never replaces a newer one. Never raises."""

    @property
    def usable(self) -> bool:
        """Whether it is worth reading a whole row to keep it."""
        ...

    async def get(self, document_id: UUID) -> Document | None:
        """The row, if it is kept."""
        ...

    async def put(self, documents: Sequence[Document], *, age_s: float = 0.0) -> None:
        """Keeps rows that were read `age_s` ago."""
        ...

    async def outdate(self, versions: Sequence[tuple[UUID, int]]) -> bool:
        """Drops what is older than these row versions, and keeps it from coming back.

        Says whether it could.
        """
        ...


class BatchCache(Protocol):
    """Views of finished batches, by id and fields. Never raises."""

    @property
    def usable(self) -> bool:
        """Whether it is worth asking."""
        ...

    async def get(self, batch_id: UUID, fields: Fields) -> BatchView | None:
        """The view with exactly these fields, if it is kept."""
        ...

    async def put(self, view: BatchView, fields: Fields, *, age_s: float = 0.0) -> None:
        """Keeps a view that was read with these fields `age_s` ago, if its batch has finished."""
        ...

    async def outdate(self, batch_ids: Sequence[UUID]) -> bool:
        """Drops all views of these batches, and keeps them from coming back from late readers.

        Says whether it could.
        """
        ...


class Announcer(Protocol):
    """Wakes those who wait, here at once and in other processes by a hint. Never blocks."""

    def announce(self, changes: Changes) -> None:
        """Says that these changes are committed."""
        ...


class Lines(Protocol):
    """How far the lanes have come. Never raises."""

    async def behind(self, lane: Lane) -> timedelta:
        """How long ago the next document was due, its priority aside; zero if none waits.

        An hour at most, so that what waits is not overtaken for ever. It may be a little old.
        """
        ...


class Fairness(Protocol):
    """How far ahead each user's queue reaches already. Never raises."""

    async def lags(self, work: Sequence[QueuedWork]) -> Lags:
        """Puts work at the end of its users' queues; empty if that is not known."""
        ...
