"""What owners do with documents that are recorded: cancel, reprocess, replay."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from sheaf_common import context
from sheaf_common.errors import NotFound, Unavailable
from sheaf_metadata.domain import control
from sheaf_metadata.domain.control import QuarantineFilter, Reprocessing
from sheaf_metadata.domain.documents import Document
from sheaf_metadata.domain.registration import check_user
from sheaf_metadata.ports.caching import BatchCache, DocumentCache
from sheaf_metadata.ports.changes import Announcer, Changes
from sheaf_metadata.ports.control import Controls
from sheaf_metadata.ports.fairness import Fairness, Lags
from sheaf_metadata.service.observer import Observer, tell

log = structlog.get_logger()

_CACHE_RETRY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class ControlDocuments:
    """Acts as the current user; without one, as an internal caller who may act on everyone's.

    A new attempt changes what has ended, which caches keep for minutes. So it is the one change
    that needs Redis: it fails, and changes nothing, where the caches could not be told (ADR 0009).
    """

    controls: Controls
    fairness: Fairness
    cache: DocumentCache
    batches: BatchCache
    announcer: Announcer
    observer: Observer

    async def cancel(self, document_id: UUID) -> Document:
        """The document after it was cancelled; as it is, if it had ended before.

        Raises:
            NotFound: `DOCUMENT_NOT_FOUND`.
            SheafError: as `Controls`.
        """
        started = time.monotonic()
        document, changes = await self.controls.cancel(
            document_id, context.current_user_id(), self.cache.outdate
        )
        await self._publish(changes, started)
        found = _found(document, document_id)
        log.info(
            "document cancelled",
            document_id=str(document_id),
            ended_before=not changes.documents,
        )
        return found

    async def reprocess(self, wanted: Reprocessing) -> Document:
        """The document, queued as its next attempt.

        Raises:
            InvalidInput: `FIELD_INVALID`.
            NotFound: `DOCUMENT_NOT_FOUND`.
            FailedPrecondition: `ATTEMPT_CHANGED`, `DOCUMENT_NOT_TERMINAL`.
            Unavailable: `CACHE_UNAVAILABLE`.
            SheafError: as `Controls`.
        """
        control.check_reprocessing(wanted)
        work = await self.controls.work_of(wanted.document_id)
        lags: Lags = {} if work is None else await self.fairness.lags([work])
        started = time.monotonic()
        document, changes = await self.controls.reprocess(
            wanted, context.current_user_id(), lags, self._outdate, self._outdate_batches
        )
        await self._publish(changes, started)
        found = _found(document, wanted.document_id)
        log.info("document reprocessed", document_id=str(wanted.document_id), attempt=found.attempt)
        return found

    async def replay(
        self, reason: str, product: str, max_documents: int
    ) -> tuple[Sequence[UUID], bool]:
        """Queues the current user's quarantined documents again, those with the least ids first.

        Returns their ids, and whether more are left.

        Raises:
            InvalidInput: `USER_MISSING`, `FIELD_INVALID`.
            Unavailable: `CACHE_UNAVAILABLE`.
            SheafError: as `Controls`.
        """
        wanted = QuarantineFilter(check_user(context.current_user_id()), reason, product)
        limit = control.check_replay(wanted, max_documents)
        found = await self.controls.quarantined(wanted, limit + 1)
        work = found[:limit]
        if not work:
            return (), False
        lags = await self.fairness.lags(work)
        started = time.monotonic()
        changes = await self.controls.replay(
            [each.document_id for each in work], lags, self._outdate, self._outdate_batches
        )
        await self._publish(changes, started)
        replayed = [document.document_id for document in changes.documents]
        log.info("quarantine replayed", documents=len(replayed), more=len(found) > limit)
        return replayed, len(found) > limit

    async def _outdate(self, versions: Sequence[tuple[UUID, int]]) -> bool:
        return _told(heard=await self.cache.outdate(versions))

    async def _outdate_batches(self, batch_ids: Sequence[UUID]) -> bool:
        return _told(heard=await self.batches.outdate(batch_ids))

    async def _publish(self, changes: Changes, started: float) -> None:
        tell(self.observer, changes)
        await self.cache.put(changes.documents, age_s=time.monotonic() - started)
        self.announcer.announce(changes)


def _told(*, heard: bool) -> bool:
    if not heard:
        raise Unavailable(
            "CACHE_UNAVAILABLE",
            "the cache could not be told that an ended document is queued again",
            retry_after_s=_CACHE_RETRY_S,
        )
    return True


def _found(document: Document | None, document_id: UUID) -> Document:
    if document is None:
        raise NotFound(
            "DOCUMENT_NOT_FOUND",
            f"there is no document {document_id}",
            evidence={"document_id": str(document_id)},
        )
    return document
