"""Monotonic reads: the cache never shows an older state than one that was shown already.

The cache itself keeps older rows out while it works. Here is what it cannot do: Redis may be
emptied, fail over to a replica that had not got a write yet, or miss that a row was outdated.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sheaf_metadata.domain.documents import Document
from sheaf_metadata.ports.caching import DocumentCache


class ShownVersions:
    """The highest row version of a document that this process has shown, or set out to write.

    Of at most `limit` documents, those shown or written least recently going first: of what
    is forgotten the cache is believed again. A version that was never committed (its
    transaction was rolled back) only keeps the document from the cache until the next write.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._versions: OrderedDict[UUID, int] = OrderedDict()

    def admits(self, document: Document) -> bool:
        """Whether a whole row is no older than what was shown."""
        return document.row_version >= self._versions.get(document.document_id, 0)

    def raise_to(self, document_id: UUID, version: int) -> None:
        """From now on nothing older is admitted."""
        known = self._versions.pop(document_id, 0)
        self._versions[document_id] = max(known, version)
        if len(self._versions) > self._limit:
            self._versions.popitem(last=False)

    def show(self, documents: Iterable[Document]) -> None:
        """These rows, read with id and version, are about to be shown."""
        for document in documents:
            self.raise_to(document.document_id, document.row_version)


@dataclass(frozen=True, slots=True)
class MonotonicCache:
    """A `DocumentCache` in which a row that is older than one shown or written is a miss."""

    cache: DocumentCache
    shown: ShownVersions

    @property
    def usable(self) -> bool:
        """See `DocumentCache`."""
        return self.cache.usable

    async def get(self, document_id: UUID) -> Document | None:
        """See `DocumentCache`."""
        found = await self.cache.get(document_id)
        if found is None or not self.shown.admits(found):
            return None
        self.shown.show([found])
        return found

    async def put(self, documents: Sequence[Document], *, age_s: float = 0.0) -> None:
        """See `DocumentCache`."""
        await self.cache.put(documents, age_s=age_s)

    async def outdate(self, versions: Sequence[tuple[UUID, int]]) -> bool:
        """See `DocumentCache`. Holds here even if Redis does not hear of it."""
        for document_id, version in versions:
            self.shown.raise_to(document_id, version)
        return await self.cache.outdate(versions)
