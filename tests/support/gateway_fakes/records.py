"""The records in memory."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import (
    Callable,
    Iterable,
    Sequence,
)
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sheaf_common import context
from sheaf_common.errors import (
    FailedPrecondition,
    NotFound,
    SheafError,
    Unauthenticated,
)
from sheaf_gateway.domain.access import KeyOwner
from sheaf_gateway.domain.documents import Batch, Columns, Document, DocumentStatus, Workflow
from sheaf_gateway.domain.listing import DocumentPage, ListFilter
from sheaf_gateway.domain.registration import NewBatch, Registered, Reusable
from sheaf_gateway.domain.replaying import Replay, Replayed
from sheaf_gateway.domain.uploads import AcceptedFile
from sheaf_gateway.options import Options
from support.gateway_fakes.common import Hook, do_nothing
from support.gateway_key_fakes import FakeIdempotencyKeys


@dataclass
class FakeRecords:
    """The Records and KeyDirectory ports in memory.

    `answers` are taken one by one by `register`: an error is raised, after the commit where
    `commits` is true.
    """

    rows: dict[str, Document] = field(default_factory=dict)
    owners: dict[str, str | None] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    answers: list[SheafError] = field(default_factory=list)
    commits: bool = False
    before_register: Hook = do_nothing
    registrations: int = 0
    resolutions: int = 0
    lists: list[ListFilter] = field(default_factory=list)
    reads: list[Columns] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    cancelled_waits: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    keys: dict[bytes, KeyOwner] = field(default_factory=dict)
    sealed: dict[str, bytes] = field(default_factory=dict)
    idempotency: FakeIdempotencyKeys = field(default_factory=FakeIdempotencyKeys)
    sources: dict[bytes, tuple[UUID, str]] = field(default_factory=dict)
    """By hash, a document whose result can be reused, and its key."""
    confirmed: list[str] = field(default_factory=list)

    async def register(self, batch: NewBatch, *, timeout_s: float) -> Registered:
        """Registers, idempotent by document id. Of `sources`, by hash, the copy is believed."""
        self.registrations += 1
        await self.before_register()
        reusable = tuple(
            Reusable(file.document_id, *source)
            for file in batch.files
            if batch.find_reusable and (source := self.sources.get(file.stored.sha256))
        )
        if reusable:
            return Registered((), reusable)
        error = self.answers.pop(0) if self.answers else None
        if error is not None and not self.commits:
            raise error
        self.idempotency.complete(batch, tuple(_queued(batch, file) for file in batch.files))
        self.products[str(batch.batch_id)] = batch.product
        for file in batch.files:
            row = self._completed(batch, file) or _queued(batch, file)
            self.rows.setdefault(row.document_id, row)
            self.owners[row.document_id] = context.current_user_id()
            if sealed := batch.sealed_passwords.get(file.document_id):
                self.sealed[row.document_id] = sealed
        if error is not None:
            raise error
        return Registered(tuple(self.rows[str(file.document_id)] for file in batch.files))

    def _completed(self, batch: NewBatch, file: AcceptedFile) -> Document | None:
        """As a copied result completes it, while the source is as it was."""
        copied = batch.copies.get(file.document_id)
        source = self.sources.get(file.stored.sha256)
        if copied is None or source != (copied.source_id, copied.source_result_key):
            return None
        return replace(
            _queued(batch, file),
            status=DocumentStatus.COMPLETED,
            result_key=copied.result_key,
            duplicate_of=str(copied.source_id),
        )

    async def document(self, document_id: UUID, columns: Columns, *, wait_s: float = 0) -> Document:
        """Waits until the row is terminal."""
        self._own(str(document_id))
        if wait_s:
            await self._wait(wait_s, lambda: self._ended(str(document_id)))
        return self._read(self.rows[str(document_id)], columns)

    async def batch(self, batch_id: UUID, columns: Columns, *, wait_s: float = 0) -> Batch:
        """Waits until every row is terminal."""

        def found() -> tuple[Document, ...]:
            return tuple(row for row in self.rows.values() if row.batch_id == str(batch_id))

        if not found():
            raise NotFound("BATCH_NOT_FOUND", "no such batch")
        if wait_s:
            await self._wait(wait_s, lambda: all(row.has_ended for row in found()))
        rows = found()
        return Batch(
            str(batch_id),
            self.products[str(batch_id)],
            _counts(rows),
            datetime.now(UTC),
            datetime.now(UTC) if all(row.has_ended for row in rows) else None,
            tuple(self._read(row, columns) for row in rows),
        )

    async def delete(self, document_id: UUID) -> Sequence[str]:
        """One row."""
        self._own(str(document_id))
        del self.rows[str(document_id)], self.owners[str(document_id)]
        return (str(document_id),)

    async def delete_batch(self, batch_id: UUID) -> Sequence[str]:
        """Its rows."""
        found = [row.document_id for row in self.rows.values() if row.batch_id == str(batch_id)]
        if not found:
            raise NotFound("BATCH_NOT_FOUND", "no such batch")
        for document_id in found:
            del self.rows[document_id], self.owners[document_id]
        return found

    async def confirm_deleted(self, document_ids: Sequence[str], *, timeout_s: float) -> None:
        """Remembers them."""
        self.confirmed += document_ids

    async def workflow(self, workflow_id: str, columns: Columns) -> Workflow:
        """The rows that name it."""
        rows = [row for row in self.rows.values() if row.workflow_id == workflow_id]
        if not rows:
            raise NotFound("WORKFLOW_NOT_FOUND", "no such workflow")
        read = tuple(self._read(row, columns) for row in rows)
        return Workflow(workflow_id, _counts(rows), read)

    async def documents(
        self, wanted: ListFilter, columns: Columns, *, limit: int, cursor: str
    ) -> DocumentPage:
        """Newest first; the cursor is an id."""
        self.lists.append(wanted)
        rows = sorted(self.rows.values(), key=lambda row: row.document_id, reverse=True)
        found = [
            row
            for row in rows
            if (not cursor or row.document_id < cursor)
            and (wanted.status is None or row.status is wanted.status)
            and (wanted.batch_id is None or row.batch_id == str(wanted.batch_id))
        ]
        more = found[limit - 1].document_id if len(found) > limit else ""
        return DocumentPage(tuple(self._read(row, columns) for row in found[:limit]), more)

    async def cancel(self, document_id: UUID) -> Document:
        """Cancels what has not ended."""
        self._own(str(document_id))
        if not self.rows[str(document_id)].has_ended:
            self.end(str(document_id), DocumentStatus.CANCELLED)
        return self.rows[str(document_id)]

    async def reprocess(
        self,
        document_id: UUID,
        options: Options | None,
        sealed_password: bytes,
        *,
        after_attempt: int,
    ) -> Document:
        """Queues what has ended."""
        self._own(str(document_id))
        row = self.rows[str(document_id)]
        if not row.has_ended:
            raise FailedPrecondition("DOCUMENT_NOT_TERMINAL", "it has not ended")
        if after_attempt not in {0, row.attempt}:
            raise FailedPrecondition("ATTEMPT_CHANGED", "it is another attempt")
        if sealed_password:
            self.sealed[row.document_id] = sealed_password
        queued = replace(
            row,
            status=DocumentStatus.QUEUED,
            attempt=row.attempt + 1,
            options=options or row.options,
        )
        self.rows[row.document_id] = queued
        return queued

    async def replay(self, wanted: Replay) -> Replayed:
        """Queues what is quarantined."""
        found = [
            row.document_id
            for row in sorted(self.rows.values(), key=lambda row: row.document_id)
            if row.status is DocumentStatus.QUARANTINED
            and wanted.reason in {"", row.reason}
            and wanted.product in {"", row.product}
        ]
        for each in found[: wanted.limit]:
            self.rows[each] = replace(self.rows[each], status=DocumentStatus.QUEUED)
        return Replayed(tuple(found[: wanted.limit]), len(found) > wanted.limit)

    async def resolve(self, sha256: bytes) -> KeyOwner:
        """The owner of a known key."""
        self.resolutions += 1
        if sha256 not in self.keys:
            raise Unauthenticated("API_KEY_UNKNOWN", "the API key is not known")
        return self.keys[sha256]

    def add_key(self, key: str, owner: KeyOwner) -> None:
        """Makes a key known."""
        self.keys[hashlib.sha256(key.encode()).digest()] = owner

    def end(self, document_id: str, status: DocumentStatus, **changes: Any) -> None:
        """Brings a document to an end."""
        row = self.rows[document_id]
        self.rows[document_id] = replace(row, status=status, **changes)
        self.changed.set()

    def _own(self, document_id: str) -> None:
        if self.owners.get(document_id, "") != context.current_user_id():
            raise NotFound("DOCUMENT_NOT_FOUND", "no such document")

    def _ended(self, document_id: str) -> bool:
        return self.rows[document_id].has_ended

    def _read(self, row: Document, columns: Columns) -> Document:
        """Those columns of a row, and its id."""
        self.reads.append(columns)
        return Document(**{name: getattr(row, name) for name in columns | {"document_id"}})

    async def _wait(self, wait_s: float, ended: Callable[[], bool]) -> None:
        self.waits.append(wait_s)
        try:
            async with asyncio.timeout(wait_s):
                while not ended():
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            self.cancelled_waits += 1
            raise


def _counts(rows: Iterable[Document]) -> dict[DocumentStatus, int]:
    return dict(Counter(row.status for row in rows if row.status is not None))


def _queued(batch: NewBatch, file: AcceptedFile) -> Document:
    return Document(
        document_id=str(file.document_id),
        batch_id=str(batch.batch_id),
        product=batch.product,
        priority=batch.priority,
        options=batch.options,
        metadata_json=batch.metadata_json,
        filename=file.filename,
        status=DocumentStatus.QUEUED,
        attempt=1,
        content_type=file.stored.content_type,
        size_bytes=file.stored.size_bytes,
        sha256=file.stored.sha256,
        object_key=file.stored.key,
        uploaded_at=datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC),
    )
