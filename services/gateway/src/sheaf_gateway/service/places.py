"""How many requests are worked on at once; those that only wait have bounds of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from sheaf_common.errors import OverCapacity
from sheaf_gateway import metrics
from sheaf_gateway.service.spread import spread_s


class RequestPlaces:
    """Places for requests. Health, liveness and metrics take none."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.taken = 0
        metrics.PLACES_LIMIT.set(limit)
        metrics.PLACES_TAKEN.set(0)

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place for the block's request. Never waits.

        Raises:
            OverCapacity: `REQUESTS_IN_FLIGHT`.
        """
        if self.taken >= self._limit:
            metrics.HTTP_REFUSALS.labels("requests").inc()
            raise OverCapacity(
                "REQUESTS_IN_FLIGHT",
                "too many requests are being answered",
                evidence={"limit": str(self._limit)},
                retry_after_s=spread_s(1),
            )
        place = _Place(self)
        token = _PLACE.set(place)
        self.count(1)
        try:
            yield
        finally:
            _PLACE.reset(token)
            self.count(-1)

    def count(self, change: int) -> None:
        """Takes a place or gives one back."""
        self.taken += change
        metrics.PLACES_TAKEN.set(self.taken)


class _Place:
    def __init__(self, places: RequestPlaces) -> None:
        self.places = places
        self.parked = False


_PLACE: Final[ContextVar[_Place | None]] = ContextVar("place", default=None)


@contextmanager
def parked() -> Iterator[None]:
    """Gives the current request's place to others while the block only waits.

    What is waited for must be bounded otherwise. Afterwards the place is taken again, also if
    there is none left: a request that was begun is finished.
    """
    place = _PLACE.get()
    if place is None or place.parked:
        yield
        return
    place.parked = True
    place.places.count(-1)
    try:
        yield
    finally:
        place.parked = False
        place.places.count(1)
