"""Rows of documents that ended long ago, put straight into the database: a table as it is in years.

The server makes them itself from numbers, some thousands in a statement, in ascending id as a
service writes them; nothing crosses the network. Columns are as long, and as varied, as those of
real documents: ids of time, batches of ten, workflows of sixteen, two thousand users beside the
one whose lists are measured, who owns a tenth. Of their events only the last is there: a sweep
deletes older ones.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import text

from sheaf_common.pools.database import DatabasePool
from sheaf_common.pools.database_connection import DatabaseConnection
from sheaf_dev.bench.scenario import Tell

USERS: Final = 2000
TABLES: Final = ("document", "batch", "event", "workflow_slot")
_DAYS: Final = 90
_CHUNK: Final = 20_000
_TELL_EVERY: Final = 200_000
_BATCH: Final = 10
_WRITTEN_WITHIN_S: Final = 60.0
_DIRTY_PAGES: Final = 500
_LOOK_S: Final = 0.25
_DIRTY: Final = (
    "SELECT variable_value FROM information_schema.global_status"
    " WHERE variable_name = 'Innodb_buffer_pool_pages_dirty'"
)

# A UUID of version 7: the time in milliseconds, then chance.
_ID: Final = (
    "CONCAT(LPAD(HEX(:start_ms + CAST({number} AS UNSIGNED) * :step_us DIV 1000), 12, '0'), '7',"
    " SUBSTR(MD5(CONCAT('{kind}', {number})), 1, 3), 'a',"
    " SUBSTR(MD5(CONCAT('{kind}', {number})), 4, 15))"
)
_MADE: Final = f"""
    SELECT seq, CRC32(seq) AS dice,
        FROM_UNIXTIME((:start_ms * 1000 + seq * :step_us) / 1000000) AS at,
        {_ID.format(kind="d", number="seq")} AS id,
        {_ID.format(kind="b", number=f"(seq - seq MOD {_BATCH})")} AS batch,
        {_ID.format(kind="w", number="(seq - seq MOD 16)")} AS workflow,
        IF(CRC32(seq - seq MOD {_BATCH}) MOD 10 = 0, :owner,
            CONCAT('user-', CRC32(seq - seq MOD {_BATCH}) MOD {USERS})) AS owner,
        IF(CRC32(seq) MOD 100 < 92, 'completed', IF(CRC32(seq) MOD 100 < 97, 'failed',
            IF(CRC32(seq) MOD 100 < 98, 'quarantined', 'cancelled'))) AS status
    FROM seq_{{first}}_to_{{last}}
"""  # noqa: S608 - our own words and numbers
_DOCUMENTS: Final = """
    INSERT INTO document (id, batch_id, user_id, product, status, lane, priority, claim_at,
        queued_at, filename, content_type, size_bytes, sha256, object_key, result_key,
        workflow_id, attempt, dispatches, pipeline_version, page_count, character_count,
        document_class, partial, error_code, uploaded_at, started_at, finished_at, row_version)
    SELECT UNHEX(id), UNHEX(batch), owner,
        ELT(1 + dice MOD 4, 'tax', 'claims', 'mortgage', 'default'), status,
        IF(dice MOD 10 = 3, 'ocr', 'text'), 'normal', at, at,
        CONCAT('statement-', seq, '-of-a-customer.pdf'),
        IF(dice MOD 5 = 1, 'image/png', 'application/pdf'), 20000 + dice MOD 400000,
        UNHEX(SHA2(seq, 256)), CONCAT('documents/', id, '/original'),
        IF(status = 'completed', CONCAT('documents/', id, '/1-', workflow, '/result.json.zst'),
            NULL),
        workflow, 1, 1, '5', 1 + dice MOD 10, 500 + dice MOD 20000,
        ELT(1 + dice MOD 6, 'invoice', 'letter', 'receipt', 'form-1040', 'statement', 'contract'),
        dice MOD 50 = 0, IF(status = 'failed', 'PDF_DAMAGED', NULL), at,
        at + INTERVAL 120 MICROSECOND, at + INTERVAL 480000 MICROSECOND, 3
    FROM ({made}) made
