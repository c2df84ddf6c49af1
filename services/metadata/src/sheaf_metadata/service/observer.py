"""What the use cases report to those who watch."""

from typing import Literal, Protocol

from sheaf_metadata.domain.documents import Lane
from sheaf_metadata.domain.outcomes import Disposition

CachedKind = Literal["document", "batch"]
CoalescedKind = Literal["document", "batch", "batch_end", "workflow"]


class Observer(Protocol):
    """Counts. Never raises, never blocks."""

    def claimed(self, lane: Lane, documents: int) -> None:
        """A claim was answered; with 0 documents if there was nothing."""
        ...

    def recorded(self, disposition: Disposition) -> None:
        """An outcome was judged."""
        ...

    def coalesced(self, kind: CoalescedKind) -> None:
        """A read shares a query that another read asked for."""
        ...

    def cache_read(self, kind: CachedKind, *, hit: bool) -> None:
        """The cache was asked; a hit is what was shown from it."""
        ...
