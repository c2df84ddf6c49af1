"""The backlog as it is served, and documents as they are counted."""

from prometheus_client import REGISTRY

from support.metadata import (
    ALREADY_RECORDED,
    RECORDED,
    TERMINAL,
    WORKER_LOST,
    Metadata,
    attachment,
    failed,
    holding,
    quarantined,
)
from support.waiting import until


async def test_the_backlog_is_served_as_it_is(metadata: Metadata) -> None:
    """What waits and how long, what is worked on and by how many; then that nothing is."""

    def served() -> list[float | None]:
        names = "backlog_documents", "workflows_in_flight", "processing_documents"
        return [REGISTRY.get_sample_value(f"sheaf_{name}", {"lane": "text"}) for name in names]

    await metadata.registered(5)
    await metadata.sql("UPDATE document SET queued_at = queued_at - INTERVAL 60 SECOND")
    group = await metadata.claimed(max_documents=2)
    await until(lambda: served() == [3, 1, 2])
    oldest = REGISTRY.get_sample_value("sheaf_backlog_oldest_seconds", {"lane": "text"})
    assert oldest is not None
    assert 60 <= oldest < 90
    await metadata.complete(group)
    await metadata.complete(await metadata.claimed())
    await until(lambda: served() == [0, 0, 0])
    assert REGISTRY.get_sample_value("sheaf_backlog_oldest_seconds", {"lane": "text"}) == 0


async def test_every_way_to_end_is_counted_once(metadata: Metadata) -> None:
    """Outcomes, cancels, and quarantine by lost leases; a repeated outcome is not counted."""

    def counted() -> dict[str, float]:
        ends = {
            status: REGISTRY.get_sample_value(
                "sheaf_documents_finished_total", {"status": status, "document_class": "none"}
            )
            for status in TERMINAL
        }
        registered = REGISTRY.get_sample_value("sheaf_documents_registered_total")
        waited = REGISTRY.get_sample_value("sheaf_document_queue_seconds_count", {"lane": "text"})
        return {
            each: found or 0
            for each, found in (ends | {"registered": registered, "claimed": waited}).items()
        }

    before = counted()
    good, bad, odd, unwanted, lost = await metadata.registered(5)
    await metadata.cancel(unwanted)
    await metadata.cancel(unwanted)
    group = await metadata.claimed()
    outcomes = [holding(good, attachment(good, "inside.txt")), failed(bad), quarantined(odd)]
    assert await metadata.record(group.workflow_id, *outcomes) == [RECORDED] * 3
    assert await metadata.record(group.workflow_id, *outcomes) == [ALREADY_RECORDED] * 3
    await metadata.release(group.workflow_id, lost, cause=WORKER_LOST)
    for _ in range(3):
        group = await metadata.claimed(max_documents=1)
        await metadata.release(group.workflow_id, cause=WORKER_LOST)
    after = counted()
    assert {each: after[each] - before[each] for each in after} == {
        "completed": 1, "failed": 1, "quarantined": 2, "cancelled": 1,
        "registered": 6, "claimed": 4,
    }  # fmt: skip
