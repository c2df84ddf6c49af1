"""What operators and sweeps ask of the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sheaf_common.errors import InvalidInput
from sheaf_metadata.domain.documents import DocumentReferences
from sheaf_metadata.ports.housekeeping import Housekeeping

_MAX_REFERENCES: Final = 1000
_MAX_EVENTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class KeepHouse:
    """Checks bounds and asks. Every method raises `InvalidInput` and as `Housekeeping`."""

    housekeeping: Housekeeping

    async def references(self, document_ids: Sequence[UUID]) -> Sequence[DocumentReferences]:
        """What documents refer to; one without a row is absent."""
        if len(document_ids) > _MAX_REFERENCES:
            raise InvalidInput(
                "FIELD_INVALID",
                f"document_ids must be at most {_MAX_REFERENCES}",
                evidence={"field": "document_ids"},
            )
        return await self.housekeeping.references(document_ids) if document_ids else ()

    async def prune_events(self, min_age_s: float, max_events: int) -> int:
        """Deletes the oldest events, at most `max_events`, if they are older than that."""
        if not 1 <= max_events <= _MAX_EVENTS:
            raise InvalidInput(
                "FIELD_INVALID",
                f"max_events must be 1 to {_MAX_EVENTS}",
                evidence={"field": "max_events"},
            )
        if min_age_s < 0:
            raise InvalidInput(
                "FIELD_INVALID", "min_age must not be negative", evidence={"field": "min_age"}
            )
        return await self.housekeeping.prune_events(min_age_s, max_events)
