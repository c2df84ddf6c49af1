"""Cancelling, reprocessing and replaying: what owners do with their documents."""

import asyncio
from typing import Any

import pytest

from sheaf.metadata.v1 import document_pb2
from sheaf_common.errors import FailedPrecondition, InvalidInput, NotFound
from sheaf_common.ids import new_id
from support.metadata import (
    ALREADY_RECORDED,
    OCR,
    RECORDED,
    SUPERSEDED,
    WORKER_LOST,
    Metadata,
    as_user,
    completed,
    failed,
    needs_ocr,
    new_document,
    quarantined,
)

_QUEUED = document_pb2.DOCUMENT_STATUS_QUEUED
_CANCELLED = document_pb2.DOCUMENT_STATUS_CANCELLED
_WORDS = document_pb2.DocumentOptions(
    words=True, ocr=document_pb2.OCR_MODE_ALWAYS, ocr_languages=["deu", "eng"]
)
_DEFAULTS = document_pb2.DocumentOptions(ocr=document_pb2.OCR_MODE_AUTO)


async def test_a_queued_document_is_cancelled(metadata: Metadata) -> None:
    """It ends with its batch, is never claimed, and cancelling it again changes nothing."""
    answer = await metadata.register(new_document())
    document_id = answer.documents[0].document_id
    found = await metadata.cancel(document_id)
    assert (found.status, found.error_code) == (_CANCELLED, "CANCELLED")
    assert found.HasField("finished_at")

    assert await metadata.cancel(document_id) == found == await metadata.document(document_id)
    assert await metadata.claim() is None
    assert await metadata.events(document_id) == [("queued", None), ("cancelled", "CANCELLED")]
    assert await metadata.batch_finished_events(answer.batch.batch_id) == 1


async def test_a_cancelled_document_is_lost_to_its_workflow(metadata: Metadata) -> None:
    """The next renewal says so, what it records is dropped, and its place is free."""
    document_id, other = await metadata.registered(2)
    group = await metadata.claimed(max_documents=1, max_workflows=1)
    waiting = asyncio.create_task(metadata.claim(max_workflows=1, wait_s=20))
    await metadata.cancel(document_id)

    assert await metadata.renew(group.workflow_id, document_id) == [document_id]
    assert await metadata.record(group.workflow_id, completed(document_id)) == [SUPERSEDED]
    row = await metadata.row(document_id)
    assert (row.status, row.workflow_id, row.lease_expires_at) == ("cancelled", None, None)
    claimed = await waiting
    assert claimed is not None
    assert [document.document_id for document in claimed.documents] == [other]
    assert (await metadata.terminal_events())[document_id] == 1


async def test_what_has_ended_is_answered_as_it_is(metadata: Metadata) -> None:
    """A cancel that comes too late."""
    (document_id,) = await metadata.registered(1)
    await metadata.complete(await metadata.claimed())
    before = await metadata.row(document_id)
    found = await metadata.cancel(document_id)
    assert found.status == document_pb2.DOCUMENT_STATUS_COMPLETED
    assert await metadata.row(document_id) == before


async def test_cancel_and_outcome_race_to_one_end(metadata: Metadata) -> None:
    """Whoever is first decides; nobody fails, and every document has one terminal event."""
    queued = await metadata.registered(12)
    group = await metadata.claimed()
    outcomes = [completed(document_id) for document_id in queued]
    cancelled, recorded = await asyncio.gather(
        asyncio.gather(*(metadata.cancel(document_id) for document_id in queued)),
        metadata.record(group.workflow_id, *outcomes),
    )
    assert sum(document.status == _CANCELLED for document in cancelled) == recorded.count(
        SUPERSEDED
    )
    assert await metadata.terminal_events() == dict.fromkeys(queued, 1)


@pytest.mark.parametrize("call", ["cancel", "reprocess"])
async def test_someone_elses_document_is_not_found(metadata: Metadata, call: str) -> None:
    """Nor one that is not there; nothing changes."""
    (document_id,) = await metadata.registered(1, user_id="ann")
    before = await metadata.row(document_id)
    for asked, user_id in ((document_id, "bob"), (str(new_id()), "ann")):
        with pytest.raises(NotFound) as refused:
            await getattr(metadata, call)(asked, user_id=user_id)
        assert refused.value.reason == "DOCUMENT_NOT_FOUND"
    assert await metadata.row(document_id) == before


