"""Deletions while processes die and work goes on: in the end nothing is left."""

from pathlib import Path
from uuid import UUID

import httpx
import pytest
from chaos.test_recognition import PATIENCE_S, scan
from sqlalchemy import text
from temporalio.client import Client, WorkflowExecutionStatus

from sheaf_dev.samples.generator import text_pdf
from support.system import System
from support.waiting import until_answer

pytestmark = pytest.mark.timeout(180)


async def _erased(system: System, document_id: str) -> bool:
    return not {key for key in await system.keys() if document_id in key}


async def _due_after(system: System, document_id: str, times: int) -> bool:
    """Makes its objects due again, if they were looked for so often."""
    statement = text(
        "UPDATE deletion SET due_at = UTC_TIMESTAMP(6)"
        " WHERE document_id = :id AND confirmed = :times AND due_at > UTC_TIMESTAMP(6)"
    )
    async with system.engine.begin() as connection:
        parameters = {"id": UUID(document_id).bytes, "times": times}
        return (await connection.execute(statement, parameters)).rowcount == 1


async def test_killed_between_the_deletion_and_that_of_the_objects(
    system: System, tmp_path: Path
) -> None:
    """The document is gone; its objects go without anybody asking again, late ones too."""
    (document_id,) = await system.accepted({"a.pdf": text_pdf(800, 1)})
    await system.finished([document_id])
    path = f"/v1/documents/{document_id}"
    async with system.failing("gateway", "gateway.deleted", tmp_path) as died:
        with pytest.raises(httpx.TransportError):
            await system.http.delete(path)
        await died()
    assert (await system.http.get(path)).status_code == 404
    await until_answer(lambda: _erased(system, document_id))
    late = f"documents/{document_id}/1-of-a-zombie/result.json.zst"
    system.s3.put_object(Bucket=system.stack.env["S3_BUCKET"], Key=late, Body=b"late")
    await until_answer(lambda: _due_after(system, document_id, 1))
    await until_answer(lambda: _erased(system, document_id))
    await until_answer(lambda: _due_after(system, document_id, 2))

    async def forgotten() -> bool:
        async with system.engine.connect() as connection:
            statement = text("SELECT 1 FROM deletion WHERE document_id = :id")
            found = await connection.execute(statement, {"id": UUID(document_id).bytes})
            return found.first() is None

    await until_answer(forgotten)
    await system.assert_nothing_lost_or_doubled()


async def test_recognition_that_runs_is_stopped(system: System) -> None:
    """Within seconds its workflow has ended, and nothing of the document is left.

    A cancel reaches it by the same way: its lease is lost.
    """
    (document_id,) = await system.accepted({"scan.tiff": scan(20)})

    async def under_way() -> bool:
        progress = (await system.document(document_id))["progress"]
        return progress is not None and progress["pages_total"] > 0

    await until_answer(under_way, timeout_s=PATIENCE_S)
    workflow_id = (await system.row(document_id)).workflow_id
    assert workflow_id is not None
    assert (await system.http.delete(f"/v1/documents/{document_id}")).status_code == 204

    client = await Client.connect(system.stack.env["TEMPORAL_ADDRESS"])
    workflow = client.get_workflow_handle(workflow_id)

    async def ended() -> bool:
        return (await workflow.describe()).status is WorkflowExecutionStatus.COMPLETED

    await until_answer(ended, timeout_s=8)
    await until_answer(lambda: _erased(system, document_id))
    await system.assert_nothing_lost_or_doubled()
