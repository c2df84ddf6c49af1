"""A metadata database that is full, and how the server runs statements over it."""

from typing import Any, Final

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from support.metadata import Metadata, completed

_DOUBLINGS: Final = 14
_SPACING_S: Final = 480

# Each doubling puts a copy of all there is before it in time. The id is made up to 50 minutes
# before its document is uploaded, as a registration accepts it; what else there is to filter
# by follows from the id by chance: classes from one in two to one in ten thousand.
_DOUBLE: Final = """
    INSERT INTO document (id, batch_id, user_id, product, status, lane, priority, claim_at,
        queued_at, filename, content_type, size_bytes, sha256, object_key, workflow_id, attempt,
        dispatches, document_class, partial, uploaded_at, row_version)
    SELECT UNHEX(CONCAT(LPAD(HEX((TIMESTAMPDIFF(SECOND, '1970-01-01', copy.uploaded_at)
            - copy.dice MOD 3000) * 1000), 12, '0'), '7', SUBSTR(copy.hash, 1, 3),
            'a', SUBSTR(copy.hash, 4, 15))),
        UNHEX(MD5(copy.dice MOD 2000)), copy.user_id,
        IF(copy.dice MOD 7 < 3, 'law', 'tax'),
        ELT(1 + copy.dice MOD 8, 'queued', 'queued', 'queued', 'completed', 'completed',
            'completed', 'completed', IF(copy.dice MOD 5 = 0, 'failed', 'completed')),
        copy.lane, copy.priority, copy.uploaded_at, copy.uploaded_at, copy.filename,
        IF(copy.dice MOD 100 = 9, 'image/png', IF(copy.dice MOD 5 = 1, 'application/pdf',
            'text/plain')),
        copy.size_bytes, copy.sha256, copy.object_key,
        IF(copy.dice MOD 8 < 3, NULL, MD5(CONCAT('w', copy.dice MOD 1000))), copy.attempt,
        copy.dispatches,
        IF(copy.dice MOD 9973 = 1, 'rare', IF(copy.dice MOD 2 = 0, 'invoice', 'letter')),
        copy.partial, copy.uploaded_at, copy.row_version
    FROM (
        SELECT d.*, CRC32(CONCAT(id, :step)) AS dice, MD5(CONCAT(id, :step)) AS hash FROM (
            SELECT id, user_id, lane, priority, filename, size_bytes, sha256, object_key, attempt,
                dispatches, partial, row_version,
                uploaded_at - INTERVAL :shift SECOND AS uploaded_at
            FROM document
        ) d
    ) copy
"""


async def fill(metadata: Metadata) -> None:
    """Makes some 131,000 documents of three months, most of them ann's, in all states."""
    await metadata.empty()
    await metadata.registered(6, user_id="ann", product="tax")
    await metadata.registered(2, user_id="bob", product="law")
    for step in range(_DOUBLINGS):
        await metadata.sql(_DOUBLE, step=step, shift=_SPACING_S * 2**step)
    for _ in range(3):
        await metadata.claimed(max_documents=50)
    group = await metadata.claimed(max_documents=50)
    outcomes = [completed(each.document_id) for each in group.documents[:20]]
    await metadata.record(group.workflow_id, *outcomes)
    for table in ("document", "batch", "event", "workflow_slot"):
        await metadata.sql(f"ANALYZE TABLE {table}")


async def explained(
    connection: AsyncConnection, statement: TextClause, parameters: dict[str, Any]
) -> list[Any]:
    """The rows of EXPLAIN."""
    lists = [name for name, value in parameters.items() if isinstance(value, list)]
    explain = text(f"EXPLAIN {statement.text}").bindparams(
        *(bindparam(name, expanding=True) for name in lists)
    )
    return list((await connection.execute(explain, parameters)).all())


async def rows_read(
    connection: AsyncConnection, statement: TextClause, parameters: dict[str, Any]
) -> int:
    """How many rows and index entries the server reads to answer."""
    await connection.exec_driver_sql("FLUSH STATUS")
    (await connection.execute(statement, parameters)).all()
    return await handler_reads(connection)


async def handler_reads(connection: AsyncConnection) -> int:
    """What the session has read since its status was flushed."""
    counted = await connection.execute(text("SHOW SESSION STATUS LIKE 'Handler_read_%'"))
    ours = {"Handler_read_first", "Handler_read_key", "Handler_read_last", "Handler_read_next"}
    ours |= {"Handler_read_prev", "Handler_read_rnd", "Handler_read_rnd_next"}
    return sum(int(value) for name, value in counted.all() if name in ours)


def assert_plan(rows: list[Any], index: str, table: str = "d", *, temporary: bool = False) -> None:
    """No sort anywhere, a temporary table only if so, and the table goes along that index."""
    extras = "; ".join(row.Extra or "" for row in rows)
    assert "filesort" not in extras
    assert ("temporary" in extras) is temporary
    assert index in {row.key for row in rows if row.table == table}
