"""What the use cases report to those who watch."""

from typing import Literal, Protocol

from sheaf_metadata.domain.documents import Lane
from sheaf_metadata.domain.outcomes import Disposition

CoalescedKind = Literal["document", "batch", "batch_end"]


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

    def cache_read(self, *, hit: bool) -> None:
        """A document was looked for in the cache."""
        ...
