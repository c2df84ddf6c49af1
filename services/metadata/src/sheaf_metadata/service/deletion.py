"""Deleting documents and batches, and seeing to it that no object of them is left."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

import structlog

from sheaf_common import context
from sheaf_common.errors import NotFound, Unavailable
from sheaf_common.failpoints import failpoint
from sheaf_metadata.domain.deletion import MAX_A_TRANSACTION, check_count
from sheaf_metadata.ports.caching import BatchCache, DocumentCache, Outdate, OutdateBatches
from sheaf_metadata.ports.changes import Announcer, Changes

log = structlog.get_logger()

_CACHE_RETRY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class DeletedSome:
    """What one transaction deleted; `more` is left to delete of what was named."""

    document_ids: tuple[UUID, ...]
    changes: Changes
    more: bool


class Deletions(Protocol):
    """Deletes rows, and remembers of which documents objects may be left.

    Errors are those of the record (see `ports`). A `user_id` of None may act on everyone's.
    """

    async def document(
        self,
        document_id: UUID,
        user_id: str | None,
        limit: int,
        outdate: Outdate,
        outdate_batches: OutdateBatches,
    ) -> DeletedSome | None:
        """Deletes a document and all that was found inside it, or `limit` of the latter first.

        None if it is not there or someone else's.
        """
        ...

    async def batch(
        self,
        batch_id: UUID,
        user_id: str | None,
        limit: int,
        outdate: Outdate,
        outdate_batches: OutdateBatches,
    ) -> DeletedSome | None:
        """Deletes `limit` documents of a batch; the batch itself with the last. None as above."""
        ...

    async def due(self, limit: int) -> Sequence[UUID]:
        """Deleted documents whose objects are due to be deleted, the longest due first."""
        ...

    async def confirm(self, document_ids: Sequence[UUID], user_id: str | None) -> None:
        """Those of them that are due are done; see the contract for what follows."""
        ...


@dataclass(frozen=True, slots=True)
class DeleteDocuments:
    """Acts as the current user; without one, as an internal caller.

    Caches keep what has ended for minutes. So a deletion needs Redis: it fails, and changes
    nothing more, where the caches could not be told (ADR 0009).
    """

    deletions: Deletions
    cache: DocumentCache
    batches: BatchCache
    announcer: Announcer

    async def document(self, document_id: UUID) -> Sequence[UUID]:
        """Deletes a document with all that was found inside it; the ids of all of them.

        In several transactions if they are many, the document itself in the last: a call that
        fails may be repeated.

        Raises:
            NotFound: `DOCUMENT_NOT_FOUND`.
            Unavailable: `CACHE_UNAVAILABLE`.
            SheafError: as `Deletions`.
        """
        deleted = await self._all(self.deletions.document, document_id)
        if deleted is None:
            raise NotFound(
                "DOCUMENT_NOT_FOUND",
                f"there is no document {document_id}",
                evidence={"document_id": str(document_id)},
            )
        log.info("document deleted", document_id=str(document_id), documents=len(deleted))
        return deleted

    async def batch(self, batch_id: UUID) -> Sequence[UUID]:
        """Deletes a batch with all its documents; their ids.

        In several transactions if they are many, the batch itself in the last.

        Raises:
            NotFound: `BATCH_NOT_FOUND`.
            Unavailable: `CACHE_UNAVAILABLE`.
            SheafError: as `Deletions`.
        """
        deleted = await self._all(self.deletions.batch, batch_id)
        if deleted is None:
            raise NotFound(
                "BATCH_NOT_FOUND",
                f"there is no batch {batch_id}",
                evidence={"batch_id": str(batch_id)},
            )
        log.info("batch deleted", batch_id=str(batch_id), documents=len(deleted))
        return deleted

    async def due(self, limit: int) -> Sequence[UUID]:
        """Deleted documents whose objects are due to be deleted. Raises InvalidInput."""
        return await self.deletions.due(check_count("max_documents", limit))

    async def confirm(self, document_ids: Sequence[UUID]) -> None:
        """No object of these is left, as far as the caller saw. Raises InvalidInput."""
        check_count("document_ids", len(document_ids))
        await self.deletions.confirm(document_ids, context.current_user_id())

    async def _all(
        self,
        some: Callable[
            [UUID, str | None, int, Outdate, OutdateBatches], Awaitable[DeletedSome | None]
        ],
        identifier: UUID,
    ) -> list[UUID] | None:
        user_id = context.current_user_id()
        deleted: list[UUID] = []
        while True:
            step = await some(
                identifier, user_id, MAX_A_TRANSACTION, self._outdate, self._outdate_batches
            )
            if step is None:
                return deleted or None  # somebody else deleted the rest meanwhile
            await failpoint("metadata.deleted")
            deleted += step.document_ids
            self.announcer.announce(step.changes)
            if not step.more:
                return deleted

    async def _outdate(self, versions: Sequence[tuple[UUID, int]]) -> bool:
        return _told(heard=await self.cache.outdate(versions))

    async def _outdate_batches(self, batch_ids: Sequence[UUID]) -> bool:
        return _told(heard=await self.batches.outdate(batch_ids))


def _told(*, heard: bool) -> bool:
    if not heard:
        raise Unavailable(
            "CACHE_UNAVAILABLE",
            "the cache could not be told that something is deleted",
            retry_after_s=_CACHE_RETRY_S,
        )
    return True
