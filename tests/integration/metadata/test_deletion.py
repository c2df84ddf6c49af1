"""Deleting: rows go at once and for good, and objects are looked for twice."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sheaf.metadata.v1 import document_pb2, metadata_pb2
from sheaf_common.errors import NotFound
from sheaf_common.ids import new_id
from sheaf_dev.stack import Stack
from support.metadata import (
    OCR,
    RECORDED,
    SUPERSEDED,
    TEXT,
    Metadata,
    as_user,
    attachment,
    completed,
    holding,
    metadata_settings,
    needs_ocr,
    new_document,
    served,
)


async def _delete(metadata: Metadata, document_id: str, user_id: str = "ann") -> set[str]:
    request = metadata_pb2.DeleteDocumentRequest(document_id=document_id)
    with as_user(user_id):
        return set((await metadata.call("DeleteDocument", request)).document_ids)


async def _delete_batch(metadata: Metadata, batch_id: str, user_id: str = "ann") -> list[str]:
    request = metadata_pb2.DeleteBatchRequest(batch_id=batch_id)
    with as_user(user_id):
        return list((await metadata.call("DeleteBatch", request)).document_ids)


async def _due(metadata: Metadata) -> set[str]:
    request = metadata_pb2.ListDeletionsRequest(max_documents=1000)
    return set((await metadata.call("ListDeletions", request)).document_ids)


async def _confirm(metadata: Metadata, *document_ids: str) -> None:
    await metadata.call(
        "ConfirmDeletions", metadata_pb2.ConfirmDeletionsRequest(document_ids=document_ids)
    )


async def _listed(metadata: Metadata, user_id: str = "ann", **wanted: Any) -> set[str]:
    with as_user(user_id):
        page = await metadata.call("ListDocuments", metadata_pb2.ListDocumentsRequest(**wanted))
    return {document.document_id for document in page.documents}


async def _assert_gone(metadata: Metadata, document_id: str) -> None:
    with as_user("ann"), pytest.raises(NotFound):
        await metadata.document(document_id)
    assert document_id not in await _listed(metadata)


async def test_a_queued_document_is_as_if_it_had_never_been(metadata: Metadata) -> None:
    """It is neither read nor listed nor claimed, deleting it again finds nothing."""
    answer = await metadata.register(new_document(), new_document())
    document_id, other = (each.document_id for each in answer.documents)
    await metadata.document(document_id)
    assert await _delete(metadata, document_id) == {document_id}

    await _assert_gone(metadata, document_id)
    group = await metadata.claimed()
    assert [each.document_id for each in group.documents] == [other]
    batch = await metadata.batch(answer.batch.batch_id)
    assert (batch.batch.document_count, len(batch.documents)) == (1, 1)
    with pytest.raises(NotFound):
        await _delete(metadata, document_id)
    assert await metadata.events(document_id) == [("queued", None), ("deleted", None)]
    ((kind,),) = await metadata.sql("SELECT type FROM event WHERE status = 'deleted'")
    assert kind == "document.deleted"


@pytest.mark.parametrize("lane", [TEXT, OCR], ids=["text", "ocr"])
async def test_running_work_loses_it(metadata: Metadata, lane: document_pb2.Lane.ValueType) -> None:
    """By the next renewal; its outcome and attachments are dropped, its place is free."""
    ids = await metadata.registered(2)
    if lane == OCR:
        scans = await metadata.claimed()
        await metadata.record(scans.workflow_id, *map(needs_ocr, ids))
    group = await metadata.claimed(lane=lane, max_documents=1)
    document_id = group.documents[0].document_id
    reading = asyncio.create_task(metadata.document(document_id, wait_s=20))
    claiming = asyncio.create_task(
        metadata.claimed(lane=lane, max_workflows=1, max_documents=1, wait_s=20)
    )
    await _delete(metadata, document_id)

    with pytest.raises(NotFound):
        await asyncio.wait_for(reading, 5)
    await asyncio.wait_for(claiming, 5)
    assert await metadata.renew(group.workflow_id, document_id) == [document_id]
    child = attachment(document_id, "late.txt")
    assert await metadata.record(group.workflow_id, holding(document_id, child)) == [SUPERSEDED]
    await _assert_gone(metadata, child.document_id)


async def test_what_was_found_inside_goes_with_it(metadata: Metadata) -> None:
    """To any depth, and nothing else of the batch."""
    first, second = await metadata.registered(2)
    group = await metadata.claimed()
    mine, theirs = attachment(first, "a"), attachment(second, "b")
    await metadata.record(group.workflow_id, holding(first, mine), holding(second, theirs))
    inner = await metadata.claimed()
    deep = attachment(mine.document_id, "c")
    await metadata.record(
        inner.workflow_id, holding(mine.document_id, deep), completed(theirs.document_id)
    )
    expected = {first, mine.document_id, deep.document_id}
    assert await _delete(metadata, first) == expected
    assert await _listed(metadata) == {second, theirs.document_id}
    assert await _listed(metadata, parent_id=second) == {theirs.document_id}
    assert await _listed(metadata, parent_id=first) == set()
    assert await _listed(metadata, "bob", parent_id=second) == set()
    assert await _due(metadata) == expected


async def test_attachments_that_come_meanwhile_go_too(metadata: Metadata) -> None:
    """Whoever is first, an outcome or its document's deletion, nothing is left of either."""
    parents = await metadata.registered(12)
    group = await metadata.claimed()
    outcomes = [holding(each, attachment(each, "a"), attachment(each, "b")) for each in parents]
    await asyncio.gather(
        *(_delete(metadata, each) for each in parents),
        *(metadata.record(group.workflow_id, outcome) for outcome in outcomes),
    )
    assert await _listed(metadata) == set()
    assert await metadata.sql("SELECT 1 FROM document") == []


