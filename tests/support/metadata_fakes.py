"""Small fakes of the metadata service's ports, kept in memory."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sheaf_common.errors import Unavailable
from sheaf_common.ids import new_id
from sheaf_metadata.domain.api_keys import ApiKey, KeyRecord, RecordedKey
from sheaf_metadata.domain.claims import (
    ClaimedDocument,
    ClaimLimits,
    ClaimTry,
)
from sheaf_metadata.domain.documents import (
    Batch,
    BatchView,
    Document,
    Lane,
    WorkflowView,
    counts_of,
)
from sheaf_metadata.domain.fields import Fields
from sheaf_metadata.domain.listing import ListFilter
from sheaf_metadata.domain.outcomes import Disposition
from sheaf_metadata.domain.paging import Position, Scan
from sheaf_metadata.ports.caching import Outdate
from sheaf_metadata.service.observer import CachedKind, CoalescedKind


def _is_open(document: Document) -> bool:
    return document.status is not None and not document.status.terminal


@dataclass
class FakeReads:
    """Documents and batches in dictionaries; remembers which fields were read.

    A page of a list looks at so many documents as `examined` says.
    """

    documents_by_id: dict[UUID, Document] = field(default_factory=dict)
    finished: dict[UUID, bool] = field(default_factory=dict)
    reads: list[Fields] = field(default_factory=list)
    batches: dict[UUID, BatchView] = field(default_factory=dict)
    batch_reads: list[Fields] = field(default_factory=list)
    open_questions: list[int] = field(default_factory=list)
    down: Exception | None = None
    examined: int = 1000

    async def document(
        self, document_id: UUID, fields: Fields, user_id: str | None
    ) -> Document | None:
        """The whole document, if the user may see it."""
        await asyncio.sleep(0)
        self.reads.append(fields)
        found = self.documents_by_id.get(document_id)
        return found if found and user_id in (None, found.user_id) else None

    async def open_documents(self, document_ids: Collection[UUID]) -> Collection[UUID]:
        """Those that are there and not terminal."""
        await asyncio.sleep(0)
        self.open_questions.append(len(document_ids))
        if self.down is not None:
            raise self.down
        there = [self.documents_by_id.get(each) for each in document_ids]
        return {each.document_id for each in there if each is not None and _is_open(each)}

    async def batch(self, batch_id: UUID, fields: Fields, user_id: str | None) -> BatchView | None:
        """The batch, if the user may see it."""
        await asyncio.sleep(0)
        self.batch_reads.append(fields)
        found = self.batches.get(batch_id)
        return found if found and user_id in (None, found.batch.user_id) else None

    async def batch_finished(self, batch_id: UUID, user_id: str | None) -> bool | None:
        """What the test says."""
        await asyncio.sleep(0)
        return self.finished.get(batch_id)

    async def documents(
        self, wanted: ListFilter, fields: Fields, after: Position | None, limit: int
    ) -> Scan:
        """By descending id, after a position; of the class wanted, among the next few."""
        found = sorted(self.documents_by_id.values(), key=lambda d: d.document_id, reverse=True)
        later = [d for d in found if after is None or d.document_id < after.document_id]
        window = later[: self.examined]
        matches = [d for d in window if wanted.document_class in ("", d.document_class)]
        more = len(window) == self.examined
        return Scan(matches[:limit], Position(window[-1].document_id, None) if more else None)

    async def workflow(
        self, workflow_id: str, fields: Fields, user_id: str | None
    ) -> WorkflowView | None:
        """Those that name it, if the user may see them."""
        found = [
            document
            for document in self.documents_by_id.values()
            if document.workflow_id == workflow_id and user_id in (None, document.user_id)
        ]
        return WorkflowView(workflow_id, found, counts_of(found)) if found else None


@dataclass
class FakeCache:
    """Rows by id, with the rule of versions."""

    usable: bool = True
    rows: dict[UUID, tuple[int, Document | None]] = field(default_factory=dict)

    async def get(self, document_id: UUID) -> Document | None:
        """The row."""
        return self.rows.get(document_id, (0, None))[1]

    async def put(self, documents: Sequence[Document], *, age_s: float = 0.0) -> None:
        """Keeps what is not older."""
        for document in documents:
            if document.row_version >= self.rows.get(document.document_id, (0, None))[0]:
                self.rows[document.document_id] = (document.row_version, document)

    async def outdate(self, versions: Sequence[tuple[UUID, int]]) -> bool:
        """Drops what is older, if it is usable."""
        for document_id, version in versions:
            if version > self.rows.get(document_id, (0, None))[0]:
                self.rows[document_id] = (version, None)
        return self.usable


@dataclass
class FakeBatchCache:
    """Finished views by id and fields."""

    usable: bool = True
    views: dict[tuple[UUID, Fields], BatchView] = field(default_factory=dict)

    async def get(self, batch_id: UUID, fields: Fields) -> BatchView | None:
        """The view."""
        return self.views.get((batch_id, fields))

    async def put(self, view: BatchView, fields: Fields, *, age_s: float = 0.0) -> None:
        """Keeps it if the batch has finished."""
        if view.batch.finished_at is not None:
            self.views[view.batch.batch_id, fields] = view

    async def outdate(self, batch_ids: Sequence[UUID]) -> bool:
        """Drops all views of them, if it is usable."""
        self.views = {key: view for key, view in self.views.items() if key[0] not in batch_ids}
        return self.usable


@dataclass
class FakeClaims:
    """Answers tries in order; after the last the same again."""

    answers: list[ClaimTry]
    tries: int = 0
    likely: list[bool] = field(default_factory=list)

    async def try_claim(self, limits: ClaimLimits, outdate: Outdate, *, likely: bool) -> ClaimTry:
        """The next answer."""
        await asyncio.sleep(0)
        self.tries += 1
        self.likely.append(likely)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@dataclass
class FakePipelines:
    """Remembers what it is told."""

    noted: list[str] = field(default_factory=list)

    async def note(self, version: str) -> None:
        """Notes it."""
        self.noted.append(version)


@dataclass
class FakeLines:
    """Lines that are all as late as the test says."""

    late: timedelta = timedelta()

    async def behind(self, lane: Lane) -> timedelta:
        """That."""
        return self.late


@dataclass
class FakeApiKeys:
    """Keys by hash; counts look-ups, remembers what is written of uses."""

    keys: dict[bytes, RecordedKey] = field(default_factory=dict)
    finds: int = 0
    uses: list[list[UUID]] = field(default_factory=list)
    fails: bool = False

    async def create(self, key: ApiKey) -> UUID:
        """Its id."""
        return key.key_id

    async def find(self, sha256: bytes) -> RecordedKey | None:
        """The key."""
        self.finds += 1
        return self.keys.get(sha256)

    async def page(self, user_id: str, after: UUID | None, limit: int) -> Sequence[KeyRecord]:
        """None: lists are tested over the database."""
        del user_id, after, limit
        return ()

    async def revoke(self, key_id: UUID, user_id: str | None) -> tuple[KeyRecord, bytes] | None:
        """Revokes it, whoever asks."""
        for sha256, found in self.keys.items():
            if found.owner.key_id == key_id and user_id in (None, found.owner.user_id):
                self.keys[sha256] = replace(found, revoked=True)
                now = datetime.now(UTC)
                return KeyRecord(key_id, "", "", (), now, None, now, None, 0), sha256
        return None

    async def used(self, key_ids: Sequence[UUID]) -> None:
        """Remembers it, or fails."""
        if self.fails:
            raise Unavailable("DATABASE_UNAVAILABLE", "it is down")
        self.uses.append(list(key_ids))


@dataclass
class FakeKeyMarks:
    """Takes a removal once it has been asked so often as `deaf_for` says."""

    deaf_for: int = 0
    removals: list[bytes] = field(default_factory=list)

    async def remove(self, sha256: bytes) -> bool:
        """Says whether it was heard."""
        self.removals.append(sha256)
        return len(self.removals) > self.deaf_for


@dataclass
class FakeObserver:
    """Remembers what it sees."""

    claims: list[int] = field(default_factory=list)
    cache_hits: list[bool] = field(default_factory=list)
    coalesced_reads: list[str] = field(default_factory=list)
    dispositions: list[Disposition] = field(default_factory=list)
    documents_registered: int = 0
    documents_ended: list[Document] = field(default_factory=list)

    def registered(self, documents: int) -> None:
        """A registration."""
        self.documents_registered += documents

    def ended(self, document: Document) -> None:
        """An end."""
        self.documents_ended.append(document)

    def claimed(self, lane: Lane, documents: int, waited_s: Sequence[float] = ()) -> None:
        """A claim."""
        self.claims.append(documents)

    def recorded(self, disposition: Disposition) -> None:
        """A disposition."""
        self.dispositions.append(disposition)

    def coalesced(self, kind: CoalescedKind) -> None:
        """A read that shares a query."""
        self.coalesced_reads.append(kind)

    def placed(self, ages_s: Sequence[float]) -> None:
        """Nobody asks."""

    def cache_read(self, kind: CachedKind, *, hit: bool) -> None:
        """A look into the cache."""
        self.cache_hits.append(hit)


def a_batch(*, finished: bool = False) -> Batch:
    """A batch of ann's."""
    now = datetime.now(UTC)
    return Batch(new_id(), "ann", "", 1, now, now if finished else None)


def candidate(
    number: int = 1,
    *,
    size_bytes: int = 1000,
    content_type: str = "text/plain",
    dispatches: int = 0,
) -> ClaimedDocument:
    """A document that may be claimed."""
    return ClaimedDocument(
        UUID(int=number),
        1,
        dispatches,
        "key",
        content_type,
        size_bytes,
        b"0" * 32,
        f"{number}.txt",
        UUID(int=0),
        "ann",
        1,
    )
