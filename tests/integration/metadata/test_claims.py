"""Claims: order, bounds, and documents that are claimed alone."""

import asyncio
import time
from typing import Any

import pytest

from sheaf.metadata.v1 import document_pb2, metadata_pb2
from sheaf_common.errors import InvalidInput
from sheaf_common.ids import new_id
from support.metadata import OCR, Metadata, duration, needs_ocr, new_document


def ids(group: metadata_pb2.ClaimedGroup) -> list[str]:
    """A group's documents."""
    return [document.document_id for document in group.documents]


async def test_a_claim_takes_what_is_queued_in_order(metadata: Metadata) -> None:
    """Documents come as they were registered, with all that a worker needs."""
    answer = await metadata.register(new_document("a.txt"), new_document("b.txt"))
    group = await metadata.claimed()

    first = group.documents[0]
    recorded = answer.documents[0]
    assert ids(group) == [document.document_id for document in answer.documents]
    assert (first.attempt, first.dispatches, first.filename) == (1, 0, "a.txt")
    assert (first.sha256, first.size_bytes) == (recorded.sha256, recorded.size_bytes)
    assert (first.object_key, first.content_type) == (recorded.object_key, "text/plain")


async def test_a_claimed_document_is_in_processing(metadata: Metadata) -> None:
    """Row and event say which workflow holds it, and until when."""
    (document_id,) = await metadata.registered(1)
    group = await metadata.claimed(lease_ttl_s=30)

    row = await metadata.row(document_id)
    assert (row.status, row.workflow_id, row.row_version) == ("processing", group.workflow_id, 2)
    lease_s = (row.lease_expires_at - row.started_at).total_seconds()
    assert lease_s == pytest.approx(30, abs=0.1)
    assert await metadata.events(document_id) == [("queued", None), ("processing", None)]


async def test_nothing_is_claimed_twice(metadata: Metadata) -> None:
    """What is held is not queued."""
    await metadata.registered(3)
    assert len((await metadata.claimed()).documents) == 3
    assert await metadata.claim() is None


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        pytest.param({"max_documents": 2}, 2, id="documents"),
        pytest.param({"max_bytes": 3500}, 3, id="bytes"),
        pytest.param({"max_work_s": 0.0261}, 4, id="work"),
        pytest.param({"max_bytes": 10}, 1, id="the first is taken whatever its size"),
        pytest.param({"max_work_s": 0.0001}, 1, id="the first is taken however long"),
    ],
)
async def test_a_group_is_bounded(
    metadata: Metadata, limits: dict[str, float], expected: int
) -> None:
    """By documents, bytes and estimated work; the rest waits for the next claim."""
    queued = await metadata.registered(6)
    first = await metadata.claimed(**limits)
    second = await metadata.claimed()

    assert ids(first) == queued[:expected]
    assert ids(second) == queued[expected:]


async def test_a_document_that_lost_two_workers_is_claimed_alone(metadata: Metadata) -> None:
    """It ends the group before it, and is the next one by itself."""
    queued = await metadata.registered(5)
    await metadata.sql(
        "UPDATE document SET dispatches = 2 WHERE filename IN ('2.txt')",
    )

    groups = [ids(await metadata.claimed()) for _ in range(3)]
    assert groups == [queued[:2], queued[2:3], queued[3:]]


async def test_urgent_documents_come_first_and_patient_ones_last(metadata: Metadata) -> None:
    """Priority shifts a document's place in line."""
    low = await metadata.registered(1, priority=document_pb2.PRIORITY_LOW)
    normal = await metadata.registered(1)
    high = await metadata.registered(1, priority=document_pb2.PRIORITY_HIGH)
    assert ids(await metadata.claimed()) == high + normal + low


async def test_a_flood_does_not_starve_another_user(metadata: Metadata) -> None:
    """The single file of one user comes before most of an earlier flood of another."""
    big = [new_document(size_bytes=10**9) for _ in range(20)]
    await metadata.register(*big, user_id=f"flood-{new_id()}")
    (single,) = await metadata.registered(1, user_id="modest")

    assert ids(await metadata.claimed()).index(single) == 1


async def test_a_claim_does_not_wait_for_its_time(metadata: Metadata) -> None:
    """`claim_at` orders; on an idle system a document far in the future goes at once."""
    big = [new_document(size_bytes=10**9) for _ in range(3)]
    await metadata.register(*big, user_id=f"flood-{new_id()}", priority=document_pb2.PRIORITY_LOW)
    rows = await metadata.sql("SELECT MIN(claim_at) > UTC_TIMESTAMP(6) FROM document")

    assert rows == [(1,)]
    assert len((await metadata.claimed()).documents) == 3


async def test_lanes_are_apart(metadata: Metadata) -> None:
    """OCR claims see scans only, and have places of their own."""
    await metadata.registered(2)
    group = await metadata.claimed(max_workflows=1)
    first, second = ids(group)
    await metadata.record(group.workflow_id, needs_ocr(first))

    scans = await metadata.claimed(lane=OCR, max_workflows=1)
    assert (ids(scans), scans.lane) == ([first], OCR)
    assert (await metadata.row(second)).status == "processing"


