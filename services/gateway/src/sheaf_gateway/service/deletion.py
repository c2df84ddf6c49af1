"""Deleting documents and batches, and their objects after them."""

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import structlog

from sheaf_common.errors import SheafError
from sheaf_common.failpoints import failpoint
from sheaf_gateway.ports.objects import ObjectStore
from sheaf_gateway.ports.records import Records

log = structlog.get_logger()

_AT_ONCE: Final = 8
_CONFIRMED_A_CALL: Final = 1000


class DeletionService:
    """The use cases behind DELETE.

    What was deleted is gone for every reader once the record has committed. Its objects are
    deleted next, as far as they can be in `objects_s`; the rest is for the orchestrator, which
    asks the record for what nobody has confirmed.
    """

    def __init__(self, records: Records, store: ObjectStore, *, objects_s: float = 2.0) -> None:
        self._records = records
        self._store = store
        self._objects_s = objects_s

    async def document(self, document_id: UUID) -> None:
        """Deletes a document and what was found inside it. Raises NotFound."""
        await self._objects_of(await self._records.delete(document_id))

    async def batch(self, batch_id: UUID) -> None:
        """Deletes a batch with all its documents. Raises NotFound."""
        await self._objects_of(await self._records.delete_batch(batch_id))

    async def _objects_of(self, document_ids: Sequence[str]) -> None:
        await failpoint("gateway.deleted")
        done: list[str] = []
        waiting = iter(document_ids)

        async def lane() -> None:
            for document_id in waiting:
                await self._store.delete_all(document_id, timeout_s=self._objects_s)
                done.append(document_id)

        lanes = [asyncio.ensure_future(lane()) for _ in range(min(_AT_ONCE, len(document_ids)))]
        try:
            async with asyncio.timeout(self._objects_s):
                await asyncio.gather(*lanes)
        except (SheafError, TimeoutError) as error:
            left = len(document_ids) - len(done)
            log.warning("objects are left to be deleted", documents=left, error=str(error))
        finally:
            for each in lanes:
                each.cancel()
        await self._confirm(done)

    async def _confirm(self, done: Sequence[str]) -> None:
        try:
            for start in range(0, len(done), _CONFIRMED_A_CALL):
                await self._records.confirm_deleted(
                    done[start : start + _CONFIRMED_A_CALL], timeout_s=self._objects_s
                )
        except SheafError as error:
            log.warning("deletions not confirmed", documents=len(done), error=str(error))
