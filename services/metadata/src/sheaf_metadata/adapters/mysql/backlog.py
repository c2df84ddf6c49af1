"""What waits and what is worked on, by lane, for operators: asked every second.

Bounded however full the table is: it reads the entries of what is queued and in processing only,
and at most so many of each.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text

from sheaf_metadata.adapters.mysql.database import Database
from sheaf_metadata.domain.documents import Lane, LaneBacklog

MAX_COUNTED: Final = 100_000
"""Counting stops there: a queue as long as that is one that nobody needs to know to the last."""
_MAX_HEAD: Final = 1000
_MICROSECONDS: Final = 1_000_000

# claim_idx, thrice: its entries of the lane's queued documents; the rows of the thousand next in
# line, of which the oldest is told; the rows in processing, as many as workflows hold.
BACKLOG: Final = text(
    "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM document d FORCE INDEX (claim_idx)"
    " WHERE d.status = 'queued' AND d.lane = :lane LIMIT :most) line) AS queued,"
    " (SELECT TIMESTAMPDIFF(MICROSECOND, MIN(head.queued_at), UTC_TIMESTAMP(6)) FROM"
    " (SELECT d.queued_at FROM document d FORCE INDEX (claim_idx)"
    " WHERE d.status = 'queued' AND d.lane = :lane ORDER BY d.claim_at LIMIT :head) head)"
    " AS oldest_us,"
    " COUNT(*) AS processing, COUNT(DISTINCT held.workflow_id) AS workflows"
    " FROM (SELECT d.workflow_id FROM document d FORCE INDEX (claim_idx)"
    " WHERE d.status = 'processing' AND d.lane = :lane LIMIT :most) held"
)


async def backlog(database: Database) -> Sequence[LaneBacklog]:
    """One entry for each lane, in one statement each. Raises as `Database.reading`."""
    found = []
    async with database.reading("get_backlog") as connection:
        for lane in Lane:
            asked = {"lane": lane.value, "most": MAX_COUNTED, "head": _MAX_HEAD}
            row = (await connection.execute(BACKLOG, asked)).one()
            age_s = max(0, row.oldest_us or 0) / _MICROSECONDS
            found.append(LaneBacklog(lane, row.queued, age_s, row.workflows, row.processing))
    return found