async def test_a_deleted_attachment_does_not_come_back(metadata: Metadata) -> None:
    """Not with its parent's next attempt, as long as its objects are looked for."""
    (parent,) = await metadata.registered(1)
    child = attachment(parent, "a")
    await metadata.record((await metadata.claimed()).workflow_id, holding(parent, child))
    await _delete(metadata, child.document_id)
    await metadata.reprocess(parent)
    again = await metadata.claimed()
    assert await metadata.record(again.workflow_id, holding(parent, child, attempt=2)) == [RECORDED]
    assert await _listed(metadata) == {parent}


async def test_the_last_open_document_ends_its_batch(metadata: Metadata) -> None:
    """Once; a batch that has lost all of its documents is there, empty and finished."""
    answer = await metadata.register(new_document(), new_document())
    batch_id = answer.batch.batch_id
    done, open_ = (each.document_id for each in answer.documents)
    group = await metadata.claimed(max_documents=1)
    assert group.documents[0].document_id == done
    await metadata.complete(group)
    waiting = asyncio.create_task(metadata.batch(batch_id, wait_s=20))
    await _delete(metadata, open_)
    assert (await asyncio.wait_for(waiting, 5)).batch.HasField("finished_at")
    await _delete(metadata, done)

    batch = await metadata.batch(batch_id)
    assert batch.batch.HasField("finished_at")
    assert (batch.batch.document_count, list(batch.documents)) == (0, [])
    assert await metadata.batch_finished_events(batch_id) == 1


async def test_someone_elses_is_not_found(metadata: Metadata) -> None:
    """Neither document nor batch, and nothing is deleted."""
    answer = await metadata.register(new_document())
    document_id, batch_id = answer.documents[0].document_id, answer.batch.batch_id
    for asked, batch, user_id in ((document_id, batch_id, "bob"), (str(new_id()),) * 2 + ("ann",)):
        with pytest.raises(NotFound) as refused:
            await _delete(metadata, asked, user_id)
        assert refused.value.reason == "DOCUMENT_NOT_FOUND"
        with pytest.raises(NotFound) as refused:
            await _delete_batch(metadata, batch, user_id)
        assert refused.value.reason == "BATCH_NOT_FOUND"
    assert await _listed(metadata) == {document_id}
    assert await _due(metadata) == set()


async def test_a_large_batch_goes_in_short_transactions(metadata: Metadata) -> None:
    """A thousand documents, claimed and waiting, while others are claimed."""
    documents = [new_document(f"{number}.txt") for number in range(1000)]
    answer = await metadata.register(*documents)
    held = await metadata.claimed(max_documents=100)
    (other,) = await metadata.registered(1, user_id="bob")
    deleting = asyncio.create_task(_delete_batch(metadata, answer.batch.batch_id))
    longest_s = 0.0
    while not deleting.done():
        started = time.monotonic()
        await metadata.document(other)
        await metadata.claim(max_documents=1, max_workflows=1000)
        longest_s = max(longest_s, time.monotonic() - started)
    deleted = await deleting

    assert sorted(deleted) == sorted(each.document_id for each in documents)
    assert longest_s < 1
    with pytest.raises(NotFound):
        await metadata.batch(answer.batch.batch_id)
    assert await metadata.sql("SELECT 1 FROM document WHERE user_id = 'ann'") == []
    lost = await metadata.renew(held.workflow_id, *(d.document_id for d in held.documents))
    assert len(lost) == 100
    with pytest.raises(NotFound):
        await _delete_batch(metadata, answer.batch.batch_id)


