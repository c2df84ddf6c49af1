"""Attachments: registered by the transaction that records their parent's outcome."""

import asyncio
from uuid import UUID

from sheaf.metadata.v1 import document_pb2
from support.metadata import (
    ALREADY_RECORDED,
    RECORDED,
    SUPERSEDED,
    WORKER_LOST,
    Metadata,
    as_user,
    attachment,
    completed,
    holding,
    new_document,
)

_OPTIONS = document_pb2.DocumentOptions(words=True, ocr=document_pb2.OCR_MODE_NEVER)
_PAGES = [document_pb2.PageRange(first=1, last=2), document_pb2.PageRange(first=5)]


async def children(metadata: Metadata) -> list[tuple[str, int]]:
    """Names and depths of all documents that are inside others."""
    rows = await metadata.sql(
        "SELECT filename, depth FROM document WHERE depth > 0 ORDER BY filename, depth"
    )
    return [(row.filename, row.depth) for row in rows]


async def test_attachments_become_documents_of_the_batch(metadata: Metadata) -> None:
    """Queued, with what they take from their parent but its pages; the batch waits for them."""
    asked = document_pb2.DocumentOptions(pages=_PAGES)
    asked.MergeFrom(_OPTIONS)
    mail = new_document("mail.eml", options=asked, sealed_password=b"sealed")
    answer = await metadata.register(
        mail,
        product="tax",
        priority=document_pb2.PRIORITY_HIGH,
        user_id="ann",
        metadata_json='{"case":7}',
    )
    assert answer.documents[0].options == asked
    batch_id = answer.batch.batch_id
    group = await metadata.claimed()
    waiting = asyncio.create_task(metadata.claim(wait_s=20))
    files = [attachment(mail.document_id, name) for name in ("a.txt", "b.txt")]
    assert await metadata.record(group.workflow_id, holding(mail.document_id, *files)) == [RECORDED]

    woken = await waiting
    assert woken is not None
    assert {each.filename for each in woken.documents} == {"a.txt", "b.txt"}
    assert {each.depth for each in woken.documents} == {1}
    view = await metadata.batch(batch_id)
    assert (view.batch.document_count, view.batch.HasField("finished_at")) == (3, False)
    parent = answer.documents[0]
    with as_user("ann"):
        child = await metadata.document(files[0].document_id)
    assert (child.parent_id, child.batch_id, child.user_id) == (mail.document_id, batch_id, "ann")
    assert (child.product, child.priority) == ("tax", document_pb2.PRIORITY_HIGH)
    assert (child.options, child.uploaded_at) == (_OPTIONS, parent.uploaded_at)
    assert child.metadata_json == '{"case":7}'
    row = await metadata.row(child.document_id)
    assert (row.sealed_password, row.size_bytes) == (None, 1000)
    assert row.queued_at > row.uploaded_at
    assert await metadata.events(child.document_id) == [("queued", None), ("processing", None)]

    await metadata.complete(woken)
    assert (await metadata.batch(batch_id)).batch.HasField("finished_at")
    assert await metadata.batch_finished_events(batch_id) == 1


async def test_a_repeat_and_a_zombie_add_nothing(metadata: Metadata) -> None:
    """Only the outcome that is recorded brings its attachments, though ten report it at once."""
    (mail,) = await metadata.registered(1)
    zombie = await metadata.claimed()
    await metadata.release(zombie.workflow_id, cause=WORKER_LOST)
    outcome = holding(mail, attachment(mail, "a.txt"))
    assert await metadata.record(zombie.workflow_id, outcome) == [SUPERSEDED]
    assert await children(metadata) == []

    group = await metadata.claimed()
    answers = await asyncio.gather(
        *(metadata.record(group.workflow_id, outcome) for _ in range(10))
    )
    assert sorted(answers) == sorted([[RECORDED], *[[ALREADY_RECORDED]] * 9])
    assert await children(metadata) == [("a.txt", 1)]
    assert await metadata.sql("SELECT document_count FROM batch") == [(2,)]


async def test_another_attempt_leaves_its_attachments_as_they_are(metadata: Metadata) -> None:
    """They have the same ids; what is found only now is added."""
    (mail,) = await metadata.registered(1)
    group = await metadata.claimed()
    first = attachment(mail, "a.txt")
    await metadata.record(group.workflow_id, holding(mail, first))
    await metadata.complete(await metadata.claimed())
    before = await metadata.row(first.document_id)

    await metadata.reprocess(mail)
    group = await metadata.claimed()
    more = holding(mail, attachment(mail, "b.txt"), first, attempt=2)
    assert await metadata.record(group.workflow_id, more) == [RECORDED]
    assert await metadata.row(first.document_id) == before
    assert await children(metadata) == [("a.txt", 1), ("b.txt", 1)]
    (batch,) = await metadata.sql("SELECT document_count, finished_at FROM batch")
    assert tuple(batch) == (3, None)
    assert not (await metadata.document(mail)).partial


