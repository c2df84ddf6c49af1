"""What an upload is answered."""

import asyncio
import hashlib
import json
from typing import Any

import pytest

from support.gateway import MULTIPART, PDF, Gateway, build_gateway, form
from support.gateway_fakes.common import KEY, READ_ONLY_KEY, USER

TEXT = b"plain text of a letter"
BINARY = b"\x00\x01\x02 nothing known"


async def test_an_upload_is_answered_with_its_batch(gateway: Gateway) -> None:
    """202, Location, Retry-After, links, and exactly the documented fields of each document."""
    files = [("file", ("a.pdf", PDF)), ("files", ("b.txt", TEXT))]
    async with gateway.http() as http:
        answer = await http.post("/v1/documents", files=files, data={"product": "tax"})
    body = answer.json()
    first = body["documents"][0]

    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/batches/{body['batch_id']}"
    assert answer.headers["retry-after"] == "1"
    assert set(body) == {"batch_id", "documents", "links"}
    assert body["links"] == {
        "self": f"/v1/batches/{body['batch_id']}",
        "documents": f"/v1/documents?batch_id={body['batch_id']}",
        "events": f"/v1/batches/{body['batch_id']}/events",
    }
    assert first == {
        "id": first["id"],
        "filename": "a.pdf",
        "status": "queued",
        "size_bytes": len(PDF),
        "sha256": hashlib.sha256(PDF).hexdigest(),
        "content_type": "application/pdf",
        "links": {
            "self": f"/v1/documents/{first['id']}",
            "events": f"/v1/documents/{first['id']}/events",
        },
        "duplicate_of": None,
    }
    assert [document["filename"] for document in body["documents"]] == ["a.pdf", "b.txt"]
    assert set(gateway.records.owners.values()) == {USER}
    assert gateway.records.products == {body["batch_id"]: "tax"}
    assert gateway.store.objects == {
        f"documents/{body['documents'][0]['id']}/original": PDF,
        f"documents/{body['documents'][1]['id']}/original": TEXT,
    }


async def test_one_rejected_file_leaves_the_others_accepted(gateway: Gateway) -> None:
    """Each has its own outcome, in the order of the request."""
    files = [
        ("files", ("good.pdf", PDF)),
        ("files", ("bad.bin", BINARY)),
        ("files", ("empty.txt", b"")),
        ("files", ("x" * 300, TEXT)),
        ("files", ("good.txt", TEXT)),
    ]
    async with gateway.http() as http:
        answer = await http.post("/v1/documents", files=files)
    documents = answer.json()["documents"]

    assert answer.status_code == 202
    assert [item["status"] for item in documents] == [
        "queued", "rejected", "rejected", "rejected", "queued",
    ]  # fmt: skip
    assert [item["problem"]["code"] for item in documents[1:4]] == [
        "UNSUPPORTED_FORMAT", "FILE_EMPTY", "FILENAME_INVALID",
    ]  # fmt: skip
    assert [item["problem"]["status"] for item in documents[1:4]] == [415, 422, 400]
    assert documents[1]["problem"]["content_type"] == "application/octet-stream"
    assert len(gateway.store.objects) == len(gateway.records.rows) == 2


async def test_a_file_whose_name_is_no_utf_8_is_rejected_alone(gateway: Gateway) -> None:
    """Its name is shown as far as it can be."""
    call = gateway.call("POST", "/v1/documents", content_type=MULTIPART)
    body = form(("file", "cafQ.txt", TEXT), ("file", "b.txt", TEXT)).replace(b"Q", b"\xe9")
    call.feed(body, more=False)
    await call.task
    bad, good = json.loads(call.body)["documents"]

    assert (call.status, good["status"]) == (202, "queued")
    assert (bad["filename"], bad["problem"]["code"]) == ("caf\ufffd.txt", "FILENAME_INVALID")


@pytest.mark.parametrize("chunk", [500, 100_000])
async def test_a_file_over_its_limit_is_rejected_alone(chunk: int) -> None:
    """Held or streamed, nothing of it stays."""
    gateway = build_gateway(max_file_bytes=4000, small_file_bytes=1000)
    body = form(("files", "big.txt", b"x" * 9000), ("files", "small.txt", TEXT))
    call = gateway.call("POST", "/v1/documents", content_type=MULTIPART)
    for start in range(0, len(body), chunk):
        call.feed(body[start : start + chunk])
        await asyncio.sleep(0)
    call.feed(b"", more=False)
    await call.task
    big, small = json.loads(call.body)["documents"]

    assert (big["problem"]["status"], big["problem"]["code"]) == (413, "FILE_TOO_LARGE")
    assert big["problem"]["limit_bytes"] == "4000"
    assert small["status"] == "queued"
    assert list(gateway.store.objects.values()) == [TEXT]
    assert bool(gateway.store.streamed) == (chunk == 500)


async def test_when_every_file_is_rejected_the_answer_is_the_first_problem(
    gateway: Gateway,
) -> None:
    """With all of them in errors."""
    files = [("files", ("bad.bin", BINARY)), ("files", ("empty.txt", b""))]
    async with gateway.http() as http:
        answer = await http.post("/v1/documents", files=files)
    body = answer.json()

    assert answer.status_code == body["status"] == 415
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["code"] == "UNSUPPORTED_FORMAT"
    assert [item["filename"] for item in body["errors"]] == ["bad.bin", "empty.txt"]
    assert [item["problem"]["code"] for item in body["errors"]] == [
        "UNSUPPORTED_FORMAT",
        "FILE_EMPTY",
    ]
    assert gateway.nothing_left


