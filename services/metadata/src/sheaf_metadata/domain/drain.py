"""How fast the queues are worked off, over the last half minute."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sheaf_metadata.domain.documents import Lane

WINDOW_S: Final = 30.0
SETTLED_S: Final = 2.0
"""No transaction lasts so long: what was given an id so long ago is committed, or never will be."""
_MAX_NOTED: Final = 300


@dataclass(frozen=True, slots=True)
class _Claims:
    """What was claimed between two moments."""

    began_at_s: float
    ended_at_s: float
    documents: Mapping[Lane, int]


class Drain:
    """A sliding window of claims. Times are of any one clock, in seconds, and ascend.

    It goes from one highest event id to a later one, once that has settled: ids become visible
    out of order, but none below it comes any more. So every claim is counted once, two seconds
    late.
    """

    def __init__(self) -> None:
        # The first is where counting goes on; it is given up if counting fails for so long.
        self._newest: deque[tuple[float, int]] = deque(maxlen=_MAX_NOTED)
        self._claims: deque[_Claims] = deque()

    def due(self, now_s: float, newest: int) -> tuple[int, int] | None:
        """Notes the highest id of now; the ids after the first, up to the second, are to count.

        None if nothing new has settled. What it returns is asked for until `add` is called.
        """
        if self._newest and newest < self._newest[-1][1]:
            self._newest.clear()  # the events were deleted: begin anew
        self._newest.append((now_s, newest))
        upto = self._settled(now_s)
        return None if upto is None else (self._newest[0][1], self._newest[upto][1])

    def add(self, now_s: float, documents: Mapping[Lane, int]) -> None:
        """What was claimed in the ids that `due` has named at that moment."""
        upto = self._settled(now_s)
        if upto is None:
            return
        began_at_s = self._newest[0][0]
        for _ in range(upto):
            self._newest.popleft()
        self._claims.append(_Claims(began_at_s, self._newest[0][0], documents))
        while len(self._claims) > 1 and self._covered_s() > WINDOW_S:
            self._claims.popleft()

    def per_second(self, lane: Lane) -> float:
        """Over the window, or what there is of it; 0 before anything has settled."""
        if not self._claims:
            return 0.0
        claimed = sum(claims.documents.get(lane, 0) for claims in self._claims)
        return claimed / self._covered_s()

    def _covered_s(self) -> float:
        return self._claims[-1].ended_at_s - self._claims[0].began_at_s

    def _settled(self, now_s: float) -> int | None:
        """Where the latest settled id stands, if there is one after the first."""
        settled = [at for at, (seen_s, _) in enumerate(self._newest) if now_s - seen_s >= SETTLED_S]
        return settled[-1] if len(settled) > 1 else None
