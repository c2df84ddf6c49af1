"""Pictures of pages, Markdown, and the published schema."""

import json
from typing import Any

import httpx
import pytest
import zstandard

from sheaf_common.errors import InvalidInput, NotFound, OverCapacity, SheafError, Unavailable
from sheaf_common.ids import new_id
from sheaf_gateway.domain.documents import DocumentStatus
from support.gateway import PDF, Gateway

COMPLETED = DocumentStatus.COMPLETED


async def document(gateway: Gateway, status: DocumentStatus = COMPLETED, **changes: Any) -> str:
    """The id of a document that has ended so."""
    async with gateway.http() as http:
        answer = await http.post("/v1/documents", files={"file": ("a.pdf", PDF)})
    document_id: str = answer.json()["documents"][0]["id"]
    gateway.records.end(document_id, status, **{"page_count": 3} | changes)
    return document_id


async def got(gateway: Gateway, path: str, **headers: str) -> httpx.Response:
    """An answer."""
    async with gateway.http() as http:
        return await http.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})


async def test_a_picture_is_drawn_if_it_is_not_kept(gateway: Gateway) -> None:
    """And may be kept by the client for ever, but by nobody between."""
    document_id = await document(gateway)
    path = f"/v1/documents/{document_id}/thumbnail"
    drawn = await got(gateway, path)
    gateway.store.objects[f"documents/{document_id}/thumb-2-512.webp"] = b"kept"
    kept = await got(gateway, f"{path}?page=2&width=512")

    assert (drawn.status_code, drawn.content) == (200, b"RIFF WEBP 1 256")
    assert drawn.headers["content-type"] == "image/webp"
    assert drawn.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert drawn.headers["x-content-type-options"] == "nosniff"
    assert kept.content == b"kept"
    assert gateway.renderer.drawn == [(f"documents/{document_id}/original", 1, 256)]


async def test_a_picture_that_the_client_has_is_not_sent(gateway: Gateway) -> None:
    """304 by its own validator, which another page or width does not have."""
    path = f"/v1/documents/{await document(gateway)}/thumbnail"
    etag = (await got(gateway, path)).headers["etag"]
    same = await got(gateway, path, if_none_match=etag)
    others = [
        await got(gateway, f"{path}?{query}", if_none_match=etag)
        for query in ("page=2", "width=128")
    ]

    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
    assert [answer.status_code for answer in others] == [200, 200]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("width=300", 400, "WIDTH_INVALID"),
        ("width=-1", 400, "WIDTH_INVALID"),
        ("width=wide", 400, "PARAMETER_INVALID"),
        ("page=0", 400, "PARAMETER_INVALID"),
        ("page=1000001", 400, "PARAMETER_INVALID"),
        ("page=4", 404, "PAGE_NOT_FOUND"),
    ],
)
async def test_what_cannot_be_is_not_drawn(
    gateway: Gateway, query: str, status: int, code: str
) -> None:
    """The widths that there are stand in the answer."""
    answer = await got(gateway, f"/v1/documents/{await document(gateway)}/thumbnail?{query}")

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json().get("allowed") == (
        "128, 256, 512, 1024" if code == "WIDTH_INVALID" else None
    )
    assert gateway.renderer.drawn == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInput("PAGE_NOT_FOUND", "no such page"), 404),
        (NotFound("PAGE_NOT_FOUND", "no such page"), 404),
        (InvalidInput("UNSUPPORTED_FORMAT", "no pages"), 415),
        (InvalidInput("ENCRYPTED", "it has a password"), 409),
        (InvalidInput("DAMAGED", "broken"), 409),
        (OverCapacity("SANDBOX_BUSY", "busy", retry_after_s=2), 429),
        (Unavailable("PEER_UNAVAILABLE", "down"), 503),
    ],
)
async def test_what_is_not_drawn_has_its_reason(
    gateway: Gateway, error: SheafError, status: int
) -> None:
    """What may pass says when to come back."""
    gateway.renderer.error = error
    answer = await got(gateway, f"/v1/documents/{await document(gateway)}/thumbnail")

    assert (answer.status_code, answer.json()["code"]) == (status, error.reason)
    assert ("retry-after" in answer.headers) == (status in {429, 503})