async def test_no_more_workflows_than_places(metadata: Metadata) -> None:
    """The claim after the last place finds nothing until a workflow holds nothing."""
    await metadata.registered(5)
    groups = [await metadata.claimed(max_workflows=3, max_documents=1) for _ in range(3)]
    assert await metadata.claim(max_workflows=3, max_documents=1) is None

    await metadata.complete(groups[1])
    assert await metadata.claim(max_workflows=3, max_documents=1) is not None
    assert await metadata.claim(max_workflows=3, max_documents=1) is None


async def test_a_group_grows_while_another_is_in_flight(metadata: Metadata) -> None:
    """Until its first has waited as long as it may; nothing that comes meanwhile is left out."""
    await metadata.registered(1)
    await metadata.claimed(linger_s=1, max_workflows=2)  # none in flight: at once
    started = time.monotonic()
    await metadata.registered(1)
    claiming = asyncio.create_task(metadata.claimed(linger_s=0.5, max_workflows=2, wait_s=20))
    await metadata.registered(2)

    assert len((await claiming).documents) == 3
    assert time.monotonic() - started > 0.4


async def test_a_full_group_does_not_wait_to_grow(metadata: Metadata) -> None:
    """What has as many as it may is claimed at once; what could grow is, when no other is left."""
    await metadata.registered(4)
    groups = [await metadata.claimed(max_documents=1)]
    groups.append(await metadata.claimed(max_documents=2, linger_s=1))
    assert len(groups[1].documents) == 2
    assert await metadata.claim(max_documents=2, linger_s=1) is None

    started = time.monotonic()
    claiming = asyncio.create_task(metadata.claimed(max_documents=2, linger_s=1, wait_s=20))
    for group in groups:
        await metadata.complete(group)
    assert len((await claiming).documents) == 1
    assert time.monotonic() - started < 0.9


async def test_places_may_become_more_and_fewer(metadata: Metadata) -> None:
    """More are there at the next claim; fewer stop nobody, and count those that still run."""
    await metadata.registered(9)
    groups = [await metadata.claimed(max_workflows=2, max_documents=1) for _ in range(2)]
    assert await metadata.claim(max_workflows=2, max_documents=1) is None
    groups += [await metadata.claimed(max_workflows=4, max_documents=1) for _ in range(2)]
    assert await metadata.claim(max_workflows=4, max_documents=1) is None

    assert await metadata.claim(max_workflows=1, max_documents=1) is None
    for group in groups:
        assert (await metadata.row(ids(group)[0])).status == "processing"
    await metadata.complete(groups[0])
    assert await metadata.claim(max_workflows=1, max_documents=1) is not None
    assert await metadata.claim(max_workflows=1, max_documents=1) is None


async def test_a_place_is_held_by_any_document_left(metadata: Metadata) -> None:
    """A workflow that has recorded all but one document still has its place."""
    await metadata.registered(4)
    group = await metadata.claimed(max_workflows=1, max_documents=3)
    partly = metadata_pb2.ClaimedGroup(workflow_id=group.workflow_id, documents=group.documents[:2])
    await metadata.complete(partly)

    assert await metadata.claim(max_workflows=1) is None


async def test_a_waiting_claim_is_woken_by_a_registration(metadata: Metadata) -> None:
    """A document that is registered while a claim waits is claimed by it."""
    waiting = asyncio.create_task(metadata.claim(wait_s=20))
    await asyncio.sleep(0)
    (document_id,) = await metadata.registered(1)
    group = await waiting

    assert group is not None
    assert ids(group) == [document_id]


async def test_an_empty_claim_ends_with_its_wait(metadata: Metadata) -> None:
    """Without work the answer has no group, after the wait and not before."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    assert await metadata.claim(wait_s=0.3) is None
    assert 0.3 <= loop.time() - started < 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lane", 0),
        ("max_workflows", 0),
        ("max_documents", 501),
        ("max_bytes", 0),
        ("max_work", duration(0)),
        ("linger", duration(1.1)),
        ("lease_ttl", duration(0)),
    ],
)
async def test_a_limit_that_cannot_be_used_is_named(
    metadata: Metadata, field: str, value: object
) -> None:
    """Each bound has a range of its own."""
    limits: dict[str, Any] = {
        "lane": 1,
        "max_workflows": 1,
        "max_documents": 1,
        "max_bytes": 1,
        "max_work": duration(1),
        "lease_ttl": duration(1),
        field: value,
    }
    with pytest.raises(InvalidInput) as refused:
        await metadata.call("ClaimDocuments", metadata_pb2.ClaimDocumentsRequest(**limits))
    assert (refused.value.reason, refused.value.evidence["field"]) == ("FIELD_INVALID", field)
