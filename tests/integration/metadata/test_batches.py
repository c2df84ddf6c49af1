"""Batches finish once, when their last document ends."""

import asyncio

from sheaf.metadata.v1 import document_pb2
from support.metadata import OCR, WORKER_LOST, Metadata, completed, failed, needs_ocr, new_document


async def test_a_batch_finishes_with_its_last_document(metadata: Metadata) -> None:
    """Not before, and at the time of that document."""
    answer = await metadata.register(new_document(), new_document())
    batch_id = answer.batch.batch_id
    group = await metadata.claimed()
    first, second = (document.document_id for document in group.documents)

    await metadata.record(group.workflow_id, completed(first))
    assert not (await metadata.batch(batch_id)).batch.HasField("finished_at")

    await metadata.record(group.workflow_id, failed(second))
    found = await metadata.batch(batch_id)
    assert found.batch.finished_at == found.documents[1].finished_at
    assert {(count.status, count.count) for count in found.batch.counts} == {
        (document_pb2.DOCUMENT_STATUS_COMPLETED, 1),
        (document_pb2.DOCUMENT_STATUS_FAILED, 1),
    }
    assert await metadata.batch_finished_events(batch_id) == 1


async def test_a_scan_keeps_its_batch_open(metadata: Metadata) -> None:
    """A document in the OCR lane has not ended."""
    answer = await metadata.register(new_document())
    document_id = answer.documents[0].document_id
    text = await metadata.claimed()
    await metadata.record(text.workflow_id, needs_ocr(document_id))
    assert await metadata.batch_finished_events(answer.batch.batch_id) == 0

    scan = await metadata.claimed(lane=OCR)
    await metadata.record(scan.workflow_id, completed(document_id))
    assert await metadata.batch_finished_events(answer.batch.batch_id) == 1


async def test_a_quarantined_document_finishes_its_batch(metadata: Metadata) -> None:
    """Also when nothing was recorded, but workers were lost."""
    answer = await metadata.register(new_document())
    for _ in range(4):
        group = await metadata.claimed()
        await metadata.release(group.workflow_id, cause=WORKER_LOST)
    assert await metadata.batch_finished_events(answer.batch.batch_id) == 1


async def test_last_documents_that_end_at_once_finish_the_batch_once(metadata: Metadata) -> None:
    """Forty workflows end one document each of the same two batches, all at the same time."""
    batches = [await metadata.register(*(new_document() for _ in range(20))) for _ in range(2)]
    groups = [await metadata.claimed(max_documents=1) for _ in range(40)]
    await asyncio.gather(*map(metadata.complete, groups))

    for answer in batches:
        batch_id = answer.batch.batch_id
        assert await metadata.batch_finished_events(batch_id) == 1
        assert (await metadata.batch(batch_id)).batch.HasField("finished_at")


async def test_calls_over_many_batches_do_not_deadlock(metadata: Metadata) -> None:
    """Each call ends documents of all batches, in orders that cross."""
    batches = [await metadata.register(*(new_document() for _ in range(10))) for _ in range(10)]
    group = await metadata.claimed()
    ids = [document.document_id for answer in batches for document in answer.documents]
    crossed = sorted(ids, key=lambda document_id: document_id[::-1])
    await asyncio.gather(
        *(
            metadata.record(group.workflow_id, *map(completed, some))
            for some in (crossed[start::10] for start in range(10))
        )
    )

    events = [await metadata.batch_finished_events(answer.batch.batch_id) for answer in batches]
    assert events == [1] * 10
