"""Reading documents, batches and lists: fields, users, order and cursors."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from sheaf.metadata.v1 import document_pb2, metadata_pb2
from sheaf_common.errors import InvalidInput, NotFound
from sheaf_common.ids import new_id
from support.metadata import Metadata, as_user, completed, new_document
from support.sql_log import statements

ReadT = TypeVar("ReadT")


async def test_only_the_fields_asked_for_are_sent(metadata: Metadata) -> None:
    """Of a document from the row, of one from the cache, of a batch and of a list."""
    answer = await metadata.register(new_document("a.txt"))
    document_id, batch_id = answer.documents[0].document_id, answer.batch.batch_id
    expected = document_pb2.Document(filename="a.txt", attempt=1)
    mask = FieldMask(paths=["filename", "attempt"])
    batch = metadata_pb2.GetBatchRequest(batch_id=batch_id, read_mask=mask)
    listed = metadata_pb2.ListDocumentsRequest(read_mask=mask)

    assert await metadata.document(document_id, fields=mask.paths) == expected
    assert await metadata.document(document_id, fields=mask.paths) == expected
    found = await metadata.call("GetBatch", batch)
    assert list(found.documents) == [expected]
    assert found.batch.counts[0].count == 1
    assert list((await metadata.call("ListDocuments", listed)).documents) == [expected]


async def test_only_the_columns_asked_for_are_selected(metadata: Metadata) -> None:
    """Of a batch, of a workflow and of lists: those, and what the reader itself needs.

    The row version is among that: nothing older than what was shown is shown again.
    """
    answer = await metadata.register(new_document("a.txt"))
    group = await metadata.claimed()
    mask = FieldMask(paths=["filename", "attempt"])
    batch = metadata_pb2.GetBatchRequest(batch_id=answer.batch.batch_id, read_mask=mask)
    workflow = metadata_pb2.GetWorkflowRequest(workflow_id=group.workflow_id, read_mask=mask)
    by_time = metadata_pb2.ListDocumentsRequest(read_mask=mask)
    by_id = metadata_pb2.ListDocumentsRequest(
        read_mask=mask, status=document_pb2.DOCUMENT_STATUS_PROCESSING
    )
    async with statements(metadata.engine, "SELECT") as asked:
        with as_user("ann"):
            await metadata.call("GetBatch", batch)
            await metadata.call("GetWorkflow", workflow)
            await metadata.call("ListDocuments", by_time)
            await metadata.call("ListDocuments", by_id)

    selected = [
        statement.removeprefix("SELECT ").split(" FROM ")[0]
        for statement in asked
        if " document d " in statement
    ]
    own = "b.user_id, b.product, b.document_count, b.created_at, b.finished_at, "
    assert selected == [
        f"{own}d.id, d.status, d.filename, d.attempt, d.row_version",
        "d.id, d.status, d.filename, d.attempt, d.row_version",
        "d.id, d.filename, d.attempt, d.uploaded_at, d.row_version",
        "d.id, d.filename, d.attempt, d.row_version",
    ]


@pytest.mark.parametrize("field", ["nonsense", "status.x", "claim_at", "id"])
async def test_an_unknown_field_is_refused(metadata: Metadata, field: str) -> None:
    """Columns that are not in the contract are unknown, too."""
    with pytest.raises(InvalidInput) as refused:
        await metadata.document(str(new_id()), fields=[field])
    assert (refused.value.reason, refused.value.evidence["field"]) == ("FIELD_UNKNOWN", field)


async def test_what_is_not_there_is_not_found(metadata: Metadata) -> None:
    """Unknown ids, with their reasons; malformed ones are another error."""
    with pytest.raises(NotFound) as document:
        await metadata.document(str(new_id()))
    with pytest.raises(NotFound) as batch:
        await metadata.batch(str(new_id()))
    with pytest.raises(NotFound) as waited:
        await metadata.batch(str(new_id()), wait_s=10)
    with pytest.raises(InvalidInput) as malformed:
        await metadata.document("not-an-id")
    assert [error.value.reason for error in (document, batch, waited, malformed)] == [
        "DOCUMENT_NOT_FOUND",
        "BATCH_NOT_FOUND",
        "BATCH_NOT_FOUND",
        "ID_INVALID",
    ]


@pytest.mark.parametrize("wait_s", [0, 5])
async def test_someone_elses_is_not_found(metadata: Metadata, wait_s: float) -> None:
    """From the row and from the cache; an internal caller sees everyone's."""
    answer = await metadata.register(new_document(), user_id="ann")
    document_id, batch_id = answer.documents[0].document_id, answer.batch.batch_id
    with as_user("bob"):
        for _ in range(2):
            with pytest.raises(NotFound):
                await metadata.document(document_id, wait_s=wait_s)
        with pytest.raises(NotFound):
            await asyncio.wait_for(metadata.batch(batch_id, wait_s=wait_s), 2)
        listed = await metadata.call("ListDocuments", metadata_pb2.ListDocumentsRequest())
        assert list(listed.documents) == []
    await metadata.complete(await metadata.claimed())
    with as_user("bob"), pytest.raises(NotFound):
        await metadata.document(document_id, wait_s=wait_s)

    assert (await metadata.document(document_id, wait_s=wait_s)).user_id == "ann"
    assert (await metadata.batch(batch_id, wait_s=wait_s)).batch.user_id == "ann"