_BROKEN = form(("file", "a.pdf", PDF), ("file", "b.pdf", PDF))[:-20]


@pytest.mark.parametrize(
    ("content_type", "body", "status", "code"),
    [
        pytest.param(MULTIPART, b"", 400, "BODY_EMPTY", id="empty body"),
        pytest.param(MULTIPART, form(("product", None, b"x")), 400, "NO_FILES", id="no files"),
        pytest.param(MULTIPART, form(("file", "e", b"")), 422, "FILE_EMPTY", id="empty file"),
        pytest.param(MULTIPART, _BROKEN, 400, "MULTIPART_INVALID", id="broken body"),
        pytest.param(MULTIPART, b"junk", 400, "MULTIPART_INVALID", id="not a form"),
        pytest.param("multipart/form-data", _BROKEN, 400, "BOUNDARY_MISSING", id="no boundary"),
        pytest.param("application/json", b"{", 415, "UNSUPPORTED_MEDIA_TYPE", id="not multipart"),
        pytest.param(
            MULTIPART, form(("file", "b.bin", BINARY)), 415, "UNSUPPORTED_FORMAT", id="type"
        ),
        pytest.param(
            MULTIPART, form(("file", "a", b"y" * 30_000)), 413, "BODY_TOO_LARGE", id="large body"
        ),
        pytest.param(
            MULTIPART,
            form(*[("file", f"{n}.pdf", PDF) for n in range(11)]),
            413,
            "TOO_MANY_FILES",
            id="many files",
        ),
        pytest.param(
            MULTIPART,
            form(("file", "a.pdf", PDF), *[("words", None, b"")] * 65),
            400,
            "TOO_MANY_FIELDS",
            id="many fields",
        ),
        pytest.param(
            MULTIPART,
            form(("file", "a.pdf", PDF), ("product", None, b"x" * 5000)),
            400,
            "FIELD_TOO_LARGE",
            id="large field",
        ),
        pytest.param(
            MULTIPART,
            form(("file", "a.pdf", PDF), ("product", None, b"x" * 65)),
            400,
            "PRODUCT_INVALID",
            id="bad product",
        ),
        pytest.param(
            MULTIPART, form(("file", None, PDF)), 400, "FILENAME_MISSING", id="no file name"
        ),
    ],
)
@pytest.mark.parametrize("chunk", [10, 100_000])
async def test_bad_input_is_named_and_leaves_nothing(
    content_type: str, body: bytes, status: int, code: str, chunk: int
) -> None:
    """A problem that says what was wrong; no object, no row, no memory."""
    gateway = build_gateway(max_body_bytes=20_000, max_files=10)
    call = gateway.call("POST", "/v1/documents", content_type=content_type)
    for start in range(0, len(body), chunk):
        call.feed(body[start : start + chunk])
    call.feed(b"", more=False)
    await call.task

    assert (call.status, code in call.body.decode()) == (status, True)
    assert call.headers["content-type"] == "application/problem+json"
    assert gateway.nothing_left


async def test_a_compressed_body_is_refused_unread(gateway: Gateway) -> None:
    """It would be taken for a broken one."""
    call = gateway.call("POST", "/v1/documents", content_type=MULTIPART, content_encoding="gzip")
    call.feed(b"", more=False)
    await call.task
    problem = json.loads(call.body)

    assert (call.status, problem["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert problem["content_encoding"] == "gzip"


async def test_a_body_announced_too_large_is_refused_unread() -> None:
    """By its Content-Length, and the connection is closed after the rest was read."""
    gateway = build_gateway(max_body_bytes=20_000)
    call = gateway.call("POST", "/v1/documents", content_type=MULTIPART, content_length="20001")
    call.feed(b"x" * 20_001, more=False)
    await call.task

    assert call.status == 413
    assert call.headers["connection"] == "close"
    assert gateway.store.puts == 0


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "API_KEY_MISSING"),
        ({"Authorization": "Basic abc"}, 401, "API_KEY_MALFORMED"),
        ({"Authorization": "Bearer nonsense"}, 401, "API_KEY_MALFORMED"),
        ({"X-API-Key": "sk_\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4".encode()}, 401,
         "API_KEY_MALFORMED"),
        ({"Authorization": "Bearer sk_unknown_key_0123"}, 401, "API_KEY_UNKNOWN"),
        ({"X-API-Key": READ_ONLY_KEY}, 403, "SCOPE_MISSING"),
    ],
)  # fmt: skip
async def test_without_a_good_key_nothing_is_read(
    gateway: Gateway, headers: dict[str, Any], status: int, code: str
) -> None:
    """A 401 carries a challenge."""
    async with gateway.http(key=None) as http:
        answer = await http.post("/v1/documents", files={"file": ("a.pdf", PDF)}, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert ("www-authenticate" in answer.headers) == (status == 401)
    assert gateway.nothing_left


async def test_the_key_may_come_in_its_own_header(gateway: Gateway) -> None:
    """X-API-Key."""
    async with gateway.http(key=None) as http:
        answer = await http.post(
            "/v1/documents", files={"file": ("a.pdf", PDF)}, headers={"X-API-Key": KEY}
        )

    assert answer.status_code == 202