async def test_a_reprocessed_document_is_queued_as_its_next_attempt(metadata: Metadata) -> None:
    """In the text lane and like new, but for its result, which stays until the next completes."""
    (document_id,) = await metadata.registered(1)
    text = await metadata.claimed()
    await metadata.record(text.workflow_id, needs_ocr(document_id))
    await metadata.sql("UPDATE document SET dispatches = 2")
    scan = await metadata.claimed(lane=OCR)
    await metadata.record(scan.workflow_id, completed(document_id, pages=7))
    before = await metadata.row(document_id)

    found = await metadata.reprocess(document_id, options=_WORDS, after_attempt=1)
    assert (found.status, found.attempt, found.options) == (_QUEUED, 2, _WORDS)
    assert (found.result_key, found.page_count) == (before.result_key, 7)
    assert found == await metadata.document(document_id)
    row = await metadata.row(document_id)
    assert (row.lane, row.dispatches, row.workflow_id, row.ocr_requested_by) == (
        "text", 0, None, None,
    )  # fmt: skip
    assert (row.started_at, row.finished_at, row.error_code) == (None, None, None)
    assert row.claim_at >= row.queued_at > before.finished_at
    assert row.uploaded_at == before.uploaded_at
    assert (await metadata.events(document_id))[-1] == ("queued", "REPROCESSED")

    group = await metadata.claimed()
    assert (group.documents[0].attempt, group.documents[0].options) == (2, _WORDS)
    assert await metadata.record(scan.workflow_id, completed(document_id)) == [SUPERSEDED]
    assert await metadata.record(group.workflow_id, completed(document_id, 2)) == [RECORDED]
    again = await metadata.document(document_id)
    assert again.result_key == completed(document_id, 2).completed.result_key


async def test_the_result_of_before_survives_a_failed_attempt(metadata: Metadata) -> None:
    """Its row names it still, so no sweep takes it; options stay if none are given."""
    first = await metadata.register(new_document(options=_WORDS))
    document_id = first.documents[0].document_id
    await metadata.complete(await metadata.claimed())
    assert (await metadata.reprocess(document_id)).options == _WORDS
    group = await metadata.claimed()
    await metadata.record(group.workflow_id, failed(document_id, attempt=2))

    found = await metadata.document(document_id)
    assert (found.status, found.error_code) == (document_pb2.DOCUMENT_STATUS_FAILED, "DAMAGED")
    assert found.result_key == completed(document_id).completed.result_key


async def test_only_what_has_ended_is_reprocessed_and_once(metadata: Metadata) -> None:
    """A repeat that names the attempt it follows is told that it is over."""
    (document_id,) = await metadata.registered(1)
    for status in ("queued", "processing"):
        with pytest.raises(FailedPrecondition) as refused:
            await metadata.reprocess(document_id)
        assert refused.value.reason == "DOCUMENT_NOT_TERMINAL"
        assert (await metadata.row(document_id)).status == status
        if status == "queued":
            group = await metadata.claimed()
    await metadata.complete(group)

    racing: Any = await asyncio.gather(
        *(metadata.reprocess(document_id, after_attempt=1) for _ in range(6)),
        return_exceptions=True,
    )
    reasons = [getattr(each, "reason", "") for each in racing]
    assert sorted(reasons) == ["", *["ATTEMPT_CHANGED"] * 5]
    assert (await metadata.row(document_id)).attempt == 2


async def test_a_finished_batch_is_open_until_the_new_attempt_ends(metadata: Metadata) -> None:
    """From the cache, too; and it finishes again."""
    answer = await metadata.register(new_document("a"), new_document("b"))
    batch_id = answer.batch.batch_id
    await metadata.complete(await metadata.claimed())
    assert (await metadata.batch(batch_id)).batch.HasField("finished_at")

    document_id = answer.documents[0].document_id
    await metadata.reprocess(document_id)
    view = await metadata.batch(batch_id)
    assert not view.batch.HasField("finished_at")
    assert {each.status for each in view.documents} == {
        _QUEUED, document_pb2.DOCUMENT_STATUS_COMPLETED,
    }  # fmt: skip
    waiting = asyncio.create_task(metadata.batch(batch_id, wait_s=20))
    await metadata.complete(await metadata.claimed())
    assert (await waiting).batch.HasField("finished_at")
    assert await metadata.batch_finished_events(batch_id) == 2


