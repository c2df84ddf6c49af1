"""What a change puts into the cache once it is committed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sheaf_common.ids import new_id
from sheaf_metadata.domain.documents import Document, Status
from sheaf_metadata.domain.outcomes import ReleaseCause
from sheaf_metadata.ports.caching import Outdate
from sheaf_metadata.ports.changes import Changes
from sheaf_metadata.ports.outcomes import Released
from sheaf_metadata.service.outcomes import EndClaims
from support.metadata_fakes import FakeCache, FakeObserver

_TOOK_S = 0.05


@dataclass
class AgingCache(FakeCache):
    """Remembers how old rows were said to be."""

    ages_s: list[float] = field(default_factory=list)

    async def put(self, documents: Sequence[Document], *, age_s: float = 0.0) -> None:
        """Notes it."""
        self.ages_s.append(age_s)


class SlowReleases:
    """A transaction that takes its time."""

    async def release(
        self, workflow_id: str, document_ids: Sequence[UUID], cause: ReleaseCause, outdate: Outdate
    ) -> Released:
        """One document is queued again."""
        await asyncio.sleep(_TOOK_S)
        document = Document(document_id=new_id(), status=Status.QUEUED, row_version=3)
        return Released((document.document_id,), (), Changes((document,)))


class Silence:
    """Nobody to tell."""

    def announce(self, changes: Changes) -> None:
        """Nothing."""


async def test_a_rows_age_counts_from_its_transaction() -> None:
    """So that a process that was halted after its commit puts nothing that others have passed."""
    cache = AgingCache()
    unused: Any = None
    ending = EndClaims(unused, SlowReleases(), unused, cache, Silence(), FakeObserver())
    await ending.release("workflow", [], ReleaseCause.NOT_STARTED)
    (age_s,) = cache.ages_s
    assert age_s >= _TOOK_S * 0.9
