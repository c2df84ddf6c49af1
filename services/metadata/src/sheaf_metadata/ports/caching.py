"""Caches of documents and batches, and what tells them of a change."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol
from uuid import UUID

from sheaf_metadata.domain.documents import (
    BatchView,
    Document,
)
from sheaf_metadata.domain.fields import Fields

Outdate = Callable[[Sequence[tuple[UUID, int]]], Awaitable[bool]]
"""Takes ids with the row versions that they are about to have. A change calls it before it
commits, so that nobody who has seen the new row is shown the old one by a cache after that.
Says whether the cache has heard of it; what it raises, rolls the change back."""

OutdateBatches = Callable[[Sequence[UUID]], Awaitable[bool]]
"""The same for finished batches that are about to be open again."""


class DocumentCache(Protocol):
    """Whole rows by id. An older row never replaces a newer one. Never raises."""

    @property
    def usable(self) -> bool:
        """Whether it is worth reading a whole row to keep it."""
        ...

    async def get(self, document_id: UUID) -> Document | None:
        """The row, if it is kept."""
        ...

    async def put(self, documents: Sequence[Document], *, age_s: float = 0.0) -> None:
        """Keeps rows that were read `age_s` ago."""
        ...

    async def outdate(self, versions: Sequence[tuple[UUID, int]]) -> bool:
        """Drops what is older than these row versions, and keeps it from coming back.

        Says whether it could.
        """
        ...


class BatchCache(Protocol):
    """Views of finished batches, by id and fields. Never raises."""

    @property
    def usable(self) -> bool:
        """Whether it is worth asking."""
        ...

    async def get(self, batch_id: UUID, fields: Fields) -> BatchView | None:
        """The view with exactly these fields, if it is kept."""
        ...

    async def put(self, view: BatchView, fields: Fields, *, age_s: float = 0.0) -> None:
        """Keeps a view that was read with these fields `age_s` ago, if its batch has finished."""
        ...

    async def outdate(self, batch_ids: Sequence[UUID]) -> bool:
        """Drops all views of these batches, and keeps them from coming back from late readers.

        Says whether it could.
        """
        ...
