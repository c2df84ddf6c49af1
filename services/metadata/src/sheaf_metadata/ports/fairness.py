"""Work as fairness counts it, and where the lines of the lanes stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from sheaf_metadata.domain.documents import Lane


@dataclass(frozen=True, slots=True)
class QueuedWork:
    """A document's share of work in a lane, as fairness counts it."""

    document_id: UUID
    user_id: str
    lane: Lane
    work_ms: float


Lags = Mapping[UUID, timedelta]
"""By document, how far behind now it stands in line; before now, where the line is late."""


class Lines(Protocol):
    """How far the lanes have come. Never raises."""

    async def behind(self, lane: Lane) -> timedelta:
        """How long ago the next document was due, its priority aside; zero if none waits.

        An hour at most, so that what waits is not overtaken for ever. It may be a little old.
        """
        ...


class Fairness(Protocol):
    """How far ahead each user's queue reaches already. Never raises."""

    async def lags(self, work: Sequence[QueuedWork]) -> Lags:
        """Puts work at the end of its users' queues; empty if that is not known."""
        ...