async def test_a_lost_original_is_named(gateway: Gateway) -> None:
    """Not a 404: the document is there."""
    gateway.renderer.error = NotFound("OBJECT_NOT_FOUND", "gone")
    answer = await got(gateway, f"/v1/documents/{await document(gateway)}/thumbnail")

    assert (answer.status_code, answer.json()["code"]) == (500, "OBJECT_MISSING")


async def test_a_document_that_harms_is_not_drawn(gateway: Gateway) -> None:
    """Nor is one of somebody else."""
    harmful = await document(gateway, DocumentStatus.QUARANTINED, reason="CRASHED")
    answers = [
        await got(gateway, f"/v1/documents/{each}/thumbnail") for each in (harmful, new_id())
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (409, "NOT_DRAWN"),
        (404, "DOCUMENT_NOT_FOUND"),
    ]
    assert gateway.renderer.drawn == []


async def test_a_text_that_was_read_is_not_drawn(gateway: Gateway) -> None:
    """Nobody is asked: its type is known."""
    text = await document(gateway, content_type="text/csv")
    answer = await got(gateway, f"/v1/documents/{text}/thumbnail")

    assert (answer.status_code, answer.json()["code"]) == (415, "UNSUPPORTED_FORMAT")
    assert gateway.renderer.drawn == []


async def test_a_failed_document_may_be_drawn(gateway: Gateway) -> None:
    """As one with too many pages; how many it has is not known."""
    failed = await document(gateway, DocumentStatus.FAILED, page_count=0)
    assert (await got(gateway, f"/v1/documents/{failed}/thumbnail?page=9")).status_code == 200


async def with_result(gateway: Gateway, result: dict[str, Any]) -> str:
    """The id of a completed document with that result."""
    document_id = await document(gateway, result_key="result")
    packed = zstandard.compress(json.dumps({"schema": "sheaf.result/1"} | result).encode())
    gateway.store.objects["result"] = packed
    return document_id


async def test_a_document_as_markdown(gateway: Gateway) -> None:
    """Out of its result, as UTF-8."""
    document_id = await with_result(gateway, {"pages": [], "markdown": "# Größe\n\n| a |\n"})
    answer = await got(gateway, f"/v1/documents/{document_id}/markdown")

    assert (answer.status_code, answer.text) == (200, "# Größe\n\n| a |\n")
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_an_older_result_has_no_markdown(gateway: Gateway) -> None:
    """409 that says what helps; a result that cannot be read is named."""
    older = await got(gateway, f"/v1/documents/{await with_result(gateway, {})}/markdown")
    broken = await got(
        gateway, f"/v1/documents/{await with_result(gateway, {'markdown': 1})}/markdown"
    )

    assert (older.status_code, older.json()["code"]) == (409, "NO_MARKDOWN")
    assert "reprocess" in older.json()["detail"]
    assert (broken.status_code, broken.json()["code"]) == (500, "RESULT_INVALID")


async def test_the_schema_of_results_is_published(gateway: Gateway) -> None:
    """For everybody, without a key, and once."""
    async with gateway.http(key=None) as http:
        answer = await http.get("/v1/schemas/result")
        again = await http.get(
            "/v1/schemas/result", headers={"if-none-match": answer.headers["etag"]}
        )

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/schema+json")
    assert "sheaf.result/1" in answer.text
    assert answer.json()["$ref"] == "#/$defs/Result"
    assert (again.status_code, again.content) == (304, b"")


async def test_a_picture_of_what_was_deleted_meanwhile_is_not_kept(gateway: Gateway) -> None:
    """It was put after the objects were deleted: it goes, and nobody gets it."""
    document_id = await document(gateway)

    async def delete() -> None:
        async with gateway.http() as http:
            assert (await http.delete(f"/v1/documents/{document_id}")).status_code == 204
        gateway.store.objects[f"documents/{document_id}/thumb-1-256.webp"] = b"kept"

    gateway.renderer.after_draw = delete
    answer = await got(gateway, f"/v1/documents/{document_id}/thumbnail")
    assert (answer.status_code, gateway.store.objects) == (404, {})
