"""Following events over real servers: none is missed, none comes twice, wherever one begins."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection

from sheaf.metadata.v1 import metadata_pb2
from sheaf_common.errors import InvalidInput, NotFound
from sheaf_common.ids import new_id
from sheaf_common.pools.database import database_pool
from sheaf_metadata.adapters.mysql import positions
from sheaf_metadata.adapters.mysql.database import LOCK_WAIT_S, Database
from sheaf_metadata.adapters.mysql.positions import MysqlEvents
from sheaf_metadata.domain.events import MAX_PAGE
from support.metadata import Metadata, as_user, completed, new_document, served
from support.metadata_events import Follower, insert, poll
from support.metadata_plans import assert_plan, explained, rows_read
from support.sql_log import statements
from support.waiting import until, until_answer

_ROWS: Final = 20_000
_FILL: Final = f"""
    INSERT INTO event (document_id, batch_id, user_id, type, status, created_at, position)
    SELECT UNHEX(MD5(seq MOD 5000)), UNHEX(MD5(seq MOD 500)), IF(seq MOD 2, 'ann', 'bob'),
        'document.queued', 'queued', UTC_TIMESTAMP(6), seq
    FROM seq_1_to_{_ROWS}
"""  # noqa: S608 - a number
_SPAN: Final = {"after": 5_000, "until": _ROWS, "limit": 100}


def ids(count: int) -> list[UUID]:
    """So many documents."""
    return [new_id() for _ in range(count)]


@pytest.fixture
async def start(metadata: Metadata) -> int:
    """The position that is the last when the test begins."""
    return (await poll(metadata, None)).position


@pytest.fixture
async def placing(service: Metadata) -> AsyncIterator[MysqlEvents]:
    """What a sequencer does, at hand."""
    settings = service.settings.database
    async with database_pool(settings, lock_wait_s=LOCK_WAIT_S) as pool:
        yield MysqlEvents(Database(pool, transaction_s=1))


async def test_what_commits_late_comes_late_and_comes(metadata: Metadata, start: int) -> None:
    """A transaction that is held open hinders nobody; its events come with its commit, once.

    Whoever begins after any position sees exactly what comes after it.
    """
    before, held, later = ids(2), ids(3), ids(3)
    follower = Follower(metadata, start)
    async with metadata.engine.connect() as open_connection:
        async with metadata.engine.begin() as connection:
            await insert(connection, *before)
        await insert(open_connection, *held)
        async with metadata.engine.begin() as connection:
            await insert(connection, *later)
        await follower.follow([*before, *later])
        assert follower.seen == [*before, *later]
        await open_connection.commit()
    await follower.follow(held)
    assert follower.seen == [*before, *later, *held]
    for resumed_after in (start, *(event.position for event in follower.events)):
        again = Follower(metadata, resumed_after)
        rest = [e for e in follower.events if e.position > resumed_after]
        await again.follow([UUID(event.document_id) for event in rest])
        assert again.events == rest


async def test_sequencers_leave_each_other_alone(
    metadata: Metadata, start: int, placing: MysqlEvents
) -> None:
    """Several at once, over commits without order: each event has one position, without gaps."""
    documents = ids(60)

    async def commit_each(some: list[UUID], pause_s: float) -> None:
        for document_id in some:
            async with metadata.engine.connect() as connection:
                await insert(connection, document_id)
                await asyncio.sleep(pause_s)
                await connection.commit()

    follower = Follower(metadata, start)
    writers = [commit_each(documents[part::6], part * 0.002) for part in range(6)]
    others = [asyncio.create_task(_place_forever(placing)) for _ in range(3)]
    try:
        async with asyncio.timeout(30):
            await asyncio.gather(follower.follow(documents), *writers)
    finally:
        for task in others:
            task.cancel()
        ends = await asyncio.gather(*others, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ends)
    assert sorted(follower.seen) == sorted(documents)
    given = [event.position for event in follower.events]
    assert given == list(range(start + 1, start + 61))


async def _place_forever(placing: MysqlEvents) -> None:
    while True:
        await placing.place(7)
        await asyncio.sleep(0.001)


async def test_a_sequencer_that_dies_leaves_nothing_half_done(
    metadata: Metadata, start: int
) -> None:
    """While it holds the position others go on waiting; when it is gone they place everything."""
    documents = ids(3)
    async with metadata.engine.connect() as dying:
        pid = (await dying.exec_driver_sql("SELECT CONNECTION_ID()")).scalar_one()
        await dying.exec_driver_sql("SELECT last FROM event_position WHERE id = 1 FOR UPDATE")
        async with metadata.engine.begin() as connection:
            await insert(connection, *documents)
        await dying.exec_driver_sql("UPDATE event_position SET last = last + 3 WHERE id = 1")
        await dying.exec_driver_sql("UPDATE event SET position = id WHERE position IS NULL")
        assert not (await poll(metadata, start, wait_s=0.5)).events
        await metadata.sql(f"KILL {pid}")
        await dying.invalidate()
    follower = Follower(metadata, start)
    await follower.follow(documents)
    assert [event.position for event in follower.events] == [start + 1, start + 2, start + 3]


async def test_many_wait_for_the_price_of_one(metadata: Metadata, start: int) -> None:
    """Statements do not depend on how many wait."""

    async def cost(followers: int) -> int:
        async with statements(metadata.engine, "SELECT") as asked:
            waiting = [
                asyncio.create_task(poll(metadata, start, wait_s=0.6)) for _ in range(followers)
            ]
            answers = await asyncio.gather(*waiting)
        assert not any(answer.events for answer in answers)
        return sum(" event" in statement for statement in asked)

    one, many = await cost(1), await cost(100)
    assert 0 < many <= one + 4


async def test_events_are_listed_by_what_is_followed(metadata: Metadata, start: int) -> None:
    """A document's, a batch's, a user's; page by page, in a span; nothing of others."""
    answer = await metadata.register(*(new_document(name) for name in ("a.txt", "b.txt")))
    one, two = (document.document_id for document in answer.documents)
    group = await metadata.claimed(max_documents=2)
    assert {each.document_id for each in group.documents} == {one, two}
    await metadata.register(new_document("c.txt"), user_id="bob")
    await metadata.record(group.workflow_id, completed(one), completed(two))

    async def listed(user_id: str = "ann", **asked: object) -> list[metadata_pb2.Event]:
        request = metadata_pb2.ListEventsRequest(**{"after_position": start, **asked})  # type: ignore[arg-type]
        with as_user(user_id):
            return list((await metadata.call("ListEvents", request)).events)

    await until_answer(lambda: _has(listed, 7))
    everything = await listed()
    ended = [event.type for event in await listed(document_id=one)]
    assert ended == ["document.queued", "document.processing", "document.completed"]
    assert everything == await listed(batch_id=answer.batch.batch_id)
    assert everything[-1].type == "batch.finished"
    assert not everything[-1].document_id
    middle = everything[3].position
    assert await listed(until_position=middle) == everything[:4]
    assert await listed(after_position=middle, page_size=2) == everything[4:6]
    for asked in ({"document_id": one}, {"batch_id": answer.batch.batch_id}):
        with pytest.raises(NotFound):
            await listed("bob", **asked)
    with pytest.raises(InvalidInput):
        await listed(page_size=MAX_PAGE + 1)
    with pytest.raises(InvalidInput):
        await listed("")


