"""Text goes before recognition: while text is worked on here, recognition stands still.

Low priority alone does not do it. A process that wants every moment keeps a core busy whatever its
niceness, so the many short steps of a document's way queue on the others, and wait for the end of
its slice where they wake beside it: measured, a flood of scans doubled the text lane's P99 at
niceness 0, 10 and 19 alike.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sheaf_orchestrator.ports import Holdable

PERIOD_S: Final = 0.8
"""In which recognition has its share."""
_ON_ITS_WAY_S: Final = 0.06
"""From a claim to the begin of its activity, with a little room."""


class Precedence:
    """Holds recognition while text is worked on; but it keeps a share, so that it never starves.

    `share` of the time, from 0 to 1, is left to it while text is worked on without a break; what
    it runs between texts counts as well. With 1 it is never held. For one event loop.
    """

    def __init__(self, share: float, period_s: float = PERIOD_S) -> None:
        self._running_s = period_s * share
        self._standing_s = period_s - self._running_s
        self._pools: list[Holdable] = []
        self._taken = 0
        self._stood_s = 0.0
        """How long they have stood, less what they have run since in proportion."""
        self._since = time.monotonic()
        self._held = False
        self._turn: asyncio.TimerHandle | None = None

    def over(self, pool: Holdable) -> None:
        """Has this pool give way from now on."""
        self._pools.append(pool)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Text is worked on during the block."""
        self._begin()
        try:
            yield
        finally:
            self._end()

    def expect(self) -> None:
        """Text is about to be worked on: its way here has begun, and takes some steps."""
        self._begin()
        asyncio.get_running_loop().call_later(_ON_ITS_WAY_S, self._end)

    def _begin(self) -> None:
        self._taken += 1
        if self._taken == 1:
            self._stand()

    def _end(self) -> None:
        self._taken -= 1
        if not self._taken:
            self._run()

    def _stand(self) -> None:
        """Hold them, for no longer than their share allows."""
        if self._held or self._turn is not None or not self._pools or self._standing_s <= 0:
            return
        ran_s, self._since = time.monotonic() - self._since, time.monotonic()
        if self._running_s > 0:
            self._stood_s = max(0.0, self._stood_s - ran_s * self._standing_s / self._running_s)
        left_s = self._standing_s - self._stood_s
        if left_s <= 0:
            self._turn_in(self._running_s)
            return
        self._held = True
        for pool in self._pools:
            pool.hold()
        self._turn_in(left_s)

    def _run(self) -> None:
        """Let them go on."""
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        if self._held:
            self._stood_s += time.monotonic() - self._since
            self._since, self._held = time.monotonic(), False
            for pool in self._pools:
                pool.resume()

    def _turn_in(self, seconds: float) -> None:
        self._turn = asyncio.get_running_loop().call_later(seconds, self._turn_over)

    def _turn_over(self) -> None:
        """They stood their time, and run; or ran it, and stand."""
        stood = self._held
        self._run()
        if stood:
            self._turn_in(self._running_s)
        elif self._taken:
            self._stood_s = 0.0
            self._stand()
