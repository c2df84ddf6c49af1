"""Reading documents and batches, with and without waiting."""

import asyncio
from typing import Any

import pytest

from sheaf_common.ids import new_id
from sheaf_gateway.domain.documents import DocumentStatus
from support.gateway import PDF, Gateway, build_gateway
from support.gateway_fakes.common import KEY
from support.waiting import until


async def uploaded(gateway: Gateway, count: int = 1) -> dict[str, Any]:
    """The answer to an upload of so many files."""
    async with gateway.http() as http:
        files = [("file", (f"{number}.pdf", PDF)) for number in range(count)]
        answer = await http.post("/v1/documents", files=files)
    body: dict[str, Any] = answer.json()
    return body


async def test_a_queued_document(gateway: Gateway) -> None:
    """Exactly the documented fields; what is not known yet is null."""
    body = await uploaded(gateway)
    document_id = body["documents"][0]["id"]
    async with gateway.http() as http:
        answer = await http.get(f"/v1/documents/{document_id}")
    path = f"/v1/documents/{document_id}"

    assert answer.status_code == 200
    assert answer.json() == {
        "id": document_id,
        "batch_id": body["batch_id"],
        "parent_id": None,
        "depth": 0,
        "workflow_id": None,
        "product": None,
        "priority": "normal",
        "options": {"words": False, "ocr": "auto", "ocr_languages": [], "pages": None},
        "metadata": None,
        "filename": "0.pdf",
        "status": "queued",
        "reason": None,
        "reason_detail": None,
        "pages": None,
        "characters": None,
        "document_class": None,
        "partial": False,
        "duplicate_of": None,
        "attempt": 1,
        "progress": None,
        "content_type": "application/pdf",
        "size_bytes": len(PDF),
        "sha256": body["documents"][0]["sha256"],
        "uploaded_at": "2026-01-02T03:04:05.678000Z",
        "started_at": None,
        "finished_at": None,
        "links": {
            "self": path,
            "batch": f"/v1/batches/{body['batch_id']}",
            "content": f"{path}/content",
            "events": f"{path}/events",
            "cancel": f"{path}/cancel",
        },
    }


async def test_a_completed_and_a_failed_document(gateway: Gateway) -> None:
    """Each says what it ended with."""
    body = await uploaded(gateway, 2)
    good, bad = (document["id"] for document in body["documents"])
    gateway.records.end(good, DocumentStatus.COMPLETED, page_count=3, character_count=99)
    gateway.records.end(bad, DocumentStatus.FAILED, reason="DAMAGED", reason_detail="broken")
    async with gateway.http() as http:
        completed = (await http.get(f"/v1/documents/{good}")).json()
        failed = (await http.get(f"/v1/documents/{bad}")).json()
        batch = (await http.get(f"/v1/batches/{body['batch_id']}")).json()

    assert (completed["status"], completed["pages"], completed["characters"]) == (
        "completed", 3, 99,
    )  # fmt: skip
    assert set(completed["links"]) == {
        "self", "batch", "content", "events", "text", "markdown", "result", "thumbnail",
        "reprocess",
    }  # fmt: skip
    assert set(failed["links"]) == {"self", "batch", "content", "events", "reprocess"}
    assert (failed["status"], failed["reason"], failed["reason_detail"]) == (
        "failed", "DAMAGED", "broken",
    )  # fmt: skip
    assert failed["pages"] is None
    batch_path = f"/v1/batches/{body['batch_id']}"
    assert (
        batch["links"]
        == body["links"]
        == {
            "self": batch_path,
            "documents": f"/v1/documents?batch_id={body['batch_id']}",
            "events": f"{batch_path}/events",
        }
    )
    assert batch["counts"] == {"completed": 1, "failed": 1}
    assert [document["id"] for document in batch["documents"]] == [good, bad]