async def test_mails_within_mails_end(metadata: Metadata) -> None:
    """Ten deep; what the tenth holds is left out, and it is partial for that."""
    (mail,) = await metadata.registered(1)
    for depth in range(11):
        group = await metadata.claimed()
        (inner,) = group.documents
        assert inner.depth == depth
        outcome = holding(inner.document_id, attachment(inner.document_id, f"{depth:02}.eml"))
        await metadata.record(group.workflow_id, outcome)
    assert await metadata.claim() is None
    assert await children(metadata) == [(f"{depth:02}.eml", depth + 1) for depth in range(10)]
    assert (await metadata.document(inner.document_id)).partial
    assert not (await metadata.document(mail)).partial
    ((finished, count),) = await metadata.sql(
        "SELECT finished_at IS NOT NULL, document_count FROM batch"
    )
    assert (finished, count) == (1, 11)


async def test_a_batch_has_5000_documents_at_most(metadata: Metadata) -> None:
    """What has no room is left out, the outcome recorded all the same, as partial."""
    first, second = await metadata.registered(2)
    await metadata.sql("UPDATE batch SET document_count = 4997")
    group = await metadata.claimed()
    outcomes = [
        holding(mail, *(attachment(mail, f"{name}{number}") for number in range(2)))
        for mail, name in ((first, "a"), (second, "b"))
    ]
    assert await metadata.record(group.workflow_id, *outcomes) == [RECORDED] * 2
    assert await children(metadata) == [("a0", 1), ("a1", 1), ("b0", 1)]
    assert [(await metadata.document(each)).partial for each in (first, second)] == [False, True]
    assert await metadata.sql("SELECT document_count FROM batch") == [(5000,)]


async def test_many_attachments_are_recorded_in_parts(metadata: Metadata) -> None:
    """Five mails of a hundred each, in one call, which is several short transactions."""
    mails = await metadata.registered(5)
    group = await metadata.claimed()
    outcomes = [
        holding(mail, *(attachment(mail, f"{number}") for number in range(100))) for mail in mails
    ]
    assert await metadata.record(group.workflow_id, *outcomes) == [RECORDED] * 5
    assert await metadata.sql("SELECT document_count FROM batch") == [(505,)]
    assert await metadata.sql("SELECT COUNT(*) FROM document") == [(505,)]


async def test_recorders_of_mails_do_not_deadlock(metadata: Metadata) -> None:
    """Eight at once, each of several batches, with children before and after others' parents."""
    for _ in range(4):
        await metadata.registered(8)
    groups = [await metadata.claimed(max_documents=4) for _ in range(8)]
    answers = await asyncio.gather(
        *(
            metadata.record(
                group.workflow_id,
                *(
                    holding(each.document_id, attachment(each.document_id, "a"))
                    for each in reversed(group.documents)
                ),
            )
            for group in groups
        )
    )
    assert answers == [[RECORDED] * 4] * 8
    assert {tuple(row) for row in await metadata.sql("SELECT document_count FROM batch")} == {(16,)}


async def test_a_batch_that_has_grown_may_be_registered_again(metadata: Metadata) -> None:
    """It is the same batch: what was inside its documents was not uploaded."""
    mail = new_document("mail.eml")
    answer = await metadata.register(mail)
    group = await metadata.claimed()
    await metadata.record(
        group.workflow_id, holding(mail.document_id, attachment(mail.document_id, "a"))
    )
    again = await metadata.register(mail, batch_id=answer.batch.batch_id)
    assert again.batch.document_count == 2
    assert [each.document_id for each in again.documents] == [mail.document_id]


async def test_an_attachment_of_an_old_mail_is_registered(metadata: Metadata) -> None:
    """Its id has its parent's time, which may be long ago; lists by time find it there."""
    (mail,) = await metadata.registered(1)
    old = str(UUID(int=UUID(mail).int - (86_400_000 << 80)))
    await metadata.sql(
        "UPDATE document SET id = :id, uploaded_at = uploaded_at - INTERVAL 1 DAY",
        id=UUID(old).bytes,
    )
    group = await metadata.claimed()
    inside = attachment(old, "a.txt")
    assert await metadata.record(group.workflow_id, holding(old, inside)) == [RECORDED]
    row = await metadata.row(inside.document_id)
    assert (row.queued_at - row.uploaded_at).total_seconds() > 86_000
    assert await metadata.record(group.workflow_id, completed(old)) == [ALREADY_RECORDED]
