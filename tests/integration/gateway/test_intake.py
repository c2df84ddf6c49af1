"""Intake through the real gateway, storage and metadata; nothing is extracted here."""

import asyncio
import hashlib
import time
from typing import Any
from uuid import uuid4

import boto3
import httpx
import pytest

from sheaf_dev.samples.generator import text_pdf
from sheaf_dev.stack import Stack
from support.waiting import until_answer

LARGE = b"a line of text that is long enough\n" * 300_000
"""Over the size up to which a file is held in memory."""

BINARY = bytes(range(256)) * 8


def stored_keys(stack: Stack) -> set[str]:
    """Every object in the store."""
    env = stack.env
    s3: Any = boto3.client(
        "s3",
        endpoint_url=env["S3_ENDPOINT_URL"],
        region_name=env["S3_REGION"],
        aws_access_key_id=env["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=env["S3_SECRET_ACCESS_KEY"],
    )
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=env["S3_BUCKET"])
    return {item["Key"] for page in pages for item in page.get("Contents", ())}


async def total(http: httpx.AsyncClient) -> int:
    """How many documents the user has."""
    count, cursor = 0, ""
    while True:
        page = (await http.get("/v1/documents", params={"limit": 200, "cursor": cursor})).json()
        count += len(page["documents"])
        if page["next_cursor"] is None:
            return count
        cursor = page["next_cursor"]


async def test_an_upload_is_queued_and_stored(http: httpx.AsyncClient) -> None:
    """Small and large files, byte by byte."""
    contents = {"small.pdf": text_pdf(1, 2), "large.txt": LARGE, "übung 世界.csv": b"a,b\n1,2\n"}
    answer = await http.post(
        "/v1/documents",
        files=[("files", item) for item in contents.items()],
        data={"product": "tax"},
    )
    assert answer.status_code == 202, answer.text
    body = answer.json()
    batch = (await http.get(answer.headers["location"])).json()

    assert [item["filename"] for item in body["documents"]] == list(contents)
    assert [item["content_type"] for item in body["documents"]] == [
        "application/pdf", "text/plain", "text/csv",
    ]  # fmt: skip
    assert (batch["counts"], batch["product"], batch["finished_at"]) == ({"queued": 3}, "tax", None)
    for item in body["documents"]:
        content = contents[item["filename"]]
        original = await http.get(f"/v1/documents/{item['id']}/content")
        document = (await http.get(f"/v1/documents/{item['id']}")).json()
        assert original.content == content
        assert original.headers["etag"] == f'"{hashlib.sha256(content).hexdigest()}"'
        assert (document["status"], document["size_bytes"]) == ("queued", len(content))
        assert document["sha256"] == item["sha256"] == hashlib.sha256(content).hexdigest()


async def test_ranges_of_the_original(http: httpx.AsyncClient) -> None:
    """First, last, middle, outside."""
    answer = await http.post("/v1/documents", files={"file": ("large.txt", LARGE)})
    path = f"/v1/documents/{answer.json()['documents'][0]['id']}/content"

    async def part(value: str) -> httpx.Response:
        return await http.get(path, headers={"Range": value})

    assert (await part("bytes=0-0")).content == LARGE[:1]
    assert (await part("bytes=-7")).content == LARGE[-7:]
    assert (await part("bytes=1000000-3000000")).content == LARGE[1000000:3000001]
    assert (await part(f"bytes={len(LARGE)}-")).status_code == 416
    assert (await http.head(path)).headers["content-length"] == str(len(LARGE))


@pytest.mark.parametrize(
    ("files", "status", "code"),
    [
        pytest.param([("a.bin", BINARY)], 415, "UNSUPPORTED_FORMAT", id="type"),
        pytest.param([("a.txt", b"")], 422, "FILE_EMPTY", id="empty"),
        pytest.param([("a.txt", b"x" * (21 * 2**20))], 413, "FILE_TOO_LARGE", id="large file"),
        pytest.param([("a.txt", b"x" * (31 * 2**20))], 413, "BODY_TOO_LARGE", id="large body"),
        pytest.param([("large.bin", BINARY * 4000)], 415, "UNSUPPORTED_FORMAT", id="streamed"),
    ],
)
async def test_what_is_refused_leaves_nothing(
    stack: Stack,
    http: httpx.AsyncClient,
    files: list[tuple[str, bytes]],
    status: int,
    code: str,
) -> None:
    """No object and no row."""
    keys, rows = await asyncio.to_thread(stored_keys, stack), await total(http)
    answer = await http.post("/v1/documents", files=[("file", item) for item in files])

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await asyncio.to_thread(stored_keys, stack) == keys
    assert await total(http) == rows