async def test_a_batch_is_read_in_one_query(metadata: Metadata) -> None:
    """However many documents it has; they come in ascending id."""
    answer = await metadata.register(*(new_document(f"{number}.txt") for number in range(50)))
    found, count = await counted(metadata, partial(metadata.batch, answer.batch.batch_id))
    assert count == 1
    assert list(found.documents) == sorted(answer.documents, key=lambda d: d.document_id)
    assert found.batch == answer.batch


async def counted(metadata: Metadata, read: Callable[[], Awaitable[ReadT]]) -> tuple[ReadT, int]:
    """What is read, and by how many SELECTs: the least of five, as health checks select too."""
    counts = []
    for _ in range(5):
        before = await selects(metadata)
        found = await read()
        counts.append(await selects(metadata) - before - 1)  # one asks this
    return found, min(counts)


async def selects(metadata: Metadata) -> int:
    """How many SELECT statements the server has run."""
    rows = await metadata.sql(
        "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS"
        " WHERE VARIABLE_NAME = 'COM_SELECT'"
    )
    return int(rows[0][0])


async def pages(metadata: Metadata, *, size: int = 3, **filters: Any) -> list[list[str]]:
    """Every page of a list, as filenames."""
    found: list[list[str]] = []
    token = ""
    while True:
        request = metadata_pb2.ListDocumentsRequest(page_size=size, page_token=token, **filters)
        answer = await metadata.call("ListDocuments", request)
        found.append([document.filename for document in answer.documents])
        token = answer.next_page_token
        if not token:
            return found


async def test_a_list_pages_newest_first(metadata: Metadata) -> None:
    """Every document once, in order, whatever is added meanwhile at the front."""
    for number in range(4):
        await metadata.register(new_document(f"{number}a"), new_document(f"{number}b"))
    await metadata.register(new_document("other"), user_id="bob")

    with as_user("ann"):
        assert await pages(metadata) == [["3b", "3a", "2b"], ["2a", "1b", "1a"], ["0b", "0a"]]


async def test_pages_that_fill_exactly_end_without_an_empty_one(metadata: Metadata) -> None:
    """The last page has no token."""
    await metadata.registered(6)
    with as_user("ann"):
        assert [len(page) for page in await pages(metadata)] == [3, 3]


