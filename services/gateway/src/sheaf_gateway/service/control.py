"""Changing what becomes of documents that are there: cancel, reprocess, replay."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sheaf_gateway.domain.documents import Document
from sheaf_gateway.domain.replaying import Replay, Replayed
from sheaf_gateway.options import DEFAULT_OPTIONS, NO_CHANGES, OptionChanges, Options, Password
from sheaf_gateway.ports.records import Records
from sheaf_gateway.service.passwords import PasswordSealer

_OF_OPTIONS: Final = frozenset({"options"})


@dataclass(frozen=True, slots=True)
class Reprocessing:
    """How a document is read again; `after_attempt` 0 follows whichever attempt ended."""

    changes: OptionChanges = NO_CHANGES
    password: Password | None = None
    after_attempt: int = 0


class ControlService:
    """The use cases behind cancel, reprocess and the quarantine."""

    def __init__(self, records: Records, sealer: PasswordSealer) -> None:
        self._records = records
        self._sealer = sealer

    async def cancel(self, document_id: UUID) -> Document:
        """The document, cancelled unless it had ended. Raises NotFound."""
        return await self._records.cancel(document_id)

    async def reprocess(self, document_id: UUID, wanted: Reprocessing) -> Document:
        """Queues a document that has ended again. Options that are not named stay.

        Raises:
            NotFound: `DOCUMENT_NOT_FOUND`.
            FailedPrecondition: `DOCUMENT_NOT_TERMINAL`, `ATTEMPT_CHANGED`.
            InvalidInput: `PASSWORDS_NOT_ACCEPTED`.
        """
        sealed = self._sealer.sealed(wanted.password, document_id)
        options = await self._options(document_id, wanted.changes)
        return await self._records.reprocess(
            document_id, options, sealed, after_attempt=wanted.after_attempt
        )

    async def replay(self, wanted: Replay) -> Replayed:
        """Queues the user's quarantined documents again, oldest first."""
        return await self._records.replay(wanted)

    async def _options(self, document_id: UUID, changes: OptionChanges) -> Options | None:
        if not changes.any_named:
            return None
        if changes.all_named:
            return changes.applied_to(DEFAULT_OPTIONS)
        document = await self._records.document(document_id, _OF_OPTIONS)
        return changes.applied_to(document.options)
