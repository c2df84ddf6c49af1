"""The line of callers that wait for a subprocess: bounded in length and in time."""

import asyncio

from sheaf_orchestrator.extraction.errors import PoolBusy, PoolError
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.sandbox.process import WorkerProcess


class Place:
    """One caller's place in the line."""

    def __init__(self, *, fresh: bool) -> None:
        self.fresh = fresh
        self.turn: asyncio.Future[WorkerProcess] = asyncio.get_running_loop().create_future()

    @property
    def worker(self) -> WorkerProcess | None:
        """What was lent to this place, if anything was."""
        if self.turn.done() and not self.turn.cancelled() and self.turn.exception() is None:
            return self.turn.result()
        return None


class Line:
    """First come, first served; places are kept in order of arrival."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._places: dict[Place, None] = {}

    def __len__(self) -> int:
        return len(self._places)

    def places(self) -> list[Place]:
        """Those who wait, in order."""
        return list(self._places)

    def join(self, *, fresh: bool) -> Place:
        """Take a place at the end. Raises PoolBusy when the line is full."""
        if len(self._places) >= self._limits.waiting:
            raise PoolBusy(f"{len(self._places)} documents wait for extraction already")
        place = Place(fresh=fresh)
        self._places[place] = None
        return place

    async def wait(self, place: Place) -> WorkerProcess:
        """Wait for the turn. Raises PoolBusy when it does not come in time.

        When this raises, ``place.worker`` may have been lent all the same.
        """
        try:
            async with asyncio.timeout(self._limits.wait_s):
                return await asyncio.shield(place.turn)
        except TimeoutError:
            raise PoolBusy(f"no subprocess came free in {self._limits.wait_s:g} s") from None
        finally:
            self._places.pop(place, None)

    def lend(self, place: Place, worker: WorkerProcess) -> None:
        """It is this place's turn."""
        self._places.pop(place)
        place.turn.set_result(worker)

    def refuse(self, error: PoolError) -> None:
        """Send everybody away with the error."""
        for place in self.places():
            self._places.pop(place)
            place.turn.set_exception(error)
