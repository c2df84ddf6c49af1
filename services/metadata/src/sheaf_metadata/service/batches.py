"""Reading batches, and waiting for their end."""

import time
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sheaf_common import context
from sheaf_common.errors import NotFound
from sheaf_metadata.domain.documents import BatchView
from sheaf_metadata.domain.fields import Fields, with_fields
from sheaf_metadata.ports.caching import BatchCache
from sheaf_metadata.ports.reading import Reads
from sheaf_metadata.service.coalescing import Coalescing
from sheaf_metadata.service.monotonic import ShownVersions
from sheaf_metadata.service.observer import Observer
from sheaf_metadata.service.waiting import BatchEnded, Waiters, ends_at


@dataclass(frozen=True, slots=True)
class ReadBatches:
    """Reads as the current user; without one, as an internal caller who sees everything.

    The cache keeps finished batches only; others cost a query, which concurrent readers share.
    What is read is noted in `shown`. `recheck_s` is how often a waiter looks without having
    been woken.
    """

    reads: Reads
    cache: BatchCache
    shown: ShownVersions
    coalescing: Coalescing
    waiters: Waiters
    observer: Observer
    recheck_s: float

    async def __call__(self, batch_id: UUID, fields: Fields, wait_s: float) -> BatchView:
        """A batch with its documents; once it has finished, or as it is after `wait_s`.

        Raises:
            NotFound: `BATCH_NOT_FOUND`.
            SheafError: as `Reads` and `Coalescing`, and `OverCapacity` if too many wait.
        """
        user_id = context.current_user_id()
        needed = with_fields(fields, "document_id", "status", "row_version")
        cached = await self._cached(batch_id, needed)
        if cached is not None:
            return _visible(cached, batch_id, user_id)
        if wait_s > 0:
            await self._end(batch_id, user_id, ends_at(wait_s))
        query = partial(self._read, batch_id, needed, user_id)
        found = await self.coalescing.read("batch", (batch_id, needed, user_id), query)
        return _visible(found, batch_id, user_id)

    async def _cached(self, batch_id: UUID, fields: Fields) -> BatchView | None:
        """A finished batch none of whose documents is older than it was shown."""
        if not self.cache.usable:
            return None
        found = await self.cache.get(batch_id, fields)
        if found is not None and not all(map(self.shown.admits, found.documents)):
            found = None
        self.observer.cache_read("batch", hit=found is not None)
        if found is not None:
            self.shown.show(found.documents)
        return found

    async def _read(self, batch_id: UUID, fields: Fields, user_id: str | None) -> BatchView | None:
        started = time.monotonic()
        found = await self.reads.batch(batch_id, fields, user_id)
        if found is not None:
            self.shown.show(found.documents)
            await self.cache.put(found, fields, age_s=time.monotonic() - started)
        return found

    async def _end(self, batch_id: UUID, user_id: str | None, until: float) -> None:
        query = partial(self.reads.batch_finished, batch_id, user_id)
        with self.waiters.waiting_for(BatchEnded(batch_id)) as signal:
            while True:
                signal.clear()
                finished = await self.coalescing.read("batch_end", (batch_id, user_id), query)
                if finished is None:
                    raise _not_found(batch_id)
                left_s = until - time.monotonic()
                if finished or left_s <= 0 or signal.closed:
                    return
                await signal.wait(min(self.recheck_s, left_s))


def _visible(view: BatchView | None, batch_id: UUID, user_id: str | None) -> BatchView:
    if view is None or user_id not in (None, view.batch.user_id):
        raise _not_found(batch_id)
    return view


def _not_found(batch_id: UUID) -> NotFound:
    return NotFound(
        "BATCH_NOT_FOUND", f"there is no batch {batch_id}", evidence={"batch_id": str(batch_id)}
    )
