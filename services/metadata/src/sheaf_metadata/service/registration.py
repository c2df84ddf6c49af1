"""Registering batches: from the commit on, their documents cannot be lost."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from sheaf_common.errors import SheafError
from sheaf_common.failpoints import failpoint
from sheaf_metadata.domain import registration
from sheaf_metadata.domain.documents import Batch, Document, Lane, Status
from sheaf_metadata.domain.registration import NewBatch
from sheaf_metadata.domain.reusing import Reusable
from sheaf_metadata.domain.work import estimated_work_ms
from sheaf_metadata.ports.changes import Announcer, Changes
from sheaf_metadata.ports.fairness import Fairness, QueuedWork
from sheaf_metadata.ports.registration import Registrations, ReusableResults
from sheaf_metadata.service.observer import Observer, tell

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RegisterBatch:
    """Registers a batch with its documents as queued, or completed by a copied result."""

    registrations: Registrations
    fairness: Fairness
    announcer: Announcer
    observer: Observer
    results: ReusableResults

    async def reusable(self, batch: NewBatch) -> Sequence[Reusable]:
        """Results that documents of the batch can have a copy of; none if that cannot be learned.

        Raises:
            InvalidInput: as `registration.check`.
        """
        registration.check(batch)
        try:
            return await self.results.find(batch)
        except SheafError as error:
            log.warning("no results are reused", batch_id=str(batch.batch_id), error=str(error))
            return ()

    async def __call__(self, batch: NewBatch) -> tuple[Batch, tuple[Document, ...]]:
        """The batch and its documents as recorded, in request order.

        Raises:
            SheafError: as `registration.check` and `Registrations.register`.
        """
        registration.check(batch)
        lags = await self.fairness.lags(
            [
                QueuedWork(
                    new.document_id,
                    batch.user_id,
                    Lane.TEXT,
                    estimated_work_ms(new.content_type, new.size_bytes, Lane.TEXT),
                )
                for new in batch.documents
                if new.reused is None
            ]
        )
        recorded, documents, is_new = await self.registrations.register(batch, lags)
        await failpoint("metadata.registered")
        if is_new:
            self.observer.registered(len(documents))
            changes = _changes(recorded, documents)
            tell(self.observer, changes)
            self.announcer.announce(changes)
        log.info(
            "batch registered",
            batch_id=str(batch.batch_id),
            documents=len(documents),
            repeated=not is_new,
        )
        return recorded, documents


def _changes(batch: Batch, documents: Sequence[Document]) -> Changes:
    ended = tuple(document for document in documents if document.status is Status.COMPLETED)
    queued = len(ended) < len(documents)
    return Changes(
        documents=ended,
        finished_batches=() if queued else (batch.batch_id,),
        queued_lanes=frozenset({Lane.TEXT}) if queued else frozenset(),
    )
