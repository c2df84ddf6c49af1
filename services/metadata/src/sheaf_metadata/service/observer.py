"""What the use cases report to those who watch."""

from typing import Protocol

from sheaf_metadata.domain.documents import Lane
from sheaf_metadata.domain.outcomes import Disposition


class Observer(Protocol):
    """Counts. Never raises, never blocks."""

    def claimed(self, lane: Lane, documents: int) -> None:
        """A claim was answered; with 0 documents if there was nothing."""
        ...

    def recorded(self, disposition: Disposition) -> None:
        """An outcome was judged."""
        ...

    def cache_read(self, *, hit: bool) -> None:
        """A document was looked for in the cache."""
        ...
