"""Recording outcomes: once each, by who owns the document."""

import asyncio

import pytest

from sheaf.metadata.v1 import document_pb2, metadata_pb2
from sheaf_common.errors import InvalidInput, NotFound
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
)


async def test_a_completed_document_shows_its_result(metadata: Metadata) -> None:
    """Everything that the worker said is in the row and in the answer."""
    (document_id,) = await metadata.registered(1)
    group = await metadata.claimed()
    outcome = completed(document_id, pages=3)
    outcome.completed.partial = True
    outcome.completed.document_class = "invoice"

    assert await metadata.record(group.workflow_id, outcome) == [RECORDED]
    found = await metadata.document(document_id)
    assert found.status == document_pb2.DOCUMENT_STATUS_COMPLETED
    assert (found.page_count, found.character_count, found.partial) == (3, 42, True)
    assert (found.document_class, found.pipeline_version) == ("invoice", "1")
    assert found.result_key == outcome.completed.result_key
    assert found.workflow_id == group.workflow_id
    assert found.finished_at.ToDatetime() >= found.started_at.ToDatetime()
    row = await metadata.row(document_id)
    assert (row.lease_expires_at, row.row_version) == (None, 3)
    assert await metadata.events(document_id) == [
        ("queued", None),
        ("processing", None),
        ("completed", None),
    ]


async def test_cache_and_row_agree(metadata: Metadata) -> None:
    """What a record puts into the cache is what a read of the row gives."""
    documents = [new_document(f"{number}.txt") for number in range(4)]
    await metadata.register(*documents)
    group = await metadata.claimed()
    first, second, third, fourth = (document.document_id for document in group.documents)
    quarantined = metadata_pb2.Outcome(
        document_id=third,
        attempt=1,
        quarantined=metadata_pb2.Quarantined(reason="TIME_LIMIT", message="Too long."),
    )
    await metadata.record(
        group.workflow_id, completed(first), failed(second), quarantined, needs_ocr(fourth)
    )

    for document_id in (first, second, third, fourth):
        cached = await metadata.document(document_id)
        every_field = [field.name for field in cached.DESCRIPTOR.fields]
        listed = metadata_pb2.ListDocumentsRequest()
        listed.read_mask.paths.extend(every_field)
        answer = await metadata.call("ListDocuments", listed)
        assert cached in answer.documents


async def test_the_same_again_is_already_recorded(metadata: Metadata) -> None:
    """A lost reply does no harm: nothing is written and no event added."""
    (document_id,) = await metadata.registered(1)
    group = await metadata.claimed()
    await metadata.record(group.workflow_id, completed(document_id))
    before = await metadata.row(document_id)

    assert await metadata.record(group.workflow_id, failed(document_id)) == [ALREADY_RECORDED]
    assert await metadata.row(document_id) == before
    assert (await metadata.terminal_events())[document_id] == 1


async def test_one_document_twice_in_a_call_is_recorded_once(metadata: Metadata) -> None:
    """The first wins."""
    (document_id,) = await metadata.registered(1)
    group = await metadata.claimed()
    dispositions = await metadata.record(
        group.workflow_id, completed(document_id), failed(document_id)
    )
    assert dispositions == [RECORDED, ALREADY_RECORDED]
    assert (await metadata.row(document_id)).status == "completed"


async def test_a_zombie_is_superseded(metadata: Metadata) -> None:
    """A worker whose document went to another workflow changes nothing."""
    (document_id,) = await metadata.registered(1)
    zombie = await metadata.claimed()
    await metadata.release(zombie.workflow_id, cause=WORKER_LOST)
    assert await metadata.record(zombie.workflow_id, completed(document_id)) == [SUPERSEDED]

    owner = await metadata.claimed()
    assert await metadata.record(zombie.workflow_id, failed(document_id)) == [SUPERSEDED]
    assert await metadata.record(owner.workflow_id, completed(document_id)) == [RECORDED]
    assert await metadata.record(zombie.workflow_id, failed(document_id)) == [SUPERSEDED]
    assert (await metadata.row(document_id)).status == "completed"
    assert (await metadata.terminal_events())[document_id] == 1


@pytest.mark.parametrize("attempt", [0, 2])
async def test_another_attempt_is_superseded(metadata: Metadata, attempt: int) -> None:
    """The attempt must be the row's."""
    (document_id,) = await metadata.registered(1)
    group = await metadata.claimed()
    outcome = completed(document_id, attempt)
    assert await metadata.record(group.workflow_id, outcome) == [SUPERSEDED]
    assert (await metadata.row(document_id)).status == "processing"


