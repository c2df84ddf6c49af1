"""How the database runs each hot statement: along the index it names, without a sort.

Lists and workflows are in `test_list_plans.py`, the indexes in `test_migrations.py`.
"""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection

from sheaf_metadata.adapters.mysql import (
    api_keys,
    attaching,
    backlog,
    batches,
    claims,
    control,
    deletion,
    drain,
    leases,
    lines,
    reading,
    registration,
    reusing,
    slots,
    sweeping,
    writing,
)
from sheaf_metadata.domain.documents import Status
from sheaf_metadata.domain.fields import ALL_FIELDS, fields_of
from support.metadata import Metadata
from support.metadata_plans import assert_plan, explained, fill, handler_reads, rows_read

_LANE = {"lane": "text"}


@pytest.fixture(scope="module")
async def filled(service: Metadata) -> Metadata:
    """A full table."""
    await fill(service)
    return service


@pytest.fixture
async def connection(filled: Metadata) -> AsyncIterator[AsyncConnection]:
    """A connection over it; nothing is committed."""
    async with filled.engine.connect() as connection:
        yield connection


async def some_ids(connection: AsyncConnection, status: str, count: int) -> list[bytes]:
    """Ids of ann's documents in a status, in ascending order."""
    found = await connection.exec_driver_sql(
        f"SELECT id FROM document WHERE status = '{status}' AND user_id = 'ann'"  # noqa: S608 - our own words
        f" ORDER BY id LIMIT {count}"
    )
    return list(found.scalars())


async def test_the_claim_is_one_ordered_scan(connection: AsyncConnection) -> None:
    """It reads as many index entries as it locks rows, not the whole queue."""
    parameters = {**_LANE, "limit": 64}
    assert_plan(await explained(connection, claims.CANDIDATES, parameters), "claim_idx")
    assert await rows_read(connection, claims.CANDIDATES, parameters) < 200


async def test_the_claimed_are_written_by_primary_key(connection: AsyncConnection) -> None:
    """In ascending id, so that claims cannot deadlock."""
    ids = await some_ids(connection, "queued", 64)
    parameters = {"workflow_id": "w", "lease_us": 1, "ids": ids}
    (row,) = await explained(connection, claims.CLAIM, parameters)
    assert (row.key, row.type) == ("PRIMARY", "range")


@pytest.mark.parametrize("statement", [slots.TAKE, slots.SURVEY], ids=["take", "survey"])
async def test_places_are_counted_by_workflow(
    connection: AsyncConnection, statement: TextClause
) -> None:
    """Each place costs a look into the workflow index, however many documents there are."""
    parameters = {**_LANE, "slots": 4} | ({"after": -1} if statement is slots.TAKE else {})
    assert_plan(await explained(connection, statement, parameters), "workflow_id_idx")
    assert await rows_read(connection, statement, parameters) < 100


async def test_the_second_question_of_a_place(connection: AsyncConnection) -> None:
    """By the workflow index."""
    parameters = {"workflow_id": "w"}
    assert_plan(await explained(connection, slots.HELD_BY, parameters), "workflow_id_idx")


async def test_leases_are_renewed_by_primary_key(connection: AsyncConnection) -> None:
    """Both statements."""
    ids = await some_ids(connection, "processing", 50)
    owned = await explained(connection, leases.OWNED, {"ids": ids, "workflow_id": "w"})
    (renewed,) = await explained(connection, leases.RENEW, {"ids": ids, "lease_us": 1})
    assert_plan(owned, "PRIMARY")
    assert renewed.key == "PRIMARY"


async def test_progress_and_passwords_go_by_primary_key(connection: AsyncConnection) -> None:
    """All pages in one statement, whose every row is found by its id."""
    ids = await some_ids(connection, "processing", 50)
    asked = await explained(connection, leases.PASSWORDS, {"ids": ids, "workflow_id": "w"})
    assert_plan(asked, "PRIMARY")
    values = [value for each in ids for value in (each, 1, 2)]
    statement = f"EXPLAIN {leases.advance_statement(len(ids))}"
    advanced = (await connection.exec_driver_sql(statement, (*values, 1))).all()
    (documents,) = [row for row in advanced if row.table == "d"]
    assert (documents.key, documents.type) == ("PRIMARY", "eq_ref")


async def test_control_and_attachments_go_by_their_indexes(connection: AsyncConnection) -> None:
    """The quarantined of a user in order of id; the head of a line is one entry."""
    ids = await some_ids(connection, "completed", 50)
    batch_ids = list((await connection.exec_driver_sql("SELECT id FROM batch")).scalars())
    wanted = {"user_id": "ann", "reason": "", "product": "tax", "limit": 101}
    assert_plan(await explained(connection, control.QUARANTINED, wanted), "user_status_idx")
    assert await rows_read(connection, control.QUARANTINED, wanted) <= 102
    assert_plan(await explained(connection, attaching.KNOWN, {"ids": ids}), "PRIMARY")
    for statement in (batches.COUNTS, batches.FINISHED):
        assert_plan(await explained(connection, statement, {"ids": batch_ids}), "PRIMARY", "b")
    assert_plan(await explained(connection, lines.HEAD, _LANE), "claim_idx")
    assert await rows_read(connection, lines.HEAD, _LANE) == 1