async def test_lists_are_filtered(metadata: Metadata) -> None:
    """By status, product, batch and workflow, for a user and for an internal caller."""
    tax = await metadata.register(new_document("t1"), new_document("t2"), product="tax")
    group = await metadata.claimed(max_documents=2)
    await metadata.register(new_document("l1"), product="law")
    await metadata.record(group.workflow_id, completed(group.documents[0].document_id))
    done = document_pb2.DOCUMENT_STATUS_COMPLETED
    expected: dict[str, tuple[dict[str, Any], list[str]]] = {
        "status": ({"status": done}, ["t1"]),
        "product": ({"product": "tax"}, ["t2", "t1"]),
        "both": ({"product": "tax", "status": done}, ["t1"]),
        "neither": ({"product": "law", "status": done}, []),
        "batch": ({"batch_id": tax.batch.batch_id}, ["t2", "t1"]),
        "workflow": ({"workflow_id": group.workflow_id}, ["t2", "t1"]),
        "all": ({}, ["l1", "t2", "t1"]),
    }
    wanted = {name: [[each] for each in names] or [[]] for name, (_, names) in expected.items()}
    with as_user("ann"):
        assert {n: await pages(metadata, size=1, **f) for n, (f, _) in expected.items()} == wanted
    assert {n: await pages(metadata, size=1, **f) for n, (f, _) in expected.items()} == wanted
    with as_user("bob"):
        assert {n: await pages(metadata, size=1, **f) for n, (f, _) in expected.items()} == {
            name: [[]] for name in expected
        }


async def test_lists_are_filtered_by_class_type_and_time(metadata: Metadata) -> None:
    """One type or a family; from a time on, and before one."""
    await metadata.register(
        new_document("old"),
        new_document("page", content_type="text/html"),
        new_document("picture", content_type="image/png"),
    )
    await metadata.complete(await metadata.claimed(max_documents=1))
    await metadata.sql("UPDATE document SET document_class = 'letter' WHERE filename = 'old'")
    await metadata.sql(
        "UPDATE document SET uploaded_at = '2026-01-02 03:04:05.678901' WHERE filename = 'old'"
    )
    at, after = Timestamp(seconds=1767323045, nanos=678901000), Timestamp(seconds=1767323046)
    done = document_pb2.DOCUMENT_STATUS_COMPLETED
    expected: dict[str, tuple[dict[str, Any], list[str]]] = {
        "class": ({"document_class": "letter"}, ["old"]),
        "type": ({"content_type": "text/html"}, ["page"]),
        "family": ({"content_type": "text/*"}, ["page", "old"]),
        "no family": ({"content_type": "tex/*"}, []),
        "from": ({"uploaded_from": after}, ["picture", "page"]),
        "from, with it": ({"uploaded_from": at, "document_class": "letter"}, ["old"]),
        "before": ({"uploaded_before": after}, ["old"]),
        "before, without it": ({"uploaded_before": at}, []),
        "never": ({"uploaded_from": after, "uploaded_before": at}, []),
        "class of a status": ({"document_class": "letter", "status": done}, ["old"]),
    }
    with as_user("ann"):
        found = {n: await pages(metadata, size=200, **f) for n, (f, _) in expected.items()}
    assert found == {name: [names] for name, (_, names) in expected.items()}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("product", "é"),
        ("workflow_id", "文"),
        ("document_class", "x" * 65),
        ("content_type", "*/*"),
        ("uploaded_from", Timestamp(seconds=2**62)),
        ("uploaded_before", Timestamp(nanos=-5)),
    ],
)
async def test_a_filter_that_no_document_can_pass_is_refused(
    metadata: Metadata, field: str, value: Any
) -> None:
    """It is named."""
    request = metadata_pb2.ListDocumentsRequest(**{field: value})
    with pytest.raises(InvalidInput) as refused:
        await metadata.call("ListDocuments", request)
    assert (refused.value.reason, refused.value.evidence["field"]) == ("FIELD_INVALID", field)


