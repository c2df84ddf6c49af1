"""What a transaction changed, and who is told of it."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sheaf_metadata.domain.documents import (
    Document,
    Lane,
)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a transaction changed, for caches and for those who wait.

    `documents` are whole rows as they are now; `added` is how many more were registered with it,
    `deleted` are those that have no row any longer.
    """

    documents: tuple[Document, ...] = ()
    finished_batches: tuple[UUID, ...] = ()
    queued_lanes: frozenset[Lane] = frozenset()
    freed_lanes: frozenset[Lane] = frozenset()
    added: int = 0
    deleted: tuple[UUID, ...] = ()


class Announcer(Protocol):
    """Wakes those who wait, here at once and in other processes by a hint. Never blocks."""

    def announce(self, changes: Changes) -> None:
        """Says that these changes are committed."""
        ...
