"""Places of workflows in flight: one row for each, taken by the workflow that it names.

A place is free when no document of its workflow is `processing`. Nothing is kept beside the
documents' rows that could be forgotten, and nobody has to give a place back.
"""

from typing import Final

from sqlalchemy import text

from sheaf_common.pools.database_connection import SqlConnection
from sheaf_metadata.domain.documents import Lane

# PRIMARY of workflow_slot, workflow_id_idx of document: one look for each place. With LIMIT,
# and not as [NOT] EXISTS, which MariaDB turns into a scan of every document that had a workflow.
FREE: Final = (
    "(SELECT 1 FROM document d FORCE INDEX (workflow_id_idx)"
    " WHERE d.workflow_id = s.workflow_id AND d.status = 'processing' LIMIT 1) IS NULL"
)
SURVEY: Final = text(
    "SELECT EXISTS (SELECT 1 FROM document d FORCE INDEX (claim_idx)"  # noqa: S608 - a constant
    " WHERE d.status = 'queued' AND d.lane = :lane) AS work,"
    " (SELECT COUNT(*) FROM workflow_slot WHERE lane = :lane AND slot < :slots) AS known,"
    " EXISTS (SELECT 1 FROM workflow_slot s WHERE s.lane = :lane AND s.slot < :slots"
    f" AND {FREE}) AS free"
)
TAKE: Final = text(
    "SELECT s.slot, s.workflow_id FROM workflow_slot s"  # noqa: S608 - a constant
    f" WHERE s.lane = :lane AND s.slot < :slots AND s.slot > :after AND {FREE}"
    " ORDER BY s.slot LIMIT 1 FOR UPDATE SKIP LOCKED"
)
HELD_BY: Final = text(
    "SELECT 1 FROM document d FORCE INDEX (workflow_id_idx)"
    " WHERE d.workflow_id = :workflow_id AND d.status = 'processing' LIMIT 1"
)
# As FREE: it ends at the first place that is not.
OTHERS: Final = text(
    "SELECT 1 FROM workflow_slot s"  # noqa: S608 - a constant
    f" WHERE s.lane = :lane AND s.slot <> :slot AND NOT {FREE} LIMIT 1"
)
_CREATE: Final = text(
    "INSERT INTO workflow_slot (lane, slot) VALUES (:lane, :slot)"
    " ON DUPLICATE KEY UPDATE slot = slot"
)
_NAME: Final = text(
    "UPDATE workflow_slot SET workflow_id = :workflow_id WHERE lane = :lane AND slot = :slot"
)


async def create_slots(connection: SqlConnection, lane: Lane, slots: int) -> None:
    """Makes the rows of a lane's places, where they are missing."""
    await connection.execute(_CREATE, [{"lane": lane.value, "slot": slot} for slot in range(slots)])


async def lock_free_slot(connection: SqlConnection, lane: Lane, slots: int) -> int | None:
    """Locks a free place until the transaction ends; None if there is none.

    The first question's snapshot may be older than the commit of the claimer that had the
    row locked before, and then sees the new workflow's documents still queued. So whether it
    holds any is asked again under the lock, by a statement with a snapshot of its own.
    """
    after = -1
    while True:
        found = (
            await connection.execute(TAKE, {"lane": lane.value, "slots": slots, "after": after})
        ).one_or_none()
        if found is None:
            return None
        if found.workflow_id is None:
            return int(found.slot)
        held = await connection.execute(HELD_BY, {"workflow_id": found.workflow_id})
        if held.first() is None:
            return int(found.slot)
        after = found.slot


async def others_in_flight(connection: SqlConnection, lane: Lane, slot: int) -> bool:
    """Whether another place of the lane than that one is taken."""
    found = await connection.execute(OTHERS, {"lane": lane.value, "slot": slot})
    return found.first() is not None


async def name_slot(connection: SqlConnection, lane: Lane, slot: int, workflow_id: str) -> None:
    """Gives a locked place to a workflow."""
    await connection.execute(_NAME, {"lane": lane.value, "slot": slot, "workflow_id": workflow_id})
