"""What somebody may follow: events, in the order of their positions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sheaf_common.errors import InvalidInput
from sheaf_metadata.domain.documents import Status

MAX_PAGE: Final = 1000
"""The most events of one answer."""
MAX_POSITION: Final = 2**63 - 1
_DEFAULT_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Event:
    """A change, as it was recorded in the transaction that made it.

    `document_id`, `status` and `attempt` are None if it is about a batch, and `status` is if the
    document is no longer there.
    """

    position: int
    type: str
    document_id: UUID | None
    batch_id: UUID
    user_id: str
    status: Status | None
    attempt: int | None
    reason: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Followed:
    """Whose events: one document's, one batch's with its documents', or else all of the user's."""

    document_id: UUID | None = None
    batch_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Positions after one, and up to another."""

    after: int
    until: int = MAX_POSITION


def checked_span(after: int, until: int) -> Span:
    """Positions as they were asked for; an `until` of 0 means to the last.

    Raises:
        InvalidInput: `FIELD_INVALID`.
    """
    for name, value in (("after_position", after), ("until_position", until)):
        if value < 0:
            raise InvalidInput(
                "FIELD_INVALID", f"{name} must not be negative", evidence={"field": name}
            )
    return Span(after, until or MAX_POSITION)


def checked_page(name: str, asked: int, default: int = _DEFAULT_PAGE) -> int:
    """How many events an answer may have; 0 asks for the default.

    Raises:
        InvalidInput: `FIELD_INVALID`.
    """
    if not 0 <= asked <= MAX_PAGE:
        raise InvalidInput(
            "FIELD_INVALID", f"{name} must be 1 to {MAX_PAGE}", evidence={"field": name}
        )
    return asked or default