async def test_any_time_may_be_asked_for(metadata: Metadata) -> None:
    """By time and by id, from the calendar's first day to its last."""
    await metadata.registered(1)
    first, last = Timestamp(), Timestamp()
    first.FromJsonString("0001-01-01T00:00:00Z")
    last.FromJsonString("9999-12-31T23:59:59.999999Z")
    queued = document_pb2.DOCUMENT_STATUS_QUEUED
    with as_user("ann"):
        for status in (document_pb2.DOCUMENT_STATUS_UNSPECIFIED, queued):
            assert await pages(metadata, uploaded_from=first, status=status) == [["0.txt"]]
            assert await pages(metadata, uploaded_before=last, status=status) == [["0.txt"]]
            assert await pages(metadata, uploaded_from=last, status=status) == [[]]
            assert await pages(metadata, uploaded_before=first, status=status) == [[]]


async def test_a_workflow_is_read_in_one_query(metadata: Metadata) -> None:
    """Each user's part of it, in ascending id; nobody else's, and nothing that was not asked."""
    anns = await metadata.registered(3, user_id="ann")
    await metadata.registered(2, user_id="bob")
    group = await metadata.claimed(max_documents=5)
    await metadata.record(group.workflow_id, completed(anns[0]))
    mask = FieldMask(paths=["filename"])
    request = metadata_pb2.GetWorkflowRequest(workflow_id=group.workflow_id, read_mask=mask)
    with as_user("ann"):
        ann, count = await counted(metadata, partial(metadata.call, "GetWorkflow", request))
    assert count == 1

    assert ann.workflow == document_pb2.Workflow(
        workflow_id=group.workflow_id,
        document_count=3,
        counts=[
            document_pb2.StatusCount(status=document_pb2.DOCUMENT_STATUS_PROCESSING, count=2),
            document_pb2.StatusCount(status=document_pb2.DOCUMENT_STATUS_COMPLETED, count=1),
        ],
    )
    assert list(ann.documents) == [
        document_pb2.Document(filename=f"{number}.txt") for number in range(3)
    ]
    with as_user("bob"):
        assert (await metadata.call("GetWorkflow", request)).workflow.document_count == 2
    assert (await metadata.call("GetWorkflow", request)).workflow.document_count == 5
    for user_id, workflow_id in (("eve", group.workflow_id), ("ann", "none"), ("ann", "")):
        request.workflow_id = workflow_id
        with as_user(user_id), pytest.raises(NotFound) as refused:
            await metadata.call("GetWorkflow", request)
        assert refused.value.reason == "WORKFLOW_NOT_FOUND"


@pytest.mark.parametrize("token", ["x", "!!", "AAAA", "é", "k" * 300])
async def test_a_cursor_that_nobody_gave_out_is_refused(metadata: Metadata, token: str) -> None:
    """Never a wrong page, never an internal error."""
    with pytest.raises(InvalidInput) as refused:
        await metadata.call("ListDocuments", metadata_pb2.ListDocumentsRequest(page_token=token))
    assert refused.value.reason == "CURSOR_INVALID"


async def test_a_cursor_belongs_to_its_list(metadata: Metadata) -> None:
    """Another user or another filter cannot use it."""
    await metadata.registered(3)
    with as_user("ann"):
        request = metadata_pb2.ListDocumentsRequest(page_size=1)
        token = (await metadata.call("ListDocuments", request)).next_page_token
        with pytest.raises(InvalidInput):
            await metadata.call(
                "ListDocuments", metadata_pb2.ListDocumentsRequest(page_token=token, product="x")
            )
    with as_user("bob"), pytest.raises(InvalidInput) as refused:
        await metadata.call("ListDocuments", metadata_pb2.ListDocumentsRequest(page_token=token))
    assert refused.value.reason == "CURSOR_INVALID"


async def test_a_page_size_out_of_range_is_refused(metadata: Metadata) -> None:
    """1 to 200."""
    for size in (-1, 201):
        with pytest.raises(InvalidInput) as refused:
            await metadata.call("ListDocuments", metadata_pb2.ListDocumentsRequest(page_size=size))
        assert refused.value.evidence["field"] == "page_size"
