"""The positions of events, and the log in their order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sheaf_metadata.domain.events import Event, Followed, Span


@dataclass(frozen=True, slots=True)
class Placement:
    """The last position that was given, and whether events wait for one."""

    last: int
    waits: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """Events that were given the positions next after `before`, and how old each was."""

    before: int
    events: tuple[Event, ...]
    ages_s: tuple[float, ...]


class Positions(Protocol):
    """Gives committed events their positions, which become visible in their order."""

    async def look(self) -> Placement:
        """How far it has come. Everything up to the last position can be read."""
        ...

    async def place(self, limit: int) -> Placed | None:
        """Gives at most so many events a position, in the order of their ids.

        None if another process does it now. An event of a transaction that has not ended is
        left out; it comes when that has committed.
        """
        ...


class EventLog(Protocol):
    """Events that have a position, in its order."""

    async def after(self, span: Span, limit: int) -> Sequence[Event]:
        """At most so many of all users."""
        ...

    async def of(self, followed: Followed, span: Span, limit: int) -> Sequence[Event]:
        """At most so many of a document or a batch."""
        ...

    async def of_user(self, user_id: str, span: Span, limit: int) -> Sequence[Event]:
        """At most so many of a user."""
        ...
