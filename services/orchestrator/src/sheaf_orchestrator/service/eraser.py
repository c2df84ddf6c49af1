"""The objects of deleted documents: deleted until nobody can put one any more.

Whoever answers a deletion has deleted them mostly. Here goes what it left, for it may have died,
and, once no work on the document can go on any longer, what such work has put meanwhile. What is
due when, the record knows.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from sheaf_common.errors import SheafError

log = structlog.get_logger()

_PAGE: Final = 500
_AT_ONCE: Final = 8
_ROUND_S: Final = 60.0
"""Far less than after which a deletion is due once more: who confirms it has just looked."""


class DueDeletions(Protocol):
    """Deleted documents, as the record lists them. Every method raises `SheafError`."""

    async def due(self, limit: int) -> Sequence[str]:
        """Those whose objects are due to be deleted, the longest due first."""
        ...

    async def confirm(self, document_ids: Sequence[str]) -> None:
        """Says that no object of these was left."""
        ...


class StoredPrefixes(Protocol):
    """What is stored of documents."""

    async def delete_all(self, document_id: str) -> int:
        """Deletes every object of a document; returns how many. Raises `SheafError`."""
        ...


@dataclass(frozen=True, slots=True)
class Eraser:
    """Looks each `interval_s`. Several may do so at once: all of it may be repeated."""

    deletions: DueDeletions
    objects: StoredPrefixes
    interval_s: float

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            more = False
            try:
                async with asyncio.timeout(_ROUND_S):
                    more = await self.erase() == _PAGE
            except (SheafError, TimeoutError) as error:
                log.warning("deletions are left for the next round", error=str(error))
            if not more:
                await asyncio.sleep(self.interval_s)

    async def erase(self) -> int:
        """Deletes the objects of what is due; returns of how many documents.

        Raises:
            SheafError: a service does not answer. What was done until then is confirmed.
        """
        due = await self.deletions.due(_PAGE)
        waiting = iter(due)
        done: list[str] = []
        objects = 0

        async def lane() -> None:
            nonlocal objects
            for document_id in waiting:
                objects += await self.objects.delete_all(document_id)
                done.append(document_id)

        lanes = [asyncio.ensure_future(lane()) for _ in range(min(_AT_ONCE, len(due)))]
        outcomes = await asyncio.gather(*lanes, return_exceptions=True)
        if done:
            await self.deletions.confirm(done)
            log.info("deleted documents erased", documents=len(done), objects=objects)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return len(done)
