"""How many documents were claimed lately, of every replica: read from the outbox, at its end."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import text

from sheaf_metadata.adapters.mysql.database import Database
from sheaf_metadata.domain.documents import Lane

# PRIMARY, its last entry.
NEWEST: Final = text("SELECT MAX(e.id) AS newest FROM event e")
# PRIMARY of event, the ids between; PRIMARY of document, for each claim. A document in the OCR
# lane may have been claimed in the lane before: then it was sent on after that claim, which
# event_document_idx shows.
CLAIMED: Final = text(
    "SELECT COUNT(*) AS claimed, COALESCE(SUM(d.lane = 'ocr' AND NOT EXISTS"
    " (SELECT 1 FROM event q FORCE INDEX (event_document_idx)"
    " WHERE q.document_id = e.document_id AND q.id > e.id AND q.reason = 'NEEDS_OCR')), 0) AS ocr"
    " FROM event e FORCE INDEX (PRIMARY) STRAIGHT_JOIN document d FORCE INDEX (PRIMARY)"
    " ON d.id = e.document_id"
    " WHERE e.id > :after AND e.id <= :upto AND e.type = 'document.processing'"
)


async def newest_event(database: Database) -> int:
    """The highest id that is committed; 0 if there is none. Raises as `Database.reading`."""
    async with database.reading("newest_event") as connection:
        return int((await connection.execute(NEWEST)).one().newest or 0)


async def claimed_between(database: Database, after: int, upto: int) -> Mapping[Lane, int]:
    """By the lane in which they were claimed. Raises as `Database.reading`."""
    async with database.reading("claimed_between") as connection:
        row = (await connection.execute(CLAIMED, {"after": after, "upto": upto})).one()
    return {Lane.TEXT: int(row.claimed - row.ocr), Lane.OCR: int(row.ocr)}
