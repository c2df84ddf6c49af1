"""A document's whole way, through HTTP, on the real system."""

import asyncio
import json
import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import text as sql
from temporalio.client import Client
from unit.orchestrator.extraction import lockedfiles, officefiles

from sheaf_dev.samples import Sample, demo_samples
from sheaf_dev.samples.generator import text_pdf
from sheaf_orchestrator.extraction import types
from support.system import System

SAMPLES = demo_samples()


@pytest.fixture(scope="module")
async def ended(system: System) -> dict[str, dict[str, Any]]:
    """Every sample, sent in one batch, once it has ended; by file name."""
    ids = await system.accepted({sample.filename: sample.content for sample in SAMPLES})
    documents = await system.finished(ids, timeout_s=100)  # some are read by recognition
    return {document["filename"]: document for document in documents}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.filename)
async def test_every_sample_ends_as_its_content_explains(
    system: System, ended: dict[str, dict[str, Any]], sample: Sample
) -> None:
    """Status, reason and pages are as expected, and the text holds its phrases."""
    document = ended[sample.filename]

    assert (document["status"], document["reason"]) == (
        sample.expected_status,
        sample.expected_reason,
    )
    if sample.expected_status == "completed":
        text = (await system.http.get(f"/v1/documents/{document['id']}/text")).text
        assert document["pages"] == sample.expected_pages
        assert sample.missing_phrases(text) == ()
        assert document["characters"] > 0


async def test_a_result_names_its_document_and_holds_its_pages(
    system: System, ended: dict[str, dict[str, Any]]
) -> None:
    """The result is one versioned object with a page for each page."""
    document = next(found for found in ended.values() if found["pages"] == 10)
    result = (await system.http.get(f"/v1/documents/{document['id']}/result")).json()

    assert result["document_id"] == document["id"]
    assert [page["number"] for page in result["pages"]] == list(range(1, 11))
    assert sum(page["characters"] for page in result["pages"]) == document["characters"]


async def test_a_workflow_begins_with_the_answer_to_its_start(
    system: System, ended: dict[str, dict[str, Any]]
) -> None:
    """By its engine's history: the first task was neither queued nor polled for."""
    document = next(found for found in ended.values() if found["pages"] == 10)
    client = await Client.connect(system.stack.env["TEMPORAL_ADDRESS"])
    history = await client.get_workflow_handle(document["workflow_id"]).fetch_history()

    started = history.events[0].workflow_execution_started_event_attributes
    assert started.eager_execution_accepted


async def test_only_wanted_pages_are_read_and_metadata_stays(system: System) -> None:
    """Of a text and of a scan; all of them again when that is asked for."""
    scan = next(sample for sample in SAMPLES if sample.filename.endswith(".tiff"))
    answer = await system.http.post(
        "/v1/documents",
        files=[("files", ("five.pdf", text_pdf(50, 5))), ("files", ("s.tiff", scan.content))],
        data={"pages": "2-", "metadata": '{"case": 7}'},
    )
    ids = [document["id"] for document in answer.json()["documents"]]
    text, picture = await system.finished(ids, timeout_s=100)
    results = [await _result(system, each) for each in ids]

    assert [page["number"] for page in results[0]["pages"]] == [2, 3, 4, 5]
    assert (text["pages"], text["partial"], results[0]["pages_wanted"]) == (5, False, "2-")
    assert [page["number"] for page in results[1]["pages"]] == list(range(2, picture["pages"] + 1))
    assert {page["ocr"] for page in results[1]["pages"]} == {True}
    assert [each["metadata"] for each in (text, picture)] == [{"case": 7}] * 2

    await system.http.post(f"/v1/documents/{ids[0]}/reprocess", json={"pages": ""})
    (again,) = await system.finished(ids[:1])
    assert (again["options"]["pages"], again["metadata"]) == (None, {"case": 7})
    assert [page["number"] for page in (await _result(system, ids[0]))["pages"]] == [1, 2, 3, 4, 5]


async def test_a_password_opens_an_office_file_and_is_forgotten(system: System) -> None:
    """It completes as what is inside, and its row keeps no password; a wrong one is ENCRYPTED."""
    locked = lockedfiles.agile_2010(officefiles.docx(officefiles.paragraph("Dear Sir")), "secret")
    (opened,) = await system.accepted({"a.docx": locked}, password="secret")
    (shut,) = await system.accepted({"b.docx": locked}, password="wrong")
    first, second = await system.finished([opened, shut])
    result = await _result(system, opened)

    assert (first["status"], result["content_type"]) == ("completed", types.DOCX)
    assert ("Dear Sir" in result["markdown"], result["metadata"]["encrypted"]) == (True, True)
    assert (second["status"], second["reason"]) == ("failed", "ENCRYPTED")
    async with system.engine.connect() as connection:
        kept = await connection.execute(
            sql(
                "SELECT COUNT(*) FROM document WHERE sealed_password IS NOT NULL AND id IN (:a, :b)"
            ),
            {"a": uuid.UUID(opened).bytes, "b": uuid.UUID(shut).bytes},
        )
        assert kept.scalar_one() == 0


