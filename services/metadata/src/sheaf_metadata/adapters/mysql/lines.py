"""Where the lines of the lanes stand: the time that fairness goes by."""

import time
from datetime import timedelta
from typing import Final

from sqlalchemy import text

from sheaf_common.errors import SheafError
from sheaf_metadata.adapters.mysql.database import Database
from sheaf_metadata.domain.documents import Lane, Priority
from sheaf_metadata.domain.work import MAX_LAG, priority_shift

_REMEMBERED_S: Final = 0.1
"""How long an answer is good for: many registrations a second need no look each."""
# claim_idx, its first entry.
HEAD: Final = text(
    "SELECT d.priority, TIMESTAMPDIFF(MICROSECOND, d.claim_at, UTC_TIMESTAMP(6)) AS behind_us"
    " FROM document d FORCE INDEX (claim_idx) WHERE d.status = 'queued' AND d.lane = :lane"
    " ORDER BY d.claim_at, d.id LIMIT 1"
)


class MysqlLines:
    """`Lines` in MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[Lane, tuple[float, timedelta | None]] = {}

    async def behind(self, lane: Lane) -> timedelta:
        """See `Lines`."""
        known = self._known.get(lane)
        if known is None or time.monotonic() - known[0] > _REMEMBERED_S:
            known = time.monotonic(), await self._look(lane)
            self._known[lane] = known
        looked_at, behind = known
        if behind is None:
            return timedelta()
        # What was next then may be next still: it is never passed over for being remembered.
        behind += timedelta(seconds=time.monotonic() - looked_at)
        return min(max(behind, timedelta()), MAX_LAG)

    async def _look(self, lane: Lane) -> timedelta | None:
        try:
            async with self._database.reading("head_of_line") as connection:
                found = await connection.execute(HEAD, {"lane": lane.value})
                head = found.one_or_none()
        except SheafError:
            # The change that needs it meets the same database, and says what is wrong with it.
            return None
        if head is None:
            return None
        return timedelta(microseconds=head.behind_us) + priority_shift(Priority(head.priority))
