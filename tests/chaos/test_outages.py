"""Servers go away and come back; uploads go on, and what was accepted is processed."""

import asyncio

import pytest

from sheaf_dev.samples.generator import text_pdf
from support.system import System

pytestmark = pytest.mark.timeout(180)


async def test_uploads_are_accepted_while_temporal_is_stopped(system: System) -> None:
    """Temporal is not on the accept path; the backlog is processed once it returns."""
    await system.stack.stop_process("temporal")
    try:
        ids = [
            document_id
            for seed in range(5)
            for document_id in await system.accepted({f"t{seed}.pdf": text_pdf(900 + seed, 1)})
        ]
        statuses = {(await system.document(document_id))["status"] for document_id in ids}
        assert statuses <= {"queued", "processing"}
    finally:
        await system.stack.start_process("temporal")

    documents = await system.finished(ids, timeout_s=90)
    assert {document["status"] for document in documents} == {"completed"}
    await system.assert_nothing_lost_or_doubled()


async def test_uploads_are_accepted_and_processed_while_redis_is_stopped(system: System) -> None:
    """Redis is a cache and a hint bus: without it everything works, slower."""
    await system.stack.stop_process("valkey")
    try:
        ids = await system.accepted({f"r{n}.pdf": text_pdf(950 + n, 1) for n in range(5)})
        documents = await system.finished(ids)
    finally:
        await system.stack.start_process("valkey")

    assert {document["status"] for document in documents} == {"completed"}
    await system.assert_nothing_lost_or_doubled()


async def test_two_dispatchers_share_the_queue(system: System) -> None:
    """No document is claimed twice, and none is skipped."""
    await system.stack.start_process(
        "dispatcher-2", service="orchestrator", args=["--role", "dispatcher"]
    )
    try:
        batches = [
            {f"d{batch}-{n}.pdf": text_pdf(1000 + batch * 20 + n, 1) for n in range(20)}
            for batch in range(5)
        ]
        accepted = await asyncio.gather(*(system.accepted(batch) for batch in batches))
        ids = [document_id for batch in accepted for document_id in batch]
        documents = await system.finished(ids)
    finally:
        await system.stack.stop_process("dispatcher-2")

    assert {document["status"] for document in documents} == {"completed"}
    for document_id in ids:
        assert await system.events(document_id) == ["queued", "processing", "completed"]
    await system.assert_nothing_lost_or_doubled()


async def test_each_role_runs_alone(system: System) -> None:
    """Four processes, one role each, do what one process with all roles does."""
    roles = ("dispatcher", "workflow", "io", "cpu")
    await system.stack.stop_process("orchestrator")
    try:
        for role in roles:
            await system.stack.start_process(
                f"role-{role}", service="orchestrator", args=["--role", role], wait=False
            )
        for role in roles:
            await system.stack.wait_ready(f"role-{role}")
        ids = await system.accepted({f"p{n}.pdf": text_pdf(1200 + n, 1) for n in range(4)})
        documents = await system.finished(ids)
        assert {document["status"] for document in documents} == {"completed"}
    finally:
        for role in roles:
            await system.stack.stop_process(f"role-{role}")
        await system.stack.start_process("orchestrator")

    await system.assert_nothing_lost_or_doubled()


async def test_a_stopping_orchestrator_finishes_or_releases_its_work(system: System) -> None:
    """SIGTERM in the middle of a backlog: exit 0, and no document pays for it."""
    ids = await system.accepted({f"s{n}.pdf": text_pdf(1300 + n, 3) for n in range(60)})
    await system.stack.stop_process("orchestrator")
    await system.stack.start_process("orchestrator")

    documents = await system.finished(ids)
    assert {document["status"] for document in documents} == {"completed"}
    assert {(await system.row(document_id)).dispatches for document_id in ids[:5]} == {0}
    await system.assert_nothing_lost_or_doubled()
