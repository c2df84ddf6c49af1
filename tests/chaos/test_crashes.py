"""Processes are killed with -9 at every crash point of a document's life; nothing is lost.

Each claim ends with `assert_nothing_lost_or_doubled`, over everything that the system has
taken in so far.
"""

import asyncio
from pathlib import Path

import httpx
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from sheaf_dev.samples.generator import text_pdf
from support.system import System

pytestmark = pytest.mark.timeout(180)


def pdfs(count: int, seed: int) -> dict[str, bytes]:
    """Some documents."""
    return {f"{seed}-{number}.pdf": text_pdf(seed * 100 + number, 1) for number in range(count)}


async def test_killed_between_put_and_register(system: System, tmp_path: Path) -> None:
    """The client was told nothing, so nothing is accepted; the sweep removes the objects."""
    rows_before, keys_before = await system.rows(), await system.keys()
    async with system.failing("gateway", "gateway.put_done", tmp_path):
        with pytest.raises(httpx.TransportError):
            await system.upload(pdfs(3, seed=1))
        assert len(await system.keys()) == len(keys_before) + 3

    assert len(await system.rows()) == len(rows_before)
    await system.assert_nothing_lost_or_doubled()


async def test_killed_between_register_and_answer(system: System, tmp_path: Path) -> None:
    """The client does not know, but the documents are accepted: they are processed."""
    rows_before = await system.rows()
    async with system.failing("gateway", "gateway.registered", tmp_path):
        with pytest.raises(httpx.TransportError):
            await system.upload(pdfs(3, seed=2))

    new = {row.document_id for row in await system.rows()} - {
        row.document_id for row in rows_before
    }
    documents = await system.finished(sorted(new))
    assert [document["status"] for document in documents] == ["completed"] * 3
    await system.assert_nothing_lost_or_doubled()


async def test_metadata_killed_after_the_commit_of_a_registration(
    system: System, tmp_path: Path
) -> None:
    """The outcome is unknown to the gateway: it asks again, and no document is doubled."""
    rows_before = await system.rows()
    async with system.failing("metadata", "metadata.registered", tmp_path) as died:
        uploading = asyncio.create_task(system.upload(pdfs(2, seed=3)))
        await died()
        await system.stack.start_process("metadata")
        answer = await uploading

    assert answer.status_code == 202
    assert len(await system.rows()) == len(rows_before) + 2
    await system.finished([row.document_id for row in await system.rows()])
    await system.assert_nothing_lost_or_doubled()


@pytest.mark.parametrize(
    "failpoint",
    [
        pytest.param("dispatcher.claimed", id="between claim and start"),
        pytest.param("dispatcher.started", id="between start and its answer"),
        pytest.param("cpu.extracting", id="during extraction"),
        pytest.param("cpu.result_put", id="between result put and record"),
        pytest.param("cpu.recorded", id="between record and its answer"),
    ],
)
async def test_orchestrator_killed(system: System, tmp_path: Path, failpoint: str) -> None:
    """Whatever the orchestrator was at, the lease brings its documents to an end."""
    async with system.failing("orchestrator", failpoint, tmp_path):
        ids = await system.processed(pdfs(4, seed=4))

    documents = await system.finished(ids)
    assert [document["status"] for document in documents] == ["completed"] * 4
    await system.assert_nothing_lost_or_doubled()


async def test_a_killed_workers_workflow_goes_to_the_next_one_soon(
    system: System, tmp_path: Path
) -> None:
    """By the history of its engine: not after the 10 s that the SDK would wait for the dead one."""
    async with system.failing("orchestrator", "cpu.extracting", tmp_path) as died:
        ids = await system.accepted(pdfs(1, seed=60))
        await died()
        workflow_id = (await system.row(ids[0])).workflow_id
    await system.finished(ids)

    assert workflow_id is not None
    client = await Client.connect(system.stack.env["TEMPORAL_ADDRESS"])
    events = (await client.get_workflow_handle(workflow_id).fetch_history()).events
    waits_s = [
        event.event_time.ToNanoseconds() / 1e9
        - events[
            event.workflow_task_timed_out_event_attributes.scheduled_event_id - 1
        ].event_time.ToNanoseconds()
        / 1e9
        for event in events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT
    ]
    assert waits_s
    assert max(waits_s) < 4
    await system.assert_nothing_lost_or_doubled()


async def test_metadata_killed_after_the_commit_of_outcomes(system: System, tmp_path: Path) -> None:
    """The worker repeats what it could not know to be recorded; the row knows already."""
    async with system.failing("metadata", "metadata.outcomes_recorded", tmp_path):
        ids = await system.accepted(pdfs(4, seed=40))

    documents = await system.finished(ids)
    assert [document["status"] for document in documents] == ["completed"] * 4
    await system.assert_nothing_lost_or_doubled()


async def test_storage_killed_while_documents_are_processed(system: System) -> None:
    """Fetches and puts are repeated until storage is back."""
    uploading = asyncio.create_task(system.accepted(pdfs(30, seed=50)))
    ids = await uploading
    await system.stack.kill_process("storage")
    await system.stack.start_process("storage")
    await system.healthy()

    documents = await system.finished(ids)
    assert {document["status"] for document in documents} == {"completed"}
    await system.assert_nothing_lost_or_doubled()