async def test_whoever_was_away_for_long_is_told_everything(metadata: Metadata, start: int) -> None:
    """Also what a process has never had in memory: it is read by pages."""
    documents = ids(5)
    async with metadata.engine.begin() as connection:
        await insert(connection, *documents)
    await Follower(metadata, start).follow(documents)
    async with served(metadata.settings) as other:
        late = Follower(other, start)
        answer = await poll(other, start, max_events=2)
        assert [UUID(event.document_id) for event in answer.events] == documents[:2]
        await late.follow(documents)
        assert late.seen == documents
        waiting = asyncio.create_task(poll(other, late.position, wait_s=10))
        more = ids(1)
        async with metadata.engine.begin() as connection:
            await insert(connection, *more)
        await until(waiting.done)
        assert [UUID(event.document_id) for event in waiting.result().events] == more


async def _has(listed: object, count: int) -> bool:
    return len(await listed()) >= count  # type: ignore[operator]


# How the database runs what this asks: as in `test_plans.py`


@pytest.fixture(scope="module")
async def filled(service: Metadata) -> Metadata:
    """Many events that have positions, and none that waits."""
    await service.empty()
    await service.sql("UPDATE event_position SET last = :last", last=_ROWS)
    await service.sql(_FILL)
    await service.sql("ANALYZE TABLE event")
    return service


@pytest.fixture
async def connection(filled: Metadata) -> AsyncIterator[AsyncConnection]:
    """A connection over it; nothing is committed."""
    async with filled.engine.connect() as connection:
        yield connection


@pytest.mark.parametrize(
    ("statement", "parameters", "index"),
    [
        (positions.AFTER, _SPAN, "event_position_idx"),
        (positions.OF_USER, {**_SPAN, "user_id": "ann"}, "event_user_position_idx"),
        (
            positions.OF_BATCH,
            {"after": 5_000, "until": _ROWS, "limit": 20, "id": b"\0" * 16},
            "event_batch_position_idx",
        ),
        (positions.UNPLACED, {"limit": 1000}, "event_position_idx"),
    ],
    ids=["all", "user", "batch", "unplaced"],
)
async def test_events_are_read_in_the_order_of_an_index(
    connection: AsyncConnection, statement: TextClause, parameters: dict[str, Any], index: str
) -> None:
    """Without a sort, and no more entries than the page has."""
    assert_plan(await explained(connection, statement, parameters), index, "e")
    assert await rows_read(connection, statement, parameters) <= parameters["limit"] + 1


async def test_a_document_is_found_by_its_own_index(connection: AsyncConnection) -> None:
    """Its few events are sorted; no others are read."""
    ((document_id,),) = await connection.exec_driver_sql("SELECT UNHEX(MD5(7))")
    asked = {**_SPAN, "id": document_id}
    plan = await explained(connection, positions.OF_DOCUMENT, asked)
    assert {row.key for row in plan} == {"event_document_idx"}
    assert await rows_read(connection, positions.OF_DOCUMENT, asked) < 20


async def test_looking_for_events_costs_two_entries(connection: AsyncConnection) -> None:
    """Whether any waits, asked ten times a second: no more is read however many there are."""
    assert_plan(await explained(connection, positions.LOOK, {}), "event_position_idx", "e")
    assert await rows_read(connection, positions.LOOK, {}) <= 3


async def test_positions_are_given_by_primary_key(connection: AsyncConnection) -> None:
    """No other row of the table is touched or locked."""
    ids = list((await connection.exec_driver_sql("SELECT id FROM event LIMIT 50")).scalars())
    parameters = {"last": 1, "ranked": ",".join(map(str, ids)), "ids": ids}
    (row,) = await explained(connection, positions.PLACE, parameters)
    assert (row.key, row.type, int(row.rows)) == ("PRIMARY", "range", 50)
