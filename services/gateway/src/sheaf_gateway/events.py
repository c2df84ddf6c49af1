"""Events that a client follows, and when there is nothing left to follow. No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sheaf_gateway.domain.documents import DocumentStatus

MAX_POSITION: Final = 2**63 - 1
SHOWN: Final = ("document.", "batch.")
"""How the types of events begin that clients see."""
_DELETED: Final = "document.deleted"
_ENDS: Final = frozenset(
    {*(f"document.{status}" for status in DocumentStatus if status.is_terminal), _DELETED}
)
_BATCH_ENDS: Final = frozenset({"batch.finished", "batch.deleted"})


@dataclass(frozen=True, slots=True)
class Event:
    """A change. What is None does not belong to its type: a batch has no attempt."""

    position: int
    type: str
    document_id: str | None
    batch_id: str
    user_id: str
    status: DocumentStatus | None
    attempt: int | None
    reason: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Followed:
    """Whose events: a document's, a batch's with its documents', or all of a user's."""

    kind: Literal["document", "batch", "user"]
    identifier: str


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in the order of their positions.

    `position` is what has been looked through, though not all of it be shown; `more` follows.
    """

    events: tuple[Event, ...]
    position: int
    more: bool = False


class Ending:
    """Whether what is followed has ended, as its events tell in their order."""

    def __init__(self, followed: Followed) -> None:
        self._kind = followed.kind
        self.ended: bool | None = None
        """None while no event has told."""

    def see(self, events: Iterable[Event]) -> None:
        """Takes the events that come next."""
        for event in events:
            if self._kind == "document":
                self.ended = event.type in _ENDS
            elif self._kind == "batch" and event.type != _DELETED:
                # One that is deleted from a batch leaves it as it was; another attempt opens it.
                self.ended = event.type in _BATCH_ENDS
