"""How the database runs lists: along one index, without a sort, and never far."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy.ext.asyncio import AsyncConnection

from sheaf.metadata.v1 import document_pb2, metadata_pb2
from sheaf_metadata.adapters.mysql.listing import edge_statement, list_statement, scan
from sheaf_metadata.adapters.mysql.reading import workflow_statement
from sheaf_metadata.adapters.mysql.rows import aware
from sheaf_metadata.domain.claims import MAX_DOCUMENTS
from sheaf_metadata.domain.documents import Status
from sheaf_metadata.domain.fields import ALL_FIELDS, fields_of
from sheaf_metadata.domain.listing import MAX_EXAMINED, ListFilter, ScanPlan, plan_of
from sheaf_metadata.domain.paging import Position
from support.metadata import Metadata, as_user
from support.metadata_plans import assert_plan, explained, fill, handler_reads, rows_read

_TIES = 20
"""Documents of one upload time, at most: a page by time looks again at those of its cursor."""


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


async def nth_newest(connection: AsyncConnection, plan: ScanPlan, number: int) -> Position:
    """The position of ann's document of that number, from the newest."""
    order = "uploaded_at DESC, id DESC" if plan.by_time else "id DESC"
    found = await connection.exec_driver_sql(
        "SELECT id, uploaded_at FROM document WHERE user_id = 'ann'"  # noqa: S608 - our own words
        f" ORDER BY {order} LIMIT {number}, 1"
    )
    row = found.one()
    return Position(UUID(bytes=row.id), aware(row.uploaded_at) if plan.by_time else None)


_FILTERS = {
    ScanPlan.USER_TIME: ListFilter(user_id="ann"),
    ScanPlan.USER_STATUS: ListFilter(user_id="ann", status=Status.FAILED),
    ScanPlan.BATCH: ListFilter(user_id="ann", batch_id=UUID(int=1)),
    ScanPlan.WORKFLOW: ListFilter(user_id="ann", workflow_id="w"),
    ScanPlan.STATUS_TIME: ListFilter(status=Status.FAILED),
    ScanPlan.PRODUCT_STATUS: ListFilter(product="tax", status=Status.FAILED),
    ScanPlan.ALL: ListFilter(),
}


@pytest.mark.parametrize("plan", ScanPlan)
@pytest.mark.parametrize("page", ["first", "later"])
async def test_a_page_reads_what_it_shows(
    connection: AsyncConnection, plan: ScanPlan, page: str
) -> None:
    """Where the index answers every filter, and from where the page before ended."""
    wanted = _FILTERS[plan]
    assert plan_of(wanted) is plan
    after = None if page == "first" else await nth_newest(connection, plan, 40_000)
    statement, parameters = list_statement(wanted, ALL_FIELDS, after, None, 51)

    assert_plan(await explained(connection, statement, parameters), plan.value)
    assert await rows_read(connection, statement, parameters) <= 51 + _TIES


async def test_what_was_found_in_a_document_is_looked_for_in_its_batch(
    connection: AsyncConnection,
) -> None:
    """The list reads as many rows as that has documents, and finds the document's batch once."""
    found = await connection.exec_driver_sql(
        "SELECT id FROM document WHERE user_id = 'ann' LIMIT 1"
    )
    wanted = ListFilter(user_id="ann", parent_id=UUID(bytes=found.scalar_one()))
    statement, parameters = list_statement(wanted, ALL_FIELDS, None, None, 51)
    assert_plan(await explained(connection, statement, parameters), "batch_idx")
    assert await rows_read(connection, statement, parameters) < 200


_NOW = datetime.now(UTC)
_TIMES: dict[str, Any] = {
    "uploaded_from": _NOW - timedelta(days=31),
    "uploaded_before": _NOW - timedelta(days=30),
}


@pytest.mark.parametrize(
    "wanted", [ListFilter(user_id="ann", **_TIMES), ListFilter(status=Status.COMPLETED, **_TIMES)]
)
async def test_a_list_by_time_begins_and_ends_with_its_times(
    connection: AsyncConnection, wanted: ListFilter
) -> None:
    """They are a range of its index: a day of three months costs a day."""
    statement, parameters = list_statement(wanted, ALL_FIELDS, None, None, 200_000)
    await connection.exec_driver_sql("FLUSH STATUS")
    shown = len((await connection.execute(statement, parameters)).all())
    assert shown > 500
    assert await handler_reads(connection) <= shown + 1

    assert_plan(await explained(connection, statement, parameters), plan_of(wanted).value)
    statement, parameters = list_statement(wanted, ALL_FIELDS, None, None, 51)
    assert await rows_read(connection, statement, parameters) <= 51


