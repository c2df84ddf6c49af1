"""Registering batches, and the results that their documents can have a copy of."""

from collections.abc import Sequence
from typing import Protocol

from sheaf_metadata.domain.documents import (
    Batch,
    Document,
)
from sheaf_metadata.domain.registration import NewBatch
from sheaf_metadata.domain.reusing import Reusable
from sheaf_metadata.ports.fairness import Lags


class Registrations(Protocol):
    """Registers batches."""

    async def register(
        self, batch: NewBatch, lags: Lags
    ) -> tuple[Batch, tuple[Document, ...], bool]:
        """Registers a batch; returns it, its documents in request order, and whether it is new.

        Raises:
            AlreadyExists: `DOCUMENT_EXISTS`, `BATCH_EXISTS`.
            InvalidInput: `ID_TOO_OLD`, `ID_INVALID` by the database's clock.
            Conflict: `IDEMPOTENCY_KEY_LOST`; nothing was changed.
            KeyAnswered: its holder has registered it already, under its idempotency key.
        """
        ...


class ReusableResults(Protocol):
    """Finds results that new documents can have a copy of."""

    async def find(self, batch: NewBatch) -> Sequence[Reusable]:
        """One for each document of the batch that can have one, in no order.

        It is of the same user's same content and options, made by a version of the pipeline that
        is in use, and of no document that was found in another or has others inside it.
        """
        ...
