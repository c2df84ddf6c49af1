"""The backlog: looked at once a second, however many ask."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from sheaf_metadata.domain.documents import LaneBacklog
from sheaf_metadata.domain.drain import Drain
from sheaf_metadata.ports.housekeeping import Housekeeping

_FRESH_S: Final = 1.0


class WatchBacklog:
    """What waits in each lane, and how fast it is worked off by all replicas together."""

    def __init__(
        self, housekeeping: Housekeeping, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._housekeeping = housekeeping
        self._clock = clock
        self._drain = Drain()
        self._latest: Sequence[LaneBacklog] = ()
        self._looked_at_s = float("-inf")
        self._looking: asyncio.Task[Sequence[LaneBacklog]] | None = None

    async def look(self) -> Sequence[LaneBacklog]:
        """One entry for each lane, read now. Those who look at once share it.

        Raises as `Housekeeping`.
        """
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look())
            self._looking.add_done_callback(_noticed)
        return await asyncio.shield(self._looking)

    async def recent(self) -> Sequence[LaneBacklog]:
        """The same, at most a second old. Raises as `Housekeeping`."""
        if self._clock() - self._looked_at_s < _FRESH_S:
            return self._latest
        return await self.look()

    async def close(self) -> None:
        """Ends a look that is under way."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])

    async def _look(self) -> Sequence[LaneBacklog]:
        began_s = self._clock()
        due = self._drain.due(began_s, await self._housekeeping.newest_event())
        if due is not None:
            self._drain.add(began_s, await self._housekeeping.claimed_between(*due))
        lanes = await self._housekeeping.backlog()
        self._latest = [
            replace(each, drained_per_second=self._drain.per_second(each.lane)) for each in lanes
        ]
        self._looked_at_s = began_s
        return self._latest


def _noticed(task: asyncio.Task[Sequence[LaneBacklog]]) -> None:
    """Its failure is raised to those who wait for it, and there may be none left."""
    if not task.cancelled():
        task.exception()