@pytest.mark.parametrize(
    "wanted",
    [
        ListFilter(user_id="ann", status=Status.COMPLETED, **_TIMES),
        ListFilter(product="tax", status=Status.COMPLETED, **_TIMES),
        ListFilter(**_TIMES),
    ],
)
async def test_a_list_by_id_looks_at_the_ids_that_its_times_may_have(
    connection: AsyncConnection, wanted: ListFilter
) -> None:
    """An hour and five minutes more than the day itself; those are left out."""
    statement, parameters = list_statement(wanted, ("document_id", "uploaded_at"), None, None, 9999)
    await connection.exec_driver_sql("FLUSH STATUS")
    rows = (await connection.execute(statement, parameters)).all()
    assert await handler_reads(connection) <= len(rows) * 1.1 + 1

    low, high = _TIMES.values()
    assert {low <= aware(row.uploaded_at) < high for row in rows} == {True}
    everything, all_parameters = list_statement(
        ListFilter(wanted.user_id, wanted.status, wanted.product),
        ("document_id", "uploaded_at"), None, None, 200_000,
    )  # fmt: skip
    expected = (await connection.execute(everything, all_parameters)).all()
    assert rows == [row for row in expected if low <= aware(row.uploaded_at) < high]
    assert_plan(await explained(connection, statement, parameters), plan_of(wanted).value)


_SPARSE = {
    "class": ListFilter(user_id="ann", document_class="unheard"),
    "type": ListFilter(user_id="ann", content_type="video/mp4"),
    "family": ListFilter(user_id="ann", content_type="video/*"),
    "product": ListFilter(user_id="ann", product="none"),
    "class of a status": ListFilter(
        user_id="ann", status=Status.COMPLETED, document_class="unheard"
    ),
    "class of a time": ListFilter(
        user_id="ann", document_class="unheard", uploaded_before=_NOW - timedelta(days=7)
    ),
    "class of all in a status": ListFilter(status=Status.COMPLETED, document_class="unheard"),
    "class of a product": ListFilter(
        status=Status.COMPLETED, product="tax", document_class="unheard"
    ),
    "class of all": ListFilter(document_class="unheard"),
}


@pytest.mark.parametrize("name", _SPARSE)
@pytest.mark.parametrize("page", ["first", "later"])
async def test_a_page_never_looks_far(connection: AsyncConnection, name: str, page: str) -> None:
    """Though nothing matches.

    One statement finds where the page ends at the latest, in the index alone; the other looks
    as far as there.
    """
    wanted = _SPARSE[name]
    plan = plan_of(wanted)
    after = None if page == "first" else await nth_newest(connection, plan, 15_000)
    edge, parameters = edge_statement(wanted, after)
    (row,) = await explained(connection, edge, parameters)
    assert_plan([row], plan.value)
    assert plan is ScanPlan.ALL or "Using index" in row.Extra
    found = (await connection.execute(edge, parameters)).one()
    to = Position(UUID(bytes=found.id), aware(found.uploaded_at) if plan.by_time else None)
    listed = list_statement(wanted, ALL_FIELDS, after, to, 51)
    assert_plan(await explained(connection, *listed), plan.value)

    await connection.exec_driver_sql("FLUSH STATUS")
    page_found = await scan(connection, wanted, ALL_FIELDS, after, 51)
    assert (list(page_found.documents), page_found.examined_to) == ([], to)
    assert await handler_reads(connection) <= 2 * (MAX_EXAMINED + _TIES)


@pytest.mark.parametrize("status", [None, Status.COMPLETED])
async def test_a_page_looks_at_every_entry_up_to_its_end(
    connection: AsyncConnection, status: Status | None
) -> None:
    """The last one too: what has one product or the other is all that was looked at."""
    found: set[UUID] = set()
    for product in ("tax", "law"):
        wanted = ListFilter(user_id="ann", status=status, product=product)
        page = await scan(connection, wanted, ("document_id",), None, 9999)
        found |= {document.document_id for document in page.documents}
    assert len(found) == MAX_EXAMINED
    assert page.examined_to is not None
    assert page.examined_to.document_id in found