async def test_expired_leases_are_looked_for_among_the_held(connection: AsyncConnection) -> None:
    """It reads what is in processing, not the table; only their workflows are kept apart."""
    expired = await explained(connection, leases.EXPIRED, {"limit": 50})
    assert_plan(expired, "status_time_idx", temporary=True)
    assert await rows_read(connection, leases.EXPIRED, {"limit": 50}) < 1000
    workflows = {"workflow_ids": ["a", "b"]}
    assert_plan(await explained(connection, leases.UNRECORDED, workflows), "workflow_id_idx")


async def test_outcomes_are_locked_by_primary_key(connection: AsyncConnection) -> None:
    """In ascending id; batches too, and whether one is done is asked by its index."""
    ids = await some_ids(connection, "processing", 50)
    assert_plan(await explained(connection, writing.LOCK_DOCUMENTS, {"ids": ids}), "PRIMARY")
    held = await explained(connection, writing.HOLDS, {"workflow_id": "w"})
    assert_plan(held, "workflow_id_idx")
    batch_ids = list((await connection.exec_driver_sql("SELECT id FROM batch")).scalars())
    assert_plan(await explained(connection, batches.LOCK, {"ids": batch_ids}), "PRIMARY", "b")
    done = await explained(connection, batches.DONE, {"ids": batch_ids})
    assert_plan(done, "PRIMARY", "b")
    assert_plan(done, "batch_idx", "d")
    assert await rows_read(connection, batches.DONE, {"ids": batch_ids}) < 100


async def test_outcomes_are_written_by_primary_key(connection: AsyncConnection) -> None:
    """All in one statement, whose every row is found by its id."""
    ids = [UUID(bytes=each) for each in await some_ids(connection, "processing", 50)]
    locked, now = await writing.lock_documents(connection, ids)
    assert now is not None
    writes = [
        writing.Write(row, row.next(status=Status.FAILED, finished_at=now), "", None)
        for row in locked.values()
    ]
    values = tuple(value for write in writes for value in writing.write_values(write))
    statement = writing.write_statement(50)
    explain = list((await connection.exec_driver_sql(f"EXPLAIN {statement}", values)).all())
    (documents,) = [row for row in explain if row.table == "d"]
    assert (documents.key, documents.type) == ("PRIMARY", "eq_ref")

    await connection.exec_driver_sql("FLUSH STATUS")
    assert (await connection.exec_driver_sql(statement, values)).rowcount == 50
    assert await handler_reads(connection) < 300


async def test_documents_and_batches_are_read_by_key(connection: AsyncConnection) -> None:
    """A document by PRIMARY; a batch with its documents in one ordered look-up."""
    ids = await some_ids(connection, "completed", 2)
    assert_plan(await explained(connection, reading.OPEN, {"ids": ids}), "PRIMARY")
    fields = fields_of(["filename", "status"])
    one = await explained(
        connection,
        reading.document_statement(fields, scoped=True),
        {"id": ids[0], "user_id": "ann"},
    )
    assert [(row.key, int(row.rows)) for row in one] == [("PRIMARY", 1)]
    batch_id = (await connection.exec_driver_sql("SELECT id FROM batch LIMIT 1")).scalar_one()
    parameters = {"id": batch_id, "user_id": "ann"}
    statement = reading.batch_statement(ALL_FIELDS, scoped=True)
    assert_plan(await explained(connection, statement, parameters), "batch_idx")
    assert await rows_read(connection, statement, parameters) < 100


async def test_reusable_results_are_found_by_hash(connection: AsyncConnection) -> None:
    """The newest few of a content that came ten thousand times, without a sort; by key the rest."""
    known = await connection.exec_driver_sql(
        "SELECT sha256 FROM document WHERE user_id = 'ann' GROUP BY sha256 LIMIT 5"
    )
    hashes = list(known.scalars())
    statement = reusing.candidates_statement(5)
    values = tuple(value for sha256 in hashes for value in ("ann", sha256))
    plan = list((await connection.exec_driver_sql(f"EXPLAIN {statement}", values)).all())
    assert [row.key for row in plan if row.table == "d"] == ["user_sha256_idx"] * 5
    assert "filesort" not in "; ".join(row.Extra or "" for row in plan)
    await connection.exec_driver_sql("FLUSH STATUS")
    rows = (await connection.exec_driver_sql(statement, values)).all()
    assert len(rows) == len(hashes) * reusing.LOOKED_AT
    assert await handler_reads(connection) < 200

    ids = [UUID(bytes=each) for each in await some_ids(connection, "completed", 50)]
    inside = f"EXPLAIN {reusing.inside_statement(50)}"
    (looked,) = (await connection.exec_driver_sql(inside, reusing.inside_parameters(ids))).all()
    assert (looked.key, looked.type) == ("PRIMARY", "range")
    sources = {"ids": [each.bytes for each in ids]}
    assert_plan(await explained(connection, reusing.SOURCES, sources), "PRIMARY")


