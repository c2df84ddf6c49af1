"""What has happened, in the order of positions."""

from typing import Protocol

from sheaf_gateway.events import EventPage, Followed


class EventLog(Protocol):
    """Knows what has happened, in the order of positions."""

    async def poll(self, after: int | None, *, wait_s: float) -> EventPage:
        """What all users may see after a position, waiting for it; None is the last there is.

        Raises:
            SheafError: Unavailable, DeadlineExceeded, OverCapacity, …
        """
        ...

    async def listed(self, followed: Followed, after: int, until: int, limit: int) -> EventPage:
        """At most so many after a position, up to another, of the current request's user.

        Raises:
            NotFound: there is no such document or batch of the user's.
            SheafError: Unavailable, DeadlineExceeded, …
        """
        ...
