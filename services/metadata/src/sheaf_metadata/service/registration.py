"""Registering batches: from the commit on, their documents cannot be lost."""

from dataclasses import dataclass

import structlog

from sheaf_common.failpoints import failpoint
from sheaf_metadata.domain import registration
from sheaf_metadata.domain.documents import Batch, Document, Lane
from sheaf_metadata.domain.registration import NewBatch
from sheaf_metadata.domain.work import estimated_work_ms
from sheaf_metadata.ports import Announcer, Changes, Fairness, QueuedWork, Registrations
from sheaf_metadata.service.observer import Observer

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RegisterBatch:
    """Registers a batch with its documents as queued."""

    registrations: Registrations
    fairness: Fairness
    announcer: Announcer
    observer: Observer

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
            ]
        )
        recorded, documents, is_new = await self.registrations.register(batch, lags)
        await failpoint("metadata.registered")
        if is_new:
            self.observer.registered(len(documents))
            self.announcer.announce(Changes(queued_lanes=frozenset({Lane.TEXT})))
        log.info(
            "batch registered",
            batch_id=str(batch.batch_id),
            documents=len(documents),
            repeated=not is_new,
        )
        return recorded, documents