@pytest.mark.parametrize("path", ["/v1/documents/{}", "/v1/batches/{}"])
async def test_a_wait_ends_with_the_document(gateway: Gateway, path: str) -> None:
    """Not with the time."""
    body = await uploaded(gateway)
    document_id = body["documents"][0]["id"]
    which = document_id if "documents" in path else body["batch_id"]
    async with gateway.http() as http:
        waiting = asyncio.create_task(http.get(path.format(which), params={"wait": "60"}))
        await until(lambda: gateway.records.waits == [60])
        assert "sheaf_long_polls_waiting 1.0" in (await http.get("/metrics")).text
        gateway.records.end(document_id, DocumentStatus.COMPLETED)
        answer = await waiting

    assert (answer.status_code, "completed" in answer.text) == (200, True)


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "inf", "abc", ""])
async def test_a_wait_is_bounded(gateway: Gateway, wait: str) -> None:
    """A wrong one is named."""
    body = await uploaded(gateway)
    document_id = body["documents"][0]["id"]
    async with gateway.http() as http:
        answer = await http.get(f"/v1/documents/{document_id}?wait={wait}")

    assert (answer.status_code, answer.json()["code"]) == (400, "PARAMETER_INVALID")
    assert answer.json()["errors"][0]["parameter"] == "wait"


async def test_a_client_that_leaves_ends_its_wait(gateway: Gateway) -> None:
    """The question is cancelled."""
    body = await uploaded(gateway)
    call = gateway.call("GET", f"/v1/documents/{body['documents'][0]['id']}?wait=60")
    call.feed(b"", more=False)
    await until(lambda: gateway.records.waits)
    call.leave()
    await call.task

    assert (call.status, gateway.records.cancelled_waits) == (499, 1)


async def test_waits_are_answered_when_the_service_stops(gateway: Gateway) -> None:
    """With the state as it is, so that the drain is short."""
    body = await uploaded(gateway)
    async with gateway.http() as http:
        path = f"/v1/documents/{body['documents'][0]['id']}"
        waiting = asyncio.create_task(http.get(path, params={"wait": "60"}))
        await until(lambda: gateway.records.waits)
        gateway.lifecycle.stop()
        answer = await waiting

    assert (answer.status_code, answer.json()["status"]) == (200, "queued")


async def test_more_waits_than_allowed_are_answered_at_once() -> None:
    """Waiting is bounded; reading is not refused."""
    gateway = build_gateway(max_waits=0)
    body = await uploaded(gateway)
    async with gateway.http() as http:
        answer = await http.get(f"/v1/documents/{body['documents'][0]['id']}?wait=60")

    assert (answer.status_code, gateway.records.waits) == (200, [])


@pytest.mark.parametrize(
    "path",
    ["/v1/documents/{}", "/v1/documents/{}/text", "/v1/documents/{}/content", "/v1/batches/{}"],
)
async def test_an_unknown_id_is_404_and_a_malformed_one_400(gateway: Gateway, path: str) -> None:
    """Each with its reason."""
    async with gateway.http() as http:
        unknown = await http.get(path.format(new_id()))
        malformed = await http.get(path.format("not-an-id"))

    assert (unknown.status_code, unknown.json()["code"].endswith("_NOT_FOUND")) == (404, True)
    assert (malformed.status_code, malformed.json()["code"]) == (400, "ID_INVALID")


async def test_someone_elses_document_is_not_there(gateway: Gateway) -> None:
    """404, as if it did not exist."""
    body = await uploaded(gateway)
    document_id = body["documents"][0]["id"]
    gateway.records.owners[document_id] = "someone-else"
    async with gateway.http() as http:
        answer = await http.get(f"/v1/documents/{document_id}")

    assert answer.status_code == 404


async def test_a_listing_pages_by_cursor(gateway: Gateway) -> None:
    """Newest first, without gap or overlap."""
    body = await uploaded(gateway, 5)
    ids = [document["id"] for document in body["documents"]]
    found: list[str] = []
    cursor: str | None = ""
    async with gateway.http() as http:
        while cursor is not None:
            params = {"limit": "2", "cursor": cursor, "status": "queued"}
            page = (await http.get("/v1/documents", params=params)).json()
            found += [document["id"] for document in page["documents"]]
            cursor = page["next_cursor"]

    assert found == ids[::-1]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "status=odd", "batch_id=x"])
async def test_a_listings_parameters_are_checked(gateway: Gateway, query: str) -> None:
    """A wrong one is named."""
    async with gateway.http() as http:
        answer = await http.get(f"/v1/documents?{query}")

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_owner_is_remembered_for_a_while(gateway: Gateway) -> None:
    """One question to metadata for many requests."""
    async with gateway.http() as http:
        for _ in range(5):
            await http.get("/v1/documents", headers={"X-API-Key": KEY})

    assert gateway.records.resolutions == 1