async def test_reprocessing_and_the_last_outcome_leave_the_batch_open(metadata: Metadata) -> None:
    """However they meet: it is finished only if nothing of it is queued."""
    for _ in range(5):
        answer = await metadata.register(new_document("a"), new_document("b"))
        first, last = (document.document_id for document in answer.documents)
        group = await metadata.claimed()
        await metadata.record(group.workflow_id, completed(first))
        await asyncio.gather(
            metadata.reprocess(first), metadata.record(group.workflow_id, completed(last))
        )
        rows = await metadata.sql("SELECT finished_at FROM batch WHERE finished_at IS NOT NULL")
        assert rows == []
        await metadata.complete(await metadata.claimed())
        assert (await metadata.batch(answer.batch.batch_id)).batch.HasField("finished_at")
        await metadata.empty()


async def test_the_quarantined_are_replayed_oldest_first(metadata: Metadata) -> None:
    """The caller's own, of a reason and a product, so many at a time."""
    ann = await metadata.registered(4, product="tax")
    (other,) = await metadata.registered(1, product="law")
    (bobs,) = await metadata.registered(1, user_id="bob")
    (fine,) = await metadata.registered(1)
    group = await metadata.claimed()
    crashed = [quarantined(each) for each in (*ann[:3], other, bobs)]
    await metadata.record(
        group.workflow_id, *crashed, quarantined(ann[3], "TIME_LIMIT"), completed(fine)
    )

    first = await metadata.replay(reason="CRASHED", product="tax", max_documents=2)
    assert (list(first.document_ids), first.more) == (sorted(ann)[:2], True)
    rest = await metadata.replay(reason="CRASHED", product="tax", max_documents=2)
    assert (list(rest.document_ids), rest.more) == (ann[2:3], False)
    everything = await metadata.replay()
    assert list(everything.document_ids) == [ann[3], other]
    assert list((await metadata.replay()).document_ids) == []

    attempts = {each.document_id: each.attempt for each in (await metadata.claimed()).documents}
    assert attempts == dict.fromkeys([*ann, other], 2)
    assert (await metadata.row(bobs)).status == "quarantined"


async def test_a_replay_is_of_a_user_and_bounded(metadata: Metadata) -> None:
    """Whose, which and how many are checked."""
    with pytest.raises(InvalidInput) as refused:
        await metadata.replay(user_id="")
    assert refused.value.reason == "USER_MISSING"
    bad: dict[str, Any] = {"max_documents": 501, "reason": "lower", "product": "a b"}
    for field, value in bad.items():
        with pytest.raises(InvalidInput) as refused:
            await metadata.replay(**{field: value})
        assert refused.value.evidence["field"] == field


async def test_options_are_read_with_the_document(metadata: Metadata) -> None:
    """In the answer, in the row's words, by a mask, and by whoever claims it."""
    answer = await metadata.register(new_document(options=_WORDS), new_document())
    document_id, plain = (document.document_id for document in answer.documents)
    assert [document.options for document in answer.documents] == [_WORDS, _DEFAULTS]
    assert (await metadata.row(document_id)).options == "words ocr=always lang=deu,eng"
    assert (await metadata.row(plain)).options is None
    for fields in (["options"], ["options"], []):
        assert (await metadata.document(document_id, fields=fields)).options == _WORDS
    group = await metadata.claimed()
    assert [each.options for each in group.documents] == [_WORDS, _DEFAULTS]


async def test_only_who_holds_a_document_is_given_its_password(metadata: Metadata) -> None:
    """As it was sealed; not another workflow, not while it is queued, not of other documents."""
    locked, plain = new_document(sealed_password=b"\x00sealed\xff"), new_document()
    await metadata.register(locked, plain, new_document(sealed_password=b"other"))
    ids = (locked.document_id, plain.document_id)
    assert await metadata.passwords("w", *ids) == {}
    group = await metadata.claimed(max_documents=2)
    assert [each.has_password for each in group.documents] == [True, False]
    assert await metadata.passwords(group.workflow_id, *ids) == {ids[0]: b"\x00sealed\xff"}
    assert await metadata.passwords(str(new_id()), *ids) == {}
    await metadata.expire(group.workflow_id)
    (expired,) = await metadata.expired()
    assert [each.has_password for each in expired.documents] == [True, False]


