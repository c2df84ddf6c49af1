"""What the use cases report to those who watch."""

from collections.abc import Sequence
from typing import Literal, Protocol

from sheaf_metadata.domain.documents import Document, Lane
from sheaf_metadata.domain.outcomes import Disposition
from sheaf_metadata.ports.changes import Changes

CachedKind = Literal["document", "batch"]
CoalescedKind = Literal["document", "batch", "batch_end", "workflow"]


class Observer(Protocol):
    """Counts. Never raises, never blocks."""

    def registered(self, documents: int) -> None:
        """So many documents were recorded for the first time."""
        ...

    def claimed(self, lane: Lane, documents: int, waited_s: Sequence[float] = ()) -> None:
        """A claim was answered; with 0 documents if there was nothing. See `ClaimTry`."""
        ...

    def ended(self, document: Document) -> None:
        """A document has come to a terminal state; told once for each time that it does."""
        ...

    def recorded(self, disposition: Disposition) -> None:
        """An outcome was judged."""
        ...

    def coalesced(self, kind: CoalescedKind) -> None:
        """A read shares a query that another read asked for."""
        ...

    def placed(self, ages_s: Sequence[float]) -> None:
        """Events got their positions, so long after they were recorded."""
        ...

    def cache_read(self, kind: CachedKind, *, hit: bool) -> None:
        """The cache was asked; a hit is what was shown from it."""
        ...


def tell(observer: Observer, changes: Changes) -> None:
    """Tells of a transaction that has committed; call it once for each."""
    if changes.added:
        observer.registered(changes.added)
    for document in changes.documents:
        if document.status is not None and document.status.terminal:
            observer.ended(document)
