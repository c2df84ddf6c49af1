"""What operators and sweeps ask: backlog, references, old events, metrics."""

import asyncio

import pytest
from prometheus_client import generate_latest

from sheaf.metadata.v1 import document_pb2, metadata_pb2
from sheaf_common.errors import InvalidInput
from sheaf_common.ids import new_id
from support.metadata import OCR, TEXT, Metadata, completed, duration, needs_ocr
from support.waiting import until_answer


async def backlog(
    metadata: Metadata, queued: dict[int, int]
) -> dict[int, metadata_pb2.LaneBacklog]:
    """By lane, once so many are queued: what is answered may be a second old."""
    seen: dict[int, metadata_pb2.LaneBacklog] = {}

    async def as_expected() -> bool:
        answer = await metadata.call("GetBacklog", metadata_pb2.GetBacklogRequest())
        seen.update((lane.lane, lane) for lane in answer.lanes)
        return {lane: item.queued_documents for lane, item in seen.items()} == queued

    await until_answer(as_expected)
    return seen


async def test_the_backlog_is_told_by_lane(metadata: Metadata) -> None:
    """Queued documents, the age of the oldest, and workflows that hold some."""
    await metadata.registered(6)
    first = await metadata.claimed(max_documents=2)
    await metadata.claimed(max_documents=1)
    await metadata.sql(
        "UPDATE document SET queued_at = queued_at - INTERVAL 90 SECOND WHERE filename = '5.txt'"
    )
    await metadata.record(first.workflow_id, needs_ocr(first.documents[0].document_id))

    lanes = await backlog(metadata, {TEXT: 3, OCR: 1})
    text, ocr = lanes[TEXT], lanes[OCR]
    assert (text.workflows_in_flight, ocr.workflows_in_flight) == (2, 0)
    assert 90 <= text.oldest_age.ToTimedelta().total_seconds() < 100
    assert ocr.oldest_age.ToTimedelta().total_seconds() < 5


async def test_an_empty_backlog_has_every_lane(metadata: Metadata) -> None:
    """With zeros."""
    assert set(await backlog(metadata, {TEXT: 0, OCR: 0})) == {TEXT, OCR}


async def test_references_name_the_objects_of_rows(metadata: Metadata) -> None:
    """A document without a row is absent."""
    (document_id,) = await metadata.registered(1)
    group = await metadata.claimed()
    await metadata.record(group.workflow_id, completed(document_id))
    asked = metadata_pb2.ListReferencesRequest(document_ids=[str(new_id()), document_id])
    (found,) = (await metadata.call("ListReferences", asked)).documents

    assert found.document_id == document_id
    assert found.status == document_pb2.DOCUMENT_STATUS_COMPLETED
    assert found.object_key == f"documents/{document_id}/original"
    assert found.result_key == completed(document_id).completed.result_key
    assert found.workflow_id == group.workflow_id


async def prune(metadata: Metadata, *, min_age_s: float, max_events: int) -> int:
    """How many events are deleted."""
    request = metadata_pb2.PruneEventsRequest(min_age=duration(min_age_s), max_events=max_events)
    return int((await metadata.call("PruneEvents", request)).deleted)


async def test_old_events_are_pruned_a_bounded_number_at_a_time(metadata: Metadata) -> None:
    """Oldest first; young ones stay."""
    await metadata.registered(30)
    await metadata.sql("UPDATE event SET created_at = created_at - INTERVAL 1 DAY")
    await metadata.registered(5)

    assert await prune(metadata, min_age_s=3600, max_events=20) == 20
    assert await prune(metadata, min_age_s=3600, max_events=20) == 10
    assert await prune(metadata, min_age_s=3600, max_events=20) == 0
    assert await metadata.sql("SELECT COUNT(*) FROM event") == [(5,)]


async def test_many_events_are_pruned_in_short_transactions(metadata: Metadata) -> None:
    """While documents are registered, and by two at once."""
    for _ in range(4):
        await metadata.registered(1000)
    pruned = await asyncio.gather(
        prune(metadata, min_age_s=0, max_events=10_000),
        prune(metadata, min_age_s=0, max_events=10_000),
        metadata.registered(50),
    )
    left = (await metadata.sql("SELECT COUNT(*) FROM event"))[0][0]
    assert sum(pruned[:2]) + left == 4050


@pytest.mark.parametrize("max_events", [0, 10_001])
async def test_a_bound_out_of_range_is_refused(metadata: Metadata, max_events: int) -> None:
    """1 to 10,000."""
    with pytest.raises(InvalidInput):
        await prune(metadata, min_age_s=0, max_events=max_events)


async def test_metrics_are_there(metadata: Metadata) -> None:
    """Pools, queries, cache, claims: under their names, in the process's registry."""
    (document_id,) = await metadata.registered(1)
    await metadata.document(document_id)
    await metadata.document(document_id)
    await metadata.complete(await metadata.claimed())
    text = generate_latest().decode()

    for sample in (
        'sheaf_pool_size{pool="db"} 150.0',
        'sheaf_pool_used{pool="db"}',
        'sheaf_pool_used_max{pool="db"}',
        'sheaf_pool_waiting{pool="db"} 0.0',
        'sheaf_pool_size{pool="redis"} 200.0',
        'sheaf_database_seconds_count{use_case="register_batch"}',
        'sheaf_database_seconds_count{use_case="claim_documents"}',
        'sheaf_cache_reads_total{kind="document",result="hit"}',
        'sheaf_cache_reads_total{kind="document",result="miss"}',
        'sheaf_claims_total{lane="text",result="group"}',
        'sheaf_claimed_group_documents_count{lane="text"}',
        'sheaf_outcomes_total{disposition="recorded"}',
        "sheaf_metadata_waiters 0.0",
    ):
        assert sample in text
