"""Whether what waits has become so old that nothing more is taken in."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from sheaf_common import context
from sheaf_common.errors import OverCapacity
from sheaf_gateway import metrics
from sheaf_gateway.backlog import REOPENS_AT, LaneQueue, seconds_until_young
from sheaf_gateway.ports.measurements import IntakeQueue
from sheaf_gateway.service.spread import spread_s

log = structlog.get_logger()

LOOK_S: Final = 1.0
LOOK_TIMEOUT_S: Final = 2.0
_KNOWN_S: Final = 30.0
"""What was seen holds for so long while metadata is silent; then uploads are taken again."""


class BacklogLimit:
    """Refuses uploads while the oldest document of a lane has waited too long.

    `limits_s` has the lanes that are bounded. A lane that is over its limit stays shut until its
    oldest is well below it, so that it does not flap.
    """

    def __init__(
        self,
        queue: IntakeQueue,
        limits_s: Mapping[str, float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._limits_s = limits_s
        self._clock = clock
        self._seen_at_s = float("-inf")
        self._shut: dict[str, LaneQueue] = {}

    async def look(self) -> None:
        """Asks once how the queues are. Raises as `IntakeQueue`; then what was seen stays."""
        with context.bound(context.RequestContext(context.new_request_id())):
            lanes = await self._queue.lanes(timeout_s=LOOK_TIMEOUT_S)
        shut = {each.lane: each for each in lanes if self._is_too_old(each)}
        for lane in shut.keys() ^ self._shut.keys():
            log.warning("the backlog is too old" if lane in shut else "the backlog is young again",
                        lane=lane, **_said(shut.get(lane)))  # fmt: skip
        self._shut, self._seen_at_s = shut, self._clock()
        for each in lanes:
            metrics.BACKLOG_AGE.labels(each.lane).set(each.oldest_age_s)

    def check(self) -> None:
        """Returns if an upload may begin. Never waits.

        Raises:
            OverCapacity: `BACKLOG_TOO_OLD`, with the lane, its age and limit in seconds and how
                many documents wait; comes back when the queue should be young again.
        """
        if not self._shut or self._clock() - self._seen_at_s > _KNOWN_S:
            return
        waits_s = {
            lane: seconds_until_young(queue, REOPENS_AT * self._limits_s[lane])
            for lane, queue in self._shut.items()
        }
        lane = max(waits_s, key=lambda each: waits_s[each])
        queue, limit_s = self._shut[lane], self._limits_s[lane]
        metrics.ADMISSION_REFUSALS.labels("backlog").inc()
        raise OverCapacity(
            "BACKLOG_TOO_OLD",
            f"documents wait for {queue.oldest_age_s:.0f} s already: more are not taken",
            evidence={
                "lane": lane,
                "age_s": f"{queue.oldest_age_s:.1f}",
                "limit_s": f"{limit_s:g}",
                "queued_documents": str(queue.queued_documents),
                "drained_per_second": f"{queue.drained_per_second:.2f}",
            },
            retry_after_s=spread_s(waits_s[lane]),
        )

    def _is_too_old(self, queue: LaneQueue) -> bool:
        limit_s = self._limits_s.get(queue.lane, math.inf)
        return queue.oldest_age_s > limit_s * (REOPENS_AT if queue.lane in self._shut else 1.0)


def _said(queue: LaneQueue | None) -> dict[str, float]:
    if queue is None:
        return {}
    return {"age_s": round(queue.oldest_age_s, 1), "queued_documents": queue.queued_documents}
