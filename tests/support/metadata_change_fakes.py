"""Small fakes of the metadata service's ports that change documents, kept in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from sheaf_metadata.domain.control import QuarantineFilter, Reprocessing
from sheaf_metadata.domain.documents import Document, Lane, Status
from sheaf_metadata.domain.outcomes import Disposition, HeldDocument, Outcome, attachments_of
from sheaf_metadata.ports.caching import Outdate, OutdateBatches
from sheaf_metadata.ports.changes import Changes
from sheaf_metadata.ports.fairness import Lags, QueuedWork


@dataclass
class FakeControls:
    """One document of ann's and her quarantine; what a change is told to outdate is called."""

    document: Document
    quarantine: list[QueuedWork] = field(default_factory=list)

    def _visible(self, user_id: str | None) -> bool:
        return user_id in (None, self.document.user_id)

    async def cancel(
        self, document_id: UUID, user_id: str | None, outdate: Outdate
    ) -> tuple[Document | None, Changes]:
        """Cancels it whatever caches say."""
        if not self._visible(user_id):
            return None, Changes()
        changed = replace(self.document, status=Status.CANCELLED)
        await outdate([(document_id, changed.row_version)])
        self.document = changed
        return changed, Changes(documents=(changed,))

    async def work_of(self, document_id: UUID) -> QueuedWork | None:
        """A millisecond."""
        return QueuedWork(document_id, self.document.user_id, Lane.TEXT, 1.0)

    async def quarantined(self, wanted: QuarantineFilter, limit: int) -> Sequence[QueuedWork]:
        """The first of them."""
        return self.quarantine[:limit]

    async def reprocess(
        self,
        wanted: Reprocessing,
        user_id: str | None,
        lags: Lags,
        outdate: Outdate,
        outdate_batches: OutdateBatches,
    ) -> tuple[Document | None, Changes]:
        """Queues it once the caches have heard."""
        if not self._visible(user_id):
            return None, Changes()
        changed = replace(self.document, status=Status.QUEUED, attempt=self.document.attempt + 1)
        await outdate([(wanted.document_id, changed.row_version)])
        await outdate_batches([changed.batch_id])
        self.document = changed
        return changed, Changes(documents=(changed,))

    async def replay(
        self,
        document_ids: Sequence[UUID],
        lags: Lags,
        outdate: Outdate,
        outdate_batches: OutdateBatches,
    ) -> Changes:
        """Takes them out of the quarantine."""
        await outdate([(document_id, 2) for document_id in document_ids])
        self.quarantine = [w for w in self.quarantine if w.document_id not in document_ids]
        return Changes(
            documents=tuple(Document(document_id=document_id) for document_id in document_ids)
        )


@dataclass
class FakeOutcomes:
    """Records everything; remembers how many attachments came in each transaction."""

    transactions: list[int] = field(default_factory=list)

    async def held(self, workflow_id: str, document_ids: Sequence[UUID]) -> Sequence[HeldDocument]:
        """All of them, ann's, in the text lane."""
        return [HeldDocument(each, "ann", Lane.TEXT, "text/plain", 1024) for each in document_ids]

    async def record(
        self, workflow_id: str, outcomes: Sequence[Outcome], lags: Lags, outdate: Outdate
    ) -> tuple[Sequence[Disposition], Changes]:
        """All of them."""
        self.transactions.append(sum(len(attachments_of(outcome)) for outcome in outcomes))
        return [Disposition.RECORDED] * len(outcomes), Changes()


@dataclass
class FakeFairness:
    """Remembers the work that is put in line; everything is due now."""

    work: list[QueuedWork] = field(default_factory=list)

    async def lags(self, work: Sequence[QueuedWork]) -> Lags:
        """None."""
        self.work += work
        return {}


@dataclass
class FakeAnnouncer:
    """Remembers what is announced."""

    announced: list[Changes] = field(default_factory=list)

    def announce(self, changes: Changes) -> None:
        """A change."""
        self.announced.append(changes)