async def test_a_broken_body_leaves_nothing(stack: Stack, http: httpx.AsyncClient) -> None:
    """Though its first files were stored."""
    keys, rows = await asyncio.to_thread(stored_keys, stack), await total(http)
    body = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="%d.txt"\r\n\r\n%b\r\n'
        % (number, content)
        for number, content in enumerate((b"first", LARGE, b"third"))
    )
    answer = await http.post(
        "/v1/documents",
        content=body,
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "MULTIPART_INVALID")
    assert await asyncio.to_thread(stored_keys, stack) == keys
    assert await total(http) == rows


async def test_a_client_that_leaves_leaves_nothing(stack: Stack, http: httpx.AsyncClient) -> None:
    """In the middle of a large file."""
    keys, rows = await asyncio.to_thread(stored_keys, stack), await total(http)
    reader, writer = await asyncio.open_connection("127.0.0.1", stack.port("gateway"))
    head = (
        "POST /v1/documents HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {stack.env['SHEAF_API_KEY']}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 20000000\r\n\r\n"
    )
    part = '--b\r\nContent-Disposition: form-data; name="file"; filename="{}"\r\n\r\n'
    writer.write(head.encode() + part.format("a.txt").encode() + b"small\r\n")
    writer.write(part.format("b.txt").encode() + LARGE[:5_000_000])
    await writer.drain()
    await _until_stored(stack, keys)
    writer.close()

    deadline = time.monotonic() + 10
    while await asyncio.to_thread(stored_keys, stack) != keys:
        assert time.monotonic() < deadline
    assert await total(http) == rows
    assert not await reader.read()


async def _until_stored(stack: Stack, keys: set[str]) -> None:
    deadline = time.monotonic() + 10
    while await asyncio.to_thread(stored_keys, stack) == keys:
        assert time.monotonic() < deadline


async def test_strangers_see_nothing(stack: Stack, http: httpx.AsyncClient) -> None:
    """Without a key 401, with an unknown id 404."""
    answer = await http.post("/v1/documents", files={"file": ("a.txt", b"text")})
    path = f"/v1/documents/{answer.json()['documents'][0]['id']}"
    async with httpx.AsyncClient(base_url=stack.env["SHEAF_URL"]) as stranger:
        missing = await stranger.get(path)
        wrong = await stranger.get(path, headers={"X-API-Key": "sk_not_a_key_that_is_known"})
    unknown = await http.get(f"/v1/documents/{uuid4()}")

    assert (missing.status_code, missing.json()["code"]) == (401, "API_KEY_MISSING")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "API_KEY_UNKNOWN")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "DOCUMENT_NOT_FOUND")


async def test_an_early_answer_reaches_a_client_that_is_still_sending(stack: Stack) -> None:
    """A large body without a key: the client reads the 401, not a broken connection."""
    async with httpx.AsyncClient(base_url=stack.env["SHEAF_URL"], timeout=20) as stranger:
        for _ in range(5):
            answer = await stranger.post(
                "/v1/documents", files={"file": ("a.txt", b"x" * (25 * 2**20))}
            )
            assert answer.status_code == 401


async def test_a_wait_that_ends_by_time(http: httpx.AsyncClient) -> None:
    """Answers the state as it is; nobody works on documents here."""
    answer = await http.post("/v1/documents", files={"file": ("a.txt", b"text")})
    began = time.monotonic()
    document = await http.get(
        f"/v1/documents/{answer.json()['documents'][0]['id']}", params={"wait": 1}
    )

    assert document.json()["status"] == "queued"
    assert 0.8 < time.monotonic() - began < 5


