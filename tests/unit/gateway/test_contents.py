"""Original, text and result of a document."""

import json
from typing import Any

import httpx
import pytest
import zstandard

from sheaf_gateway.domain.documents import DocumentStatus
from support.gateway import PDF, Gateway, build_gateway

RESULT: dict[str, Any] = {
    "schema": "sheaf.result/1",
    "document_id": "x",
    "pages": [{"number": 1, "text": "first\n"}, {"number": 2, "text": "zweite Seite 世界"}],
    "new_field": {"ignored": True},
}


async def document(gateway: Gateway, filename: str = "a.pdf", content: bytes = PDF) -> str:
    """An uploaded document's id."""
    async with gateway.http() as http:
        answer = await http.post("/v1/documents", files={"file": (filename, content)})
    document_id: str = answer.json()["documents"][0]["id"]
    return document_id


async def completed(gateway: Gateway, packed: bytes | None = None) -> str:
    """A completed document's id."""
    document_id = await document(gateway)
    key = f"documents/{document_id}/1-w/result.json.zst"
    gateway.records.end(document_id, DocumentStatus.COMPLETED, result_key=key)
    if packed is None:
        packed = zstandard.compress(json.dumps(RESULT).encode())
    gateway.store.objects[key] = packed
    return document_id


async def got(gateway: Gateway, path: str, **headers: str) -> httpx.Response:
    """An answer."""
    async with gateway.http() as http:
        return await http.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})


async def test_the_text_of_all_pages(gateway: Gateway) -> None:
    """Joined by form feeds, as UTF-8."""
    answer = await got(gateway, f"/v1/documents/{await completed(gateway)}/text")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.content.decode() == "first\n\fzweite Seite 世界"


@pytest.mark.parametrize("accept", ["identity", "gzip, zstd;q=0"])
async def test_the_result_is_unpacked_for_who_cannot(gateway: Gateway, accept: str) -> None:
    """As JSON, whole."""
    path = f"/v1/documents/{await completed(gateway)}/result"
    answer = await got(gateway, path, accept_encoding=accept)

    assert answer.headers["content-type"] == "application/json"
    assert "content-encoding" not in answer.headers
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.json() == RESULT


async def test_the_result_is_sent_as_stored_to_who_can(gateway: Gateway) -> None:
    """With its encoding named."""
    path = f"/v1/documents/{await completed(gateway)}/result"
    answer = await got(gateway, path, accept_encoding="gzip, zstd;q=0.5")

    assert answer.headers["content-encoding"] == "zstd"
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.json() == RESULT


@pytest.mark.parametrize("what", ["text", "result"])
async def test_before_its_end_a_document_has_no_result(gateway: Gateway, what: str) -> None:
    """409, to be tried again."""
    answer = await got(gateway, f"/v1/documents/{await document(gateway)}/{what}")

    assert (answer.status_code, answer.json()["code"]) == (409, "NOT_READY")
    assert answer.json()["document_status"] == "queued"
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("what", ["text", "result"])
async def test_a_failed_document_says_why_it_has_none(gateway: Gateway, what: str) -> None:
    """409, not to be tried again."""
    document_id = await document(gateway)
    gateway.records.end(document_id, DocumentStatus.FAILED, reason="DAMAGED")
    answer = await got(gateway, f"/v1/documents/{document_id}/{what}")

    assert (answer.status_code, answer.json()["code"]) == (409, "NO_RESULT")
    assert answer.json()["reason"] == "DAMAGED"
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(b"no zstd", id="not zstd"),
        pytest.param(zstandard.compress(b'{"schema":"sheaf.result/1"}')[:-4], id="cut off"),
        pytest.param(zstandard.compress(b"no json"), id="not JSON"),
        pytest.param(zstandard.compress(b'{"schema":"sheaf.result/2","pages":[]}'), id="version"),
    ],
)
async def test_a_result_that_cannot_be_read_is_named(gateway: Gateway, packed: bytes) -> None:
    """500 with its own reason, not the text of a bug."""
    answer = await got(gateway, f"/v1/documents/{await completed(gateway, packed)}/text")

    assert (answer.status_code, answer.json()["code"]) == (500, "RESULT_INVALID")


@pytest.mark.parametrize("what", ["text", "result", "content"])
async def test_a_lost_object_is_named(gateway: Gateway, what: str) -> None:
    """Not a 404: the document is there."""
    document_id = await completed(gateway)
    gateway.store.objects.clear()
    answer = await got(gateway, f"/v1/documents/{document_id}/{what}", accept_encoding="identity")

    assert (answer.status_code, answer.json()["code"]) == (500, "OBJECT_MISSING")


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        ("max_text_bytes", "text"),
        ("max_stored_bytes", "text"),
        ("max_stored_bytes", "result"),
        ("max_result_bytes", "result"),
    ],
)
async def test_a_bomb_is_not_unpacked(setting: str, what: str) -> None:
    """By its announced size, before it takes memory."""
    packed = zstandard.compress(b"[" + b" " * 5_000_000 + b"]")
    gateway = build_gateway(**{setting: 100})
    path = f"/v1/documents/{await completed(gateway, packed)}/{what}"
    answer = await got(gateway, path, accept_encoding="identity")

    assert (answer.status_code, answer.json()["code"]) == (409, "RESULT_TOO_LARGE")


