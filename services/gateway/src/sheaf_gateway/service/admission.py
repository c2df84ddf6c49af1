"""Whether one more upload may begin, before a byte of it is read."""

from collections.abc import Iterator
from contextlib import contextmanager

from sheaf_common.errors import OverCapacity, Unavailable
from sheaf_gateway import metrics
from sheaf_gateway.service.backlog import BacklogLimit
from sheaf_gateway.service.health import HealthService
from sheaf_gateway.service.places import parked
from sheaf_gateway.service.spread import spread_s


class ByteBudget:
    """Bytes that all uploads together may hold in memory."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.used_bytes = 0
        metrics.BUFFER_LIMIT.set(limit_bytes)

    def try_take(self, count: int) -> bool:
        """Takes `count` bytes if there are so many; never waits."""
        if self.used_bytes + count > self.limit_bytes:
            return False
        self.used_bytes += count
        metrics.BUFFER_BYTES.set(self.used_bytes)
        return True

    def give_back(self, count: int) -> None:
        """Gives back what was taken."""
        self.used_bytes -= count
        metrics.BUFFER_BYTES.set(self.used_bytes)


class Admission:
    """Bounds uploads in flight.

    Refuses while what intake needs is known to be down, and while what waits is too old.
    """

    def __init__(
        self, max_uploads: int, budget: ByteBudget, health: HealthService, backlog: BacklogLimit
    ) -> None:
        self._max_uploads = max_uploads
        self._budget = budget
        self._health = health
        self._backlog = backlog
        self._in_flight = 0
        metrics.UPLOADS_LIMIT.set(max_uploads)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """A place among the uploads in flight, for the block.

        Raises:
            OverCapacity: `BACKLOG_TOO_OLD`, `UPLOADS_IN_FLIGHT`, `UPLOAD_BUFFER_FULL`.
            Unavailable: `INTAKE_UNAVAILABLE`, naming the dependency.
        """
        if (down := self._health.known_down()) is not None:
            metrics.ADMISSION_REFUSALS.labels("dependency").inc()
            raise Unavailable(
                "INTAKE_UNAVAILABLE",
                f"documents cannot be taken now: {down} is down",
                evidence={"dependency": down},
                retry_after_s=spread_s(2),
            )
        self._backlog.check()
        if self._in_flight >= self._max_uploads:
            metrics.ADMISSION_REFUSALS.labels("uploads").inc()
            raise OverCapacity(
                "UPLOADS_IN_FLIGHT",
                "too many uploads are in progress",
                evidence={"limit": str(self._max_uploads)},
                retry_after_s=spread_s(1),
            )
        if self._budget.used_bytes >= self._budget.limit_bytes > 0:
            metrics.ADMISSION_REFUSALS.labels("buffer").inc()
            raise OverCapacity(
                "UPLOAD_BUFFER_FULL",
                "uploads in progress hold all the memory that they may",
                evidence={"limit": str(self._budget.limit_bytes)},
                retry_after_s=spread_s(1),
            )
        self._in_flight += 1
        metrics.UPLOADS_IN_FLIGHT.set(self._in_flight)
        try:
            with parked():
                yield
        finally:
            self._in_flight -= 1
            metrics.UPLOADS_IN_FLIGHT.set(self._in_flight)