"""
_BATCHES: Final = """
    INSERT INTO batch (id, user_id, product, document_count, created_at, finished_at)
    SELECT UNHEX(batch), owner, 'tax', COUNT(*), MIN(at), MAX(at) + INTERVAL 1 SECOND
    FROM ({made}) made GROUP BY batch, owner ORDER BY batch
"""
_EVENTS: Final = """
    INSERT INTO event (document_id, batch_id, user_id, type, status, attempt, reason, created_at,
        position)
    SELECT UNHEX(id), UNHEX(batch), owner, CONCAT('document.', status), status, 1,
        IF(status = 'failed', 'PDF_DAMAGED', NULL), at + INTERVAL 480000 MICROSECOND,
        (SELECT last FROM event_position) - {last} + seq
    FROM ({made}) made
"""


class Filling:
    """Rows of the last 90 days, up to a number of them; every tenth batch is `owner`'s."""

    def __init__(self, pool: DatabasePool, *, rows: int, owner: str) -> None:
        """`rows` is a multiple of ten: a batch is made whole."""
        if rows % _BATCH:
            raise ValueError(f"{rows} rows are no whole batches of {_BATCH}")
        span_us = _DAYS * 86_400 * 1_000_000
        self._pool = pool
        self._rows = rows
        self._done = 0
        self._values = {
            "start_ms": int(time.time() * 1000) - span_us // 1000,
            "step_us": span_us // (rows + _BATCH),
            "owner": owner,
        }

    async def up_to(self, rows: int, on_progress: Tell) -> None:
        """Inserts the documents that are missing to that many, and analyses the tables.

        Returns when the server has written its pages, so that this is not measured with what
        follows.

        Raises:
            ValueError: that is not a multiple of ten, or more than there are to be.
            TimeoutError: the pages were not written in time.
        """
        if rows % _BATCH or rows > self._rows:
            raise ValueError(f"{rows} of {self._rows} rows cannot be made")
        async with self._pool.connection() as connection, _written_later(connection):
            told = self._done
            while self._done < rows:
                last = min(self._done + _CHUNK, rows) - 1
                made = _MADE.format(first=self._done, last=last)
                await connection.exec_driver_sql(
                    f"UPDATE event_position SET last = last + {last + 1 - self._done}"  # noqa: S608 - a number
                )
                for statement in (_BATCHES, _DOCUMENTS, _EVENTS):
                    filled = statement.format(made=made, last=last)
                    await connection.execute(text(filled), self._values)
                self._done = last + 1
                if self._done - told >= _TELL_EVERY:
                    told = self._done
                    on_progress(f"{told} rows")
            for table in TABLES:
                await connection.exec_driver_sql(f"ANALYZE TABLE {table}")


@asynccontextmanager
async def _written_later(connection: DatabaseConnection) -> AsyncIterator[None]:
    """Commits are not flushed one by one during the block; after it, pages are written first."""
    changed = {
        "innodb_flush_log_at_trx_commit": 2,
        "innodb_io_capacity_max": 20_000,
        "innodb_io_capacity": 10_000,
        "innodb_max_dirty_pages_pct": 90,
        "innodb_max_dirty_pages_pct_lwm": 0,
    }
    kept = {name: await _variable(connection, name) for name in changed}
    await _set(connection, changed)
    try:
        yield
        await _set(connection, {"innodb_max_dirty_pages_pct": 0})
        async with asyncio.timeout(_WRITTEN_WITHIN_S):
            while True:
                if await _dirty_pages(connection) <= _DIRTY_PAGES:
                    break
                await asyncio.sleep(_LOOK_S)
    finally:
        await _set(connection, dict(reversed(kept.items())))  # a limit after what it limits


async def _variable(connection: DatabaseConnection, name: str) -> float:
    found = await connection.exec_driver_sql(f"SELECT @@GLOBAL.{name}")
    return float(found.scalar_one())


async def _set(connection: DatabaseConnection, values: dict[str, float] | dict[str, int]) -> None:
    for name, value in values.items():
        await connection.exec_driver_sql(f"SET GLOBAL {name} = {value:.0f}")


async def _dirty_pages(connection: DatabaseConnection) -> int:
    return int((await connection.exec_driver_sql(_DIRTY)).scalar_one())