@pytest.mark.parametrize("end", ["completed", "failed", "quarantined", "cancelled", "lost"])
async def test_a_password_goes_with_any_end(metadata: Metadata, end: str) -> None:
    """In the row that ends; on the way, through the OCR lane and back to the queue, it stays."""
    document = new_document(sealed_password=b"sealed")
    await metadata.register(document)
    document_id = document.document_id
    text = await metadata.claimed()
    await metadata.record(text.workflow_id, needs_ocr(document_id))
    await metadata.release((await metadata.claimed(lane=OCR)).workflow_id)
    scan = await metadata.claimed(lane=OCR)
    assert await metadata.passwords(scan.workflow_id, document_id) == {document_id: b"sealed"}

    outcomes = {
        "completed": completed(document_id),
        "failed": failed(document_id),
        "quarantined": quarantined(document_id),
    }
    if end in outcomes:
        await metadata.record(scan.workflow_id, outcomes[end])
    elif end == "cancelled":
        await metadata.cancel(document_id)
    else:
        await metadata.sql("UPDATE document SET dispatches = 3")
        await metadata.release(scan.workflow_id, cause=WORKER_LOST)
    assert (await metadata.row(document_id)).sealed_password is None

    await metadata.reprocess(document_id, sealed_password=b"new")
    assert (await metadata.claimed()).documents[0].has_password
    assert (await metadata.row(document_id)).sealed_password == b"new"


async def test_progress_is_shown_and_costs_a_version_only_when_new(metadata: Metadata) -> None:
    """A document's pages grow for who reads it; others' renewals write the lease alone."""
    document_id, other = await metadata.registered(2)
    group = await metadata.claimed(lease_ttl_s=10)
    workflow_id = group.workflow_id
    versions = []
    for progress in ({}, {document_id: (0, 9)}, {document_id: (0, 9)}, {document_id: (5, 9)}):
        assert await metadata.renew(workflow_id, document_id, other, progress=progress) == []
        found = await metadata.document(document_id)
        versions.append((found.row_version, found.pages_done, found.pages_total))
    assert versions == [(2, 0, 0), (3, 0, 9), (3, 0, 9), (4, 5, 9)]
    rows = [await metadata.row(each) for each in (document_id, other)]
    assert all((row.lease_expires_at - row.started_at).seconds > 50 for row in rows)
    assert rows[1].row_version == 2

    stranger = {document_id: (8, 9)}
    assert await metadata.renew(str(new_id()), document_id, progress=stranger) == [document_id]
    assert await metadata.renew(workflow_id, document_id, attempt=2, progress=stranger)
    assert (await metadata.document(document_id)).pages_done == 5
    with pytest.raises(InvalidInput) as refused:
        await metadata.renew(workflow_id, document_id, progress={document_id: (2, 1)})
    assert refused.value.evidence["field"] == "progress"


async def test_progress_begins_anew_and_ends_whole(metadata: Metadata) -> None:
    """Back in the queue there is none; a completed document has all its pages done."""
    (document_id,) = await metadata.registered(1)
    group = await metadata.claimed()
    await metadata.renew(group.workflow_id, document_id, progress={document_id: (3, 4)})
    await metadata.release(group.workflow_id)
    row = await metadata.row(document_id)
    assert (row.pages_done, row.pages_total) == (0, 0)

    group = await metadata.claimed()
    await metadata.renew(group.workflow_id, document_id, progress={document_id: (3, 4)})
    await metadata.record(group.workflow_id, completed(document_id))
    found = await metadata.document(document_id)
    assert (found.pages_done, found.pages_total) == (4, 4)


async def test_the_type_that_a_document_was_read_as_is_recorded(metadata: Metadata) -> None:
    """If it is said; else that of its registration stays."""
    document_id, other = await metadata.registered(2)
    group = await metadata.claimed()
    outcome = completed(document_id)
    outcome.completed.content_type = "message/rfc822"
    await metadata.record(group.workflow_id, outcome, completed(other))
    with as_user("ann"):
        assert (await metadata.document(document_id)).content_type == "message/rfc822"
        assert (await metadata.document(other)).content_type == "text/plain"
    assert await metadata.record(group.workflow_id, outcome) == [ALREADY_RECORDED]