async def test_unknown_documents_are_superseded(metadata: Metadata) -> None:
    """They do not disturb the others of the call."""
    (document_id,) = await metadata.registered(1)
    group = await metadata.claimed()
    dispositions = await metadata.record(
        group.workflow_id, completed(str(new_id())), completed(document_id)
    )
    assert dispositions == [SUPERSEDED, RECORDED]


async def test_what_is_queued_again_is_superseded(metadata: Metadata) -> None:
    """A document that its workflow gave back is not its any longer."""
    (document_id,) = await metadata.registered(1)
    group = await metadata.claimed()
    await metadata.release(group.workflow_id)
    assert await metadata.record(group.workflow_id, completed(document_id)) == [SUPERSEDED]


async def test_a_scan_goes_on_to_the_ocr_lane(metadata: Metadata) -> None:
    """It is queued again there, owned by nobody, and not finished."""
    (document_id,) = await metadata.registered(1)
    group = await metadata.claimed()
    assert await metadata.record(group.workflow_id, needs_ocr(document_id)) == [RECORDED]

    row = await metadata.row(document_id)
    assert (row.status, row.lane, row.workflow_id, row.finished_at) == ("queued", "ocr", None, None)
    assert row.queued_at > row.uploaded_at
    assert (await metadata.events(document_id))[-1] == ("queued", "NEEDS_OCR")
    assert await metadata.claim() is None


async def test_asking_for_ocr_again_is_already_recorded(metadata: Metadata) -> None:
    """Before the scan is claimed, while it is read, and after."""
    (document_id,) = await metadata.registered(1)
    text = await metadata.claimed()
    await metadata.record(text.workflow_id, needs_ocr(document_id))
    repeats = [await metadata.record(text.workflow_id, needs_ocr(document_id))]
    scan = await metadata.claimed(lane=OCR)
    repeats.append(await metadata.record(text.workflow_id, needs_ocr(document_id)))
    assert await metadata.record(scan.workflow_id, completed(document_id)) == [RECORDED]
    repeats.append(await metadata.record(text.workflow_id, needs_ocr(document_id)))

    assert repeats == [[ALREADY_RECORDED]] * 3
    assert (await metadata.row(document_id)).status == "completed"


async def test_a_scan_that_needs_ocr_after_ocr_fails(metadata: Metadata) -> None:
    """It would go round for ever."""
    (document_id,) = await metadata.registered(1)
    text = await metadata.claimed()
    await metadata.record(text.workflow_id, needs_ocr(document_id))
    scan = await metadata.claimed(lane=OCR)
    assert await metadata.record(scan.workflow_id, needs_ocr(document_id)) == [RECORDED]

    row = await metadata.row(document_id)
    assert (row.status, row.error_code) == ("failed", "OCR_EXHAUSTED")


async def test_racing_recorders_leave_one_terminal_event(metadata: Metadata) -> None:
    """Ten calls with the same outcomes in different orders: one records, nobody fails."""
    queued = await metadata.registered(40)
    group = await metadata.claimed()
    orders = [queued if number % 2 else queued[::-1] for number in range(10)]
    answers = await asyncio.gather(
        *(metadata.record(group.workflow_id, *map(completed, order)) for order in orders)
    )

    recorded = [sum(d == RECORDED for d in answer) for answer in answers]
    assert sum(recorded) == 40
    assert {d for answer in answers for d in answer} == {RECORDED, ALREADY_RECORDED}
    assert set((await metadata.terminal_events()).values()) == {1}


async def test_a_long_message_is_cut(metadata: Metadata) -> None:
    """A worker's text never fails the record."""
    (document_id,) = await metadata.registered(1)
    group = await metadata.claimed()
    outcome = failed(document_id)
    outcome.failed.message = "文" * 5000
    assert await metadata.record(group.workflow_id, outcome) == [RECORDED]
    assert (await metadata.document(document_id)).error_message == "文" * 1024


async def test_an_outcome_without_content_is_refused(metadata: Metadata) -> None:
    """The contract needs one of the four."""
    outcome = metadata_pb2.Outcome(document_id=str(new_id()), attempt=1)
    with pytest.raises(InvalidInput) as refused:
        await metadata.record("w", outcome)
    assert refused.value.evidence["field"] == "outcomes[0].outcome"


async def test_each_user_sees_its_own(metadata: Metadata) -> None:
    """An ended document comes from the cache, and is checked there too."""
    (document_id,) = await metadata.registered(1, user_id="ann")
    await metadata.complete(await metadata.claimed())
    with as_user("ann"):
        assert (await metadata.document(document_id)).user_id == "ann"
    with as_user("bob"), pytest.raises(NotFound) as refused:
        await metadata.document(document_id)
    assert refused.value.reason == "DOCUMENT_NOT_FOUND"