async def test_the_backlog_is_asked_along_the_line(connection: AsyncConnection) -> None:
    """Nothing that has ended is looked at, and of a long queue no more than so much."""
    asked = {**_LANE, "most": 1000, "head": 100}
    rows = await explained(connection, backlog.BACKLOG, asked)
    assert "filesort" not in "; ".join(row.Extra or "" for row in rows)
    assert {row.key for row in rows if row.table == "d"} == {"claim_idx"}
    # Derived tables are written, and read once more.
    assert await rows_read(connection, backlog.BACKLOG, asked) <= 2 * (1000 + 100 + 200) + 10


async def test_what_was_claimed_is_counted_from_the_end_of_the_events(
    connection: AsyncConnection,
) -> None:
    """The newest id is one look; of the others only those between are read, each with its row."""
    newest = (await connection.execute(drain.NEWEST)).one().newest
    between = {"after": newest - 40, "upto": newest}
    rows = await explained(connection, drain.CLAIMED, between)
    assert_plan(rows, "PRIMARY", "e")
    assert_plan(rows, "PRIMARY", "d")
    assert_plan(rows, "event_document_idx", "q")
    assert await rows_read(connection, drain.NEWEST, {}) <= 1
    assert await rows_read(connection, drain.CLAIMED, between) <= 40 * 3 + 1


async def test_the_rest_goes_by_its_indexes(connection: AsyncConnection) -> None:
    """Keys, references, repeats of a registration, old events."""
    ids = await some_ids(connection, "completed", 50)
    key = await explained(connection, api_keys.FIND, {"sha256": b"0" * 32})
    events = {"min_age_us": 1, "limit": 100}
    assert len(key) == 1
    assert_plan(await explained(connection, sweeping.REFERENCES, {"ids": ids}), "PRIMARY")
    assert_plan(await explained(connection, registration.DOCUMENTS, {"ids": ids}), "PRIMARY")
    oldest = await explained(connection, sweeping.OLDEST_EVENTS, events)
    assert_plan(oldest, "PRIMARY", "e")
    assert await rows_read(connection, sweeping.OLDEST_EVENTS, events) <= 101
    (deleted,) = await explained(
        connection, sweeping.DELETE_EVENTS, {"first": 1, "last": 100, "limit": 100}
    )
    assert deleted.key == "PRIMARY"


async def test_keys_are_listed_backwards_along_their_users_index(
    connection: AsyncConnection,
) -> None:
    """Both pages read what they show; uses are written by primary key."""
    await connection.exec_driver_sql(
        "INSERT INTO api_key (id, user_id, name, prefix, sha256, scopes, created_at)"
        " SELECT id, IF(RAND(1) < 0.5, 'ann', 'bob'), '', '', UNHEX(SHA2(id, 256)), '',"
        " UTC_TIMESTAMP(6) FROM document LIMIT 2000"
    )
    for statement, more in (
        (api_keys.FIRST_PAGE, {}),
        (api_keys.NEXT_PAGE, {"after": b"\xff" * 16}),
    ):
        wanted = {"user_id": "ann", "limit": 51, **more}
        assert_plan(await explained(connection, statement, wanted), "api_key_user_idx", "k")
        assert await rows_read(connection, statement, wanted) <= 52
    ids = await some_ids(connection, "completed", 50)
    (used,) = await explained(connection, api_keys.USED, {"ids": ids})
    assert (used.key, used.type) == ("PRIMARY", "range")


async def test_claims_stay_fast_in_a_table_that_is_full(filled: Metadata) -> None:
    """Sixteen groups of 64 in well under a second each."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    for _ in range(16):
        assert len((await filled.claimed(max_documents=64)).documents) == 64
    assert loop.time() - started < 4


async def test_a_deletion_goes_by_key_and_batch(connection: AsyncConnection) -> None:
    """It reads the document, those of its batch, and tombstones by their keys or by when due."""
    ids = await some_ids(connection, "completed", 200)
    batch_id = (await connection.execute(deletion.ROOT, {"id": ids[0]})).one().batch_id
    many = {"ids": ids}
    for statement, parameters, index in (
        (deletion.ROOT, {"id": ids[0]}, "PRIMARY"),
        (deletion.INSIDE, {"batch_id": batch_id, "limit": 5000}, "batch_idx"),
        (deletion.OF_BATCH, {"batch_id": batch_id, "limit": 200}, "batch_idx"),
        (deletion.LOCK, many, "PRIMARY"),
        (deletion.DELETE, many, "PRIMARY"),
    ):
        assert_plan(await explained(connection, statement, parameters), index)
    assert await rows_read(connection, deletion.INSIDE, {"batch_id": batch_id, "limit": 5000}) < 200
    for statement, parameters, index in (
        (deletion.DUE, {"limit": 1000}, "deletion_due_idx"),
        (deletion.CONFIRM, {**many, "again_us": 1, "user_id": "", "times": 2}, "PRIMARY"),
        (deletion.FORGET, {**many, "times": 2}, "PRIMARY"),
        (attaching.DELETED, many, "PRIMARY"),
        (registration.NOW, many, "PRIMARY"),
    ):
        assert_plan(await explained(connection, statement, parameters), index, "t")
