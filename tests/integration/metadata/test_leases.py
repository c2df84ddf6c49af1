"""Leases and releases: what a workflow holds, loses and gives back."""

import asyncio

import pytest

from sheaf_common.ids import new_id
from support.metadata import NOT_STARTED, RECORDED, WORKER_LOST, Metadata, completed


async def test_a_renewal_extends_what_the_workflow_holds(metadata: Metadata) -> None:
    """Those it names; nothing is lost, and no reader sees a new version."""
    first, second = await metadata.registered(2)
    group = await metadata.claimed(lease_ttl_s=10)
    before = await metadata.row(first)
    assert await metadata.renew(group.workflow_id, first, lease_ttl_s=300) == []

    after = await metadata.row(first)
    assert (after.lease_expires_at - before.lease_expires_at).total_seconds() > 280
    assert after.row_version == before.row_version
    assert (await metadata.row(second)).lease_expires_at == before.lease_expires_at


async def test_a_renewal_names_what_was_lost(metadata: Metadata) -> None:
    """Recorded, released, cancelled, of another attempt, unknown: all are to be stopped."""
    recorded, released, cancelled, kept = await metadata.registered(4)
    group = await metadata.claimed()
    await metadata.record(group.workflow_id, completed(recorded))
    await metadata.release(group.workflow_id, released)
    await metadata.sql(
        "UPDATE document SET status = 'cancelled', workflow_id = NULL WHERE filename = '2.txt'"
    )
    unknown = str(new_id())

    asked = (recorded, released, cancelled, kept, unknown)
    assert await metadata.renew(group.workflow_id, *asked) == [
        recorded,
        released,
        cancelled,
        unknown,
    ]
    assert await metadata.renew(group.workflow_id, kept, attempt=2) == [kept]
    assert await metadata.renew(str(new_id()), kept) == [kept]


async def test_an_expired_lease_is_listed_with_the_whole_group(metadata: Metadata) -> None:
    """All that is not recorded, in claim order, even if only one document's lease is over."""
    queued = await metadata.registered(4)
    group = await metadata.claimed()
    await metadata.record(group.workflow_id, completed(queued[1]))
    assert await metadata.expired() == []

    await metadata.expire(group.workflow_id)
    await metadata.renew(group.workflow_id, queued[3])
    (expired,) = await metadata.expired()
    assert (expired.workflow_id, expired.lane) == (group.workflow_id, group.lane)
    assert list(expired.documents) == [group.documents[number] for number in (0, 2, 3)]


async def test_a_renewed_lease_is_not_expired(metadata: Metadata) -> None:
    """Renewing by who finds the workflow running takes it off the list."""
    (document_id,) = await metadata.registered(1)
    group = await metadata.claimed()
    await metadata.expire(group.workflow_id)
    await metadata.renew(group.workflow_id, document_id)
    assert await metadata.expired() == []


async def test_expired_leases_come_by_workflow(metadata: Metadata) -> None:
    """Each group by itself."""
    await metadata.registered(6)
    groups = [await metadata.claimed(max_documents=2) for _ in range(3)]
    for group in groups[:2]:
        await metadata.expire(group.workflow_id)
    assert sorted(await metadata.expired(), key=lambda group: group.workflow_id) == sorted(
        groups[:2], key=lambda group: group.workflow_id
    )


async def test_what_was_not_started_goes_back_uncounted(metadata: Metadata) -> None:
    """To the same place in line; the next claim gives it to a new workflow."""
    (document_id,) = await metadata.registered(1)
    before = await metadata.row(document_id)
    group = await metadata.claimed()
    answer = await metadata.release(group.workflow_id, document_id, cause=NOT_STARTED)

    assert list(answer.requeued_document_ids) == [document_id]
    row = await metadata.row(document_id)
    assert (row.status, row.workflow_id, row.dispatches) == ("queued", None, 0)
    assert (row.claim_at, row.queued_at) == (before.claim_at, before.queued_at)
    assert row.lease_expires_at is None
    assert (await metadata.claimed()).workflow_id != group.workflow_id
    assert await metadata.events(document_id) == [
        ("queued", None),
        ("processing", None),
        ("queued", "NOT_STARTED"),
        ("processing", None),
    ]


async def test_the_fourth_lost_worker_quarantines(metadata: Metadata) -> None:
    """Three losses are counted and forgiven; the fourth ends the document with its reason."""
    (document_id,) = await metadata.registered(1)
    for losses in range(1, 4):
        group = await metadata.claimed()
        assert group.documents[0].dispatches == losses - 1
        answer = await metadata.release(group.workflow_id, cause=WORKER_LOST)
        assert list(answer.requeued_document_ids) == [document_id]
    group = await metadata.claimed()
    answer = await metadata.release(group.workflow_id, cause=WORKER_LOST)

    assert list(answer.quarantined_document_ids) == [document_id]
    row = await metadata.row(document_id)
    assert (row.status, row.error_code, row.dispatches) == ("quarantined", "WORKER_LOST", 4)
    assert row.finished_at is not None
    assert (await metadata.terminal_events())[document_id] == 1
    assert await metadata.claim() is None


async def test_an_empty_release_gives_back_all_that_is_held(metadata: Metadata) -> None:
    """And nothing that is recorded or another workflow's."""
    queued = await metadata.registered(5)
    group = await metadata.claimed(max_documents=3)
    other = await metadata.claimed()
    await metadata.record(group.workflow_id, completed(queued[0]))
    answer = await metadata.release(group.workflow_id)

    assert list(answer.requeued_document_ids) == queued[1:3]
    assert [(await metadata.row(each)).status for each in queued[3:]] == ["processing"] * 2
    assert await metadata.renew(other.workflow_id, *queued[3:]) == []


async def test_a_repeated_release_does_nothing(metadata: Metadata) -> None:
    """Documents that the workflow does not hold stay as they are."""
    queued = await metadata.registered(2)
    group = await metadata.claimed()
    await metadata.release(group.workflow_id, *queued, cause=WORKER_LOST)
    again = await metadata.release(group.workflow_id, *queued, cause=WORKER_LOST)

    assert (list(again.requeued_document_ids), list(again.quarantined_document_ids)) == ([], [])
    assert (await metadata.row(queued[0])).dispatches == 1


async def test_record_and_release_race_to_one_end(metadata: Metadata) -> None:
    """Whoever is first decides; the other finds nothing."""
    queued = await metadata.registered(30)
    group = await metadata.claimed()
    recorded, released = await asyncio.gather(
        metadata.record(group.workflow_id, *map(completed, queued)),
        metadata.release(group.workflow_id, cause=WORKER_LOST),
    )
    assert recorded.count(RECORDED) + len(released.requeued_document_ids) == 30


async def test_a_waiting_claim_is_woken_by_a_freed_place(metadata: Metadata) -> None:
    """The next group starts as soon as the one before has been recorded."""
    await metadata.registered(2)
    group = await metadata.claimed(max_workflows=1, max_documents=1)
    loop = asyncio.get_running_loop()
    waiting = asyncio.create_task(metadata.claim(max_workflows=1, max_documents=1, wait_s=20))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.3)
    await metadata.complete(group)
    recorded_at = loop.time()

    assert await waiting is not None
    assert loop.time() - recorded_at < 0.1