async def test_objects_are_due_at_once_and_once_more(metadata: Metadata) -> None:
    """The second time when no work can go on; then nothing is listed, and later nothing kept."""
    (document_id,) = await metadata.registered(1)
    await _delete(metadata, document_id)
    assert await _due(metadata) == {document_id}
    await _confirm(metadata, document_id)
    await _confirm(metadata, document_id)  # of another who was at it: it is not due
    assert await _due(metadata) == set()
    for expected in ({document_id}, set[str]()):
        await metadata.sql("UPDATE deletion SET due_at = due_at - INTERVAL 2 HOUR")
        assert await _due(metadata) == expected
        await _confirm(metadata, document_id)
    assert await metadata.sql("SELECT 1 FROM deletion") == []


async def test_a_confirmation_is_for_ones_own(metadata: Metadata) -> None:
    """A user confirms nothing of another's."""
    (document_id,) = await metadata.registered(1)
    await _delete(metadata, document_id)
    with as_user("bob"):
        await _confirm(metadata, document_id)
    assert await _due(metadata) == {document_id}


@pytest.mark.parametrize("whole", [False, True], ids=["document", "batch"])
async def test_registering_again_brings_nothing_back(metadata: Metadata, *, whole: bool) -> None:
    """Who lost the answer to a registration is answered; what was deleted since stays so."""
    documents = [new_document(), new_document()]
    first = await metadata.register(*documents)
    batch_id = first.batch.batch_id
    if whole:
        await _delete_batch(metadata, batch_id)
    else:
        await _delete(metadata, documents[0].document_id)
    again = await metadata.register(*documents, batch_id=batch_id)
    assert [each.document_id for each in again.documents] == [
        each.document_id for each in first.documents
    ]
    assert await _listed(metadata) == (set() if whole else {documents[1].document_id})


@pytest.fixture(scope="module")
async def neighbour(database_servers: Stack, database_url: str) -> AsyncIterator[Metadata]:
    """A second process over the same database and cache."""
    async with served(metadata_settings(database_url, database_servers.env["REDIS_URL"])) as other:
        yield other


async def test_no_cache_shows_it_again(metadata: Metadata, neighbour: Metadata) -> None:
    """Neither the process that deleted it nor another, which both had shown it and its batch."""
    answer = await metadata.register(new_document())
    document_id, batch_id = answer.documents[0].document_id, answer.batch.batch_id
    await metadata.complete(await metadata.claimed())
    for each in (metadata, neighbour):
        await each.document(document_id)
        await each.batch(batch_id)
    await _delete(metadata, document_id)
    for each in (neighbour, metadata):  # the latter would read, and fill the cache anew
        await _assert_gone(each, document_id)
        assert list((await each.batch(batch_id)).documents) == []
    await _delete_batch(neighbour, batch_id)
    for each in (metadata, neighbour):
        with pytest.raises(NotFound):
            await each.batch(batch_id)


async def test_concurrent_deletions_delete_once(metadata: Metadata) -> None:
    """One of them is told so; a document, its batch and what is inside may be meant at once."""
    answer = await metadata.register(new_document(), new_document())
    first, second = (each.document_id for each in answer.documents)
    child = attachment(first, "a")
    group = await metadata.claimed()
    await metadata.record(group.workflow_id, holding(first, child), completed(second))
    outcomes = await asyncio.gather(
        *(_delete(metadata, each) for each in (first, child.document_id, second) * 2),
        _delete_batch(metadata, answer.batch.batch_id),
        return_exceptions=True,
    )
    failures = [each for each in outcomes if isinstance(each, BaseException)]
    assert all(isinstance(each, NotFound) for each in failures), failures
    told = [
        each for answer_ in outcomes if not isinstance(answer_, BaseException) for each in answer_
    ]
    assert sorted(told) == sorted([first, child.document_id, second])