async def _result(system: System, document_id: str) -> Any:
    return (await system.http.get(f"/v1/documents/{document_id}/result")).json()


async def test_the_original_comes_back_byte_by_byte(system: System) -> None:
    """Whole and by range, with the type that its content has."""
    content = text_pdf(7, 3)
    (document_id,) = await system.accepted({"original.pdf": content})
    whole = await system.http.get(f"/v1/documents/{document_id}/content")
    part = await system.http.get(
        f"/v1/documents/{document_id}/content", headers={"Range": "bytes=10-19"}
    )

    assert (whole.content, whole.headers["content-type"]) == (content, "application/pdf")
    assert (part.status_code, part.content) == (206, content[10:20])


async def test_a_batch_finishes_with_its_last_document(system: System) -> None:
    """The long poll on a batch answers when all its documents have ended."""
    answer = await system.upload({f"{n}.pdf": text_pdf(20 + n, 1) for n in range(5)})
    batch = await system.http.get(answer.headers["location"], params={"wait": 30})

    assert batch.status_code == 200
    assert batch.json()["finished_at"] is not None
    assert {found["status"] for found in batch.json()["documents"]} == {"completed"}


async def test_a_long_poll_answers_when_the_document_ends(system: System) -> None:
    """Not only at the end of the wait."""
    (document_id,) = await system.accepted({"poll.pdf": text_pdf(30, 1)})
    started = asyncio.get_running_loop().time()
    document = await system.document(document_id, wait_s=30)

    assert document["status"] == "completed"
    assert asyncio.get_running_loop().time() - started < 15


async def test_one_bad_file_leaves_the_others_accepted(system: System) -> None:
    """Each file has its own outcome, and the rejected one leaves nothing behind."""
    answer = await system.upload(
        {"good.pdf": text_pdf(40, 1), "bad.bin": bytes(range(256)) * 8, "empty.txt": b""}
    )
    good, bad, empty = answer.json()["documents"]

    assert answer.status_code == 202
    assert good["status"] == "queued"
    assert (bad["status"], bad["problem"]["status"]) == ("rejected", 415)
    assert (empty["status"], empty["problem"]["status"]) == ("rejected", 422)
    await system.finished([good["id"]])
    await system.assert_nothing_lost_or_doubled()


async def test_large_files_stream_through(system: System) -> None:
    """A file above the size of one part comes back whole."""
    content = b"a line of text that is long enough\n" * 400_000
    (document_id,) = await system.accepted({"large.txt": content})
    (document,) = await system.finished([document_id])
    original = await system.http.get(f"/v1/documents/{document_id}/content")

    assert document["status"] == "completed"
    assert original.content == content


async def test_every_process_knows_the_request(system: System) -> None:
    """The id that the client gave stands in the logs of gateway, storage and metadata."""
    request_id = "e2e-request-0042"
    answer = await system.http.post(
        "/v1/documents",
        files=[("files", ("id.bin", bytes(range(256))))],
        headers={"X-Request-ID": request_id},
    )
    await system.http.get(
        "/v1/documents/0190b6a0-0000-7000-8000-000000000000",
        headers={"X-Request-ID": request_id},
    )

    assert answer.headers["x-request-id"] == request_id
    for name in ("gateway", "storage", "metadata"):
        lines = (json.loads(line) for line in _log(system, name) if line.startswith("{"))
        assert any(line.get("request_id") == request_id for line in lines), name


def _log(system: System, name: str) -> list[str]:
    return system.stack.log(name).read_text().splitlines()


async def test_health_names_every_dependency(system: System) -> None:
    """All are up here."""
    answer = await system.http.get("/ht/")

    assert answer.status_code == 200
    text = answer.text.lower()
    assert all(name in text for name in ("storage", "metadata", "s3", "mysql", "redis", "temporal"))


async def test_temporal_sdk_metrics_are_served(system: System) -> None:
    """At the orchestrator's second metrics port, by the SDK's own names."""
    port = system.stack.port("orchestrator", "TEMPORAL_METRICS_PORT")
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"http://127.0.0.1:{port}/metrics")

    assert "temporal_worker_task_slots" in answer.text