async def test_a_large_result_comes_in_pieces(gateway: Gateway) -> None:
    """And its text through a thread."""
    pages = [{"number": n, "text": f"{n} " * 100_000} for n in range(1, 30)]
    packed = zstandard.compress(json.dumps(RESULT | {"pages": pages}).encode())
    document_id = await completed(gateway, packed)
    result = await got(gateway, f"/v1/documents/{document_id}/result", accept_encoding="identity")
    text = await got(gateway, f"/v1/documents/{document_id}/text")

    assert [page["text"] for page in result.json()["pages"]] == text.text.split("\f")


async def test_the_original(gateway: Gateway) -> None:
    """Byte by byte, never rendered by a browser."""
    answer = await got(gateway, f"/v1/documents/{await document(gateway)}/content")

    assert (answer.status_code, answer.content) == (200, PDF)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-length"] == str(len(PDF))
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["accept-ranges"] == "bytes"


async def test_a_range_of_the_original(gateway: Gateway) -> None:
    """206 with its place; a range outside is 416 with the size."""
    path = f"/v1/documents/{await document(gateway)}/content"
    part = await got(gateway, path, range="bytes=5-8")
    tail = await got(gateway, path, range="bytes=-4")
    outside = await got(gateway, path, range=f"bytes={len(PDF)}-")
    etag = part.headers["etag"]
    current = await got(gateway, path, range="bytes=0-0", if_range=etag)
    stale = await got(gateway, path, range="bytes=0-0", if_range='"old"')

    assert (part.status_code, part.content) == (206, PDF[5:9])
    assert part.headers["content-range"] == f"bytes 5-8/{len(PDF)}"
    assert (tail.status_code, tail.content) == (206, PDF[-4:])
    assert (outside.status_code, outside.json()["code"]) == (416, "RANGE_NOT_SATISFIABLE")
    assert outside.headers["content-range"] == f"bytes */{len(PDF)}"
    assert (current.status_code, stale.status_code) == (206, 200)


async def test_an_unchanged_original_is_not_sent_again(gateway: Gateway) -> None:
    """304; HEAD sends no body either."""
    path = f"/v1/documents/{await document(gateway)}/content"
    etag = (await got(gateway, path)).headers["etag"]
    again = await got(gateway, path, if_none_match=f'"x", {etag}')
    async with gateway.http() as http:
        head = await http.head(path)

    assert (again.status_code, again.content) == (304, b"")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(PDF))


async def test_a_stream_ends_when_the_client_leaves(gateway: Gateway) -> None:
    """Storage is not read to the end for nobody."""
    document_id = await document(gateway, "large.txt", b"x" * 3_000_000)
    call = gateway.call("GET", f"/v1/documents/{document_id}/content")
    call.feed(b"", more=False)
    call.leave()
    await call.task

    assert len(call.body) < 1_000_000


@pytest.mark.parametrize("what", ["text", "markdown", "result", "content"])
async def test_what_the_client_has_is_not_sent_again(gateway: Gateway, what: str) -> None:
    """304 by its validator; a result that is another one has another."""
    result = zstandard.compress(json.dumps(RESULT | {"markdown": "# first"}).encode())
    first, second = [await completed(gateway, result) for _ in range(2)]
    path = f"/v1/documents/{first}/{what}"
    etag = (await got(gateway, path, accept_encoding="identity")).headers["etag"]
    for given in (etag, f'"other", {etag}', "*"):
        same = await got(gateway, path, if_none_match=given, accept_encoding="identity")
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
    if what != "content":
        path = f"/v1/documents/{second}/{what}"
        other = await got(gateway, path, if_none_match=etag, accept_encoding="identity")
        assert other.status_code == 200


async def test_each_encoding_of_a_result_has_its_validator(gateway: Gateway) -> None:
    """What a client has unpacked is no answer to one that takes it packed."""
    path = f"/v1/documents/{await completed(gateway)}/result"
    plain = (await got(gateway, path, accept_encoding="identity")).headers["etag"]
    packed = await got(gateway, path, accept_encoding="zstd", if_none_match=plain)
    assert (packed.status_code, packed.headers["etag"] == plain) == (200, False)


@pytest.mark.parametrize("what", ["text", "markdown", "result", "content", "thumbnail"])
async def test_what_is_deleted_while_it_is_read_is_not_found(gateway: Gateway, what: str) -> None:
    """Its object is missing for a reason, which is no fault of the store."""
    document_id = await completed(gateway)
    store = gateway.store
    opened = store.get

    def delete_first(key: str, **options: Any) -> Any:
        store.objects.clear()
        gateway.records.rows.pop(document_id, None)
        gateway.records.owners.pop(document_id, None)
        return opened(key, **options)

    store.get = delete_first  # type: ignore[method-assign]
    answer = await got(gateway, f"/v1/documents/{document_id}/{what}", accept_encoding="identity")
    assert (answer.status_code, answer.json()["code"]) == (404, "DOCUMENT_NOT_FOUND")
