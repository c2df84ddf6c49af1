"""Claiming: a place, one index-ordered scan, one update by primary key."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, text

from sheaf_common.ids import new_id
from sheaf_common.pools.database_connection import SqlConnection
from sheaf_metadata.adapters.mysql.database import Database
from sheaf_metadata.adapters.mysql.events import DocumentEvent, insert_events
from sheaf_metadata.adapters.mysql.rows import CLAIMED_COLUMNS, aware, claimed_of
from sheaf_metadata.adapters.mysql.slots import (
    SURVEY,
    create_slots,
    lock_free_slot,
    name_slot,
    others_in_flight,
)
from sheaf_metadata.domain.claims import (
    ClaimedDocument,
    ClaimedGroup,
    ClaimLimits,
    ClaimTry,
    could_grow,
    cut_group,
)
from sheaf_metadata.domain.documents import Status
from sheaf_metadata.ports.caching import Outdate

# claim_idx: equal on status and lane, in the order of claim_at (and id, which every index
# ends with), so it stops after the limit: no sort, and no lock beyond the rows taken.
CANDIDATES: Final = text(
    f"SELECT {CLAIMED_COLUMNS}, d.uploaded_at, UTC_TIMESTAMP(6) AS now,"  # noqa: S608 - a constant
    " TIMESTAMPDIFF(MICROSECOND, d.queued_at, UTC_TIMESTAMP(6)) AS waited_us"
    " FROM document d FORCE INDEX (claim_idx)"
    " WHERE d.status = 'queued' AND d.lane = :lane"
    " ORDER BY d.claim_at, d.id LIMIT :limit FOR UPDATE SKIP LOCKED"
)
# PRIMARY, in ascending id; every row is locked by the scan.
CLAIM: Final = text(
    "UPDATE document FORCE INDEX (PRIMARY) SET status = 'processing', workflow_id = :workflow_id,"
    " lease_expires_at = UTC_TIMESTAMP(6) + INTERVAL :lease_us MICROSECOND,"
    " started_at = COALESCE(started_at, UTC_TIMESTAMP(6)), row_version = row_version + 1"
    " WHERE id IN :ids"
).bindparams(bindparam("ids", expanding=True))


class MysqlClaims:
    """`Claims` in MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def try_claim(self, limits: ClaimLimits, outdate: Outdate, *, likely: bool) -> ClaimTry:
        """See `Claims`. Looking takes one statement and no lock."""

        async def claim(connection: SqlConnection) -> ClaimTry:
            return await _claim(connection, limits, outdate)

        if likely or (found := await self._look(limits)) is None:
            tried = await self._database.transaction("claim_documents", claim)
            if not tried.work_waits or tried.linger_s is not None:
                return tried
            # There was no place: because all are taken, or because there are too few rows.
            if (found := await self._look(limits)) is None:
                return await self._database.transaction("claim_documents", claim)
        return found

    async def _look(self, limits: ClaimLimits) -> ClaimTry | None:
        """Why a claim would bring nothing now; None if it may. Makes places that are missing."""
        lane, slots = limits.lane, limits.max_workflows
        async with self._database.reading("look_for_claims") as connection:
            found = (await connection.execute(SURVEY, {"lane": lane.value, "slots": slots})).one()
        if not found.work:
            return ClaimTry(None)
        if found.known < slots:

            async def create(connection: SqlConnection) -> None:
                await create_slots(connection, lane, slots)

            await self._database.transaction("create_slots", create)
            return None
        return None if found.free else ClaimTry(None, work_waits=True)


async def _claim(connection: SqlConnection, limits: ClaimLimits, outdate: Outdate) -> ClaimTry:
    slot = await lock_free_slot(connection, limits.lane, limits.max_workflows)
    if slot is None:
        return ClaimTry(None, work_waits=True)
    rows = (
        await connection.execute(
            CANDIDATES, {"lane": limits.lane.value, "limit": limits.max_documents}
        )
    ).all()
    if not rows:
        return ClaimTry(None)
    candidates = [claimed_of(row, row.row_version + 1) for row in rows]
    documents = cut_group(candidates, limits)
    if could_grow(documents, candidates, limits):
        left_s = limits.linger_s - max(row.waited_us for row in rows) / 1_000_000
        if left_s > 0 and await others_in_flight(connection, limits.lane, slot):
            return ClaimTry(None, work_waits=True, linger_s=left_s)
    workflow_id = str(new_id())
    await connection.execute(
        CLAIM,
        {
            "workflow_id": workflow_id,
            "lease_us": int(limits.lease_ttl_s * 1_000_000),
            "ids": sorted(document.document_id.bytes for document in documents),
        },
    )
    await name_slot(connection, limits.lane, slot, workflow_id)
    now = aware(rows[0].now)
    await _insert_events(connection, documents, now)
    await outdate([(document.document_id, document.row_version) for document in documents])
    waited_s = tuple(
        (now - aware(row.uploaded_at)).total_seconds()
        for row in rows[: len(documents)]
        if row.attempt == 1 and row.dispatches == 0
    )
    return ClaimTry(ClaimedGroup(workflow_id, limits.lane, documents, now), waited_s=waited_s)


async def _insert_events(
    connection: SqlConnection, documents: Sequence[ClaimedDocument], now: datetime
) -> None:
    events = [
        DocumentEvent(
            document.document_id,
            document.batch_id,
            document.user_id,
            Status.PROCESSING,
            document.attempt,
        )
        for document in documents
    ]
    await insert_events(connection, events, (), now)