async def test_bytes_that_are_no_http_are_answered(stack: Stack) -> None:
    """By a problem, too; a head without end is cut off."""
    answers = []
    for sent in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"y" * 400_000):
        reader, writer = await asyncio.open_connection("127.0.0.1", stack.port("gateway"))
        writer.write(sent)
        answers.append(await reader.read())
        writer.close()

    assert answers[0].startswith(b"HTTP/1.1 400 ")
    assert answers[1].startswith(b"HTTP/1.1 431 ")
    assert all(b"application/problem+json" in answer for answer in answers)


async def test_metrics_are_served(http: httpx.AsyncClient) -> None:
    """By route, with the bounds beside what they bound."""
    text = (await http.get("/metrics")).text

    assert 'sheaf_http_request_seconds_count{method="POST",route="/v1/documents"' in text
    assert "sheaf_uploads_limit 256.0" in text
    assert "sheaf_uploads_in_flight 0.0" in text


async def test_health_without_redis_is_degraded_and_intake_goes_on(
    stack: Stack, http: httpx.AsyncClient
) -> None:
    """Redis is never the truth."""
    await stack.stop_process("valkey")
    try:
        health = await _health(http, "redis", "down")
        answer = await http.post("/v1/documents", files={"file": ("a.txt", b"text")})
    finally:
        await stack.start_process("valkey")
    await _health(http, "redis", "up")

    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    assert answer.status_code == 202


@pytest.mark.parametrize("name", ["storage", "metadata"])
async def test_without_a_peer_uploads_are_503_and_come_back(
    stack: Stack, http: httpx.AsyncClient, name: str
) -> None:
    """With Retry-After; the connection is found again by itself."""
    await stack.stop_process(name)
    try:
        health = await _health(http, name, "down")
        answer = await http.post("/v1/documents", files={"file": ("a.txt", b"text")})
    finally:
        await stack.start_process(name)
    await _health(http, name, "up")
    again = await http.post("/v1/documents", files={"file": ("a.txt", b"text")})

    assert (health.status_code, health.json()["status"]) == (503, "unavailable")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert again.status_code == 202


async def test_the_gateway_drains(stack: Stack) -> None:
    """SIGTERM: an upload under way and a long poll are answered, then it exits with 0."""
    headers = {"Authorization": f"Bearer {stack.env['SHEAF_API_KEY']}"}
    async with httpx.AsyncClient(
        base_url=stack.env["SHEAF_URL"], headers=headers, timeout=30
    ) as http:
        first = await http.post("/v1/documents", files={"file": ("a.txt", b"text")})
        document_id = first.json()["documents"][0]["id"]
        go = asyncio.Event()

        async def slow_body() -> Any:
            yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
            await go.wait()
            yield b"slow text\r\n--b--\r\n"

        uploading = asyncio.create_task(
            http.post(
                "/v1/documents",
                content=slow_body(),
                headers={"Content-Type": "multipart/form-data; boundary=b"},
            )
        )
        polling = asyncio.create_task(http.get(f"/v1/documents/{document_id}?wait=60"))
        await until_answer(lambda: _under_way(http))
        stopping = asyncio.create_task(stack.stop_process("gateway"))
        try:
            polled = await polling
            go.set()
            uploaded = await uploading
        finally:  # the tests after this one need it
            await stopping
            exit_code = await stack.wait_exit("gateway", 1)
            await stack.start_process("gateway")

    assert polled.json()["status"] == "queued"
    assert uploaded.status_code == 202
    assert exit_code == 0


async def _under_way(http: httpx.AsyncClient) -> bool:
    """Whether the gateway is at an upload, a poll and this question."""
    text = (await http.get("/metrics")).text
    return "sheaf_uploads_in_flight 1.0" in text and "sheaf_http_requests_in_flight 3.0" in text


async def _health(http: httpx.AsyncClient, name: str, status: str) -> httpx.Response:
    """The health answer once a dependency has the given status."""
    deadline = time.monotonic() + 20
    while True:
        answer = await http.get("/ht/")
        if answer.json()["dependencies"][name]["status"] == status:
            return answer
        assert time.monotonic() < deadline, answer.text
        await asyncio.sleep(0.05)
