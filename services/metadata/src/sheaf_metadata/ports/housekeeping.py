"""What operators and sweeps ask."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from sheaf_metadata.domain.documents import (
    DocumentReferences,
    Lane,
    LaneBacklog,
)


class Housekeeping(Protocol):
    """What operators and sweeps ask."""

    async def backlog(self) -> Sequence[LaneBacklog]:
        """One entry for each lane; how fast they are worked off is not told."""
        ...

    async def newest_event(self) -> int:
        """The highest id of an event that is committed; 0 if there is none."""
        ...

    async def claimed_between(self, after: int, upto: int) -> Mapping[Lane, int]:
        """Documents that were claimed in events with ids after the first, up to the second."""
        ...

    async def references(self, document_ids: Sequence[UUID]) -> Sequence[DocumentReferences]:
        """What those documents refer to; one without a row is absent."""
        ...

    async def prune_events(self, min_age_s: float, max_events: int) -> int:
        """Deletes the oldest events that are older than that; returns how many."""
        ...