async def test_a_page_that_fills_early_is_not_looked_for_further(
    connection: AsyncConnection,
) -> None:
    """Of a class that is common the rows read are few; only the index is gone along."""
    wanted = ListFilter(user_id="ann", document_class="invoice")
    await connection.exec_driver_sql("FLUSH STATUS")
    assert len((await scan(connection, wanted, ALL_FIELDS, None, 51)).documents) == 51
    assert await handler_reads(connection) <= MAX_EXAMINED + 300


async def test_a_rare_class_is_found_whole_over_short_pages(
    filled: Metadata, connection: AsyncConnection
) -> None:
    """Every document once, newest first; only the last page has no token."""
    found = await connection.exec_driver_sql(
        "SELECT id FROM document WHERE user_id = 'ann' AND document_class = 'rare'"
        " ORDER BY uploaded_at DESC, id DESC"
    )
    expected = [str(UUID(bytes=each)) for each in found.scalars()]
    request = metadata_pb2.ListDocumentsRequest(document_class="rare", page_size=2)
    request.read_mask.paths.append("document_id")
    pages = await every_page(filled, request)

    assert [each for page in pages for each in page] == expected
    assert expected
    assert [] in pages
    assert len(pages) > 98_000 / MAX_EXAMINED


async def every_page(
    metadata: Metadata, request: metadata_pb2.ListDocumentsRequest
) -> list[list[str]]:
    """The ids of ann's pages."""
    pages = []
    with as_user("ann"):
        while True:
            answer = await metadata.call("ListDocuments", request)
            pages.append([document.document_id for document in answer.documents])
            request.page_token = answer.next_page_token
            if not answer.next_page_token:
                return pages


@pytest.mark.parametrize("status", ["", "COMPLETED"])
@pytest.mark.parametrize("content_type", ["", "image/*", "application/pdf"])
async def test_filters_together_leave_what_all_of_them_allow(
    filled: Metadata, connection: AsyncConnection, status: str, content_type: str
) -> None:
    """By time and by id, as one query that looks at everything finds it."""
    low, high = _NOW - timedelta(days=33), _NOW - timedelta(days=3)
    request = metadata_pb2.ListDocumentsRequest(
        status=document_pb2.DocumentStatus.Value(f"DOCUMENT_STATUS_{status or 'UNSPECIFIED'}"),
        content_type=content_type,
        document_class="letter",
        product="tax",
        uploaded_from=stamp(low),
        uploaded_before=stamp(high),
        page_size=200,
    )
    found = await connection.exec_driver_sql(
        "SELECT id FROM document WHERE user_id = 'ann' AND document_class = 'letter'"  # noqa: S608 - our own words
        " AND product = 'tax' AND uploaded_at >= %s AND uploaded_at < %s AND status LIKE %s"
        " AND content_type LIKE %s ORDER BY "
        + ("id DESC" if status else "uploaded_at DESC, id DESC"),
        (low.replace(tzinfo=None), high.replace(tzinfo=None), status.lower() or "%",
         content_type.replace("*", "%") or "%"),
    )  # fmt: skip
    expected = [str(UUID(bytes=each)) for each in found.scalars()]

    pages = await every_page(filled, request)
    assert [each for page in pages for each in page] == expected
    assert len(expected) > 3


def stamp(moment: datetime) -> Timestamp:
    """A time as a message."""
    message = Timestamp()
    message.FromDatetime(moment)
    return message


async def test_a_workflow_is_read_along_its_index(connection: AsyncConnection) -> None:
    """In order of id, without a sort; its documents are all that is read."""
    await connection.exec_driver_sql(
        "UPDATE document SET workflow_id = 'w' WHERE user_id = 'ann' ORDER BY id LIMIT 500"
    )
    parameters: dict[str, Any] = {"workflow_id": "w", "user_id": "ann", "limit": MAX_DOCUMENTS}
    statement = workflow_statement(fields_of(["filename", "status"]), scoped=True)
    assert statement.text.startswith("SELECT d.status, d.filename FROM document d")
    assert_plan(await explained(connection, statement, parameters), "workflow_id_idx")
    await connection.exec_driver_sql("FLUSH STATUS")
    assert len((await connection.execute(statement, parameters)).all()) == MAX_DOCUMENTS
    assert await handler_reads(connection) <= MAX_DOCUMENTS + 1
