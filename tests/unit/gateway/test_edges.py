"""Every answer has an id; every error is a problem."""

import asyncio
import re
from typing import Any

import pytest

from sheaf_common.errors import INTERNAL_MESSAGE, DeadlineExceeded, Unavailable
from sheaf_gateway.api.problems import plain_problem
from support.gateway import MULTIPART, PDF, Gateway, form

MEMBERS = {"type", "title", "status", "detail", "code", "instance", "request_id"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nope", 404, "NOT_FOUND"),
        ("GET", "/v1/nope", 404, "NOT_FOUND"),
        ("DELETE", "/v1/documents", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/livez", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/v1/documents?limit=x", 400, "PARAMETER_INVALID"),
    ],
)
async def test_what_the_framework_refuses_is_a_problem_too(
    gateway: Gateway, method: str, path: str, status: int, code: str
) -> None:
    """With all members; a 405 names what is allowed."""
    async with gateway.http() as http:
        answer = await http.request(method, path)
    problem = answer.json()

    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert set(problem) >= MEMBERS
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert ("allow" in answer.headers) == (status == 405)


async def test_what_a_client_makes_up_is_not_named_in_metrics(gateway: Gateway) -> None:
    """Neither a method nor a path; the request that asks is in flight itself."""
    async with gateway.http() as http:
        await http.request("BREW", "/v1/pots/0199b6b4")
        text = (await http.get("/metrics")).text

    assert re.search(
        r'sheaf_http_request_seconds_count\{method="other",route="unmatched",status="4\d\d"\}', text
    )
    assert not re.search("BREW|pots", text)
    assert "sheaf_http_requests_in_flight 1.0" in text


async def test_a_bug_is_told_by_a_fixed_text(gateway: Gateway) -> None:
    """What happened stays in the log."""

    async def bug(*_args: Any, **_kwargs: Any) -> None:
        raise ZeroDivisionError("secret detail")

    gateway.records.documents = bug  # type: ignore[method-assign, assignment]
    async with gateway.http() as http:
        answer = await http.get("/v1/documents")

    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
    assert answer.json()["detail"] == INTERNAL_MESSAGE
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (Unavailable("PEER_UNAVAILABLE", "away"), 503, "1"),
        (Unavailable("PEER_UNAVAILABLE", "away", retry_after_s=2.5), 503, "3"),
        (DeadlineExceeded("CALL_TIMEOUT", "slow"), 504, None),
    ],
)
async def test_a_dependency_that_fails_is_a_5xx(
    gateway: Gateway, error: Exception, status: int, retry: str | None
) -> None:
    """A 503 says when to come back."""

    async def fail(*_args: Any, **_kwargs: Any) -> None:
        raise error

    gateway.records.documents = fail  # type: ignore[method-assign, assignment]
    async with gateway.http() as http:
        answer = await http.get("/v1/documents")

    assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry)


@pytest.mark.parametrize("given", ["abc-123", "A.b_c:D-9", "x" * 64])
async def test_a_sane_request_id_is_kept(gateway: Gateway, given: str) -> None:
    """Also on an error."""
    async with gateway.http() as http:
        answers = [
            await http.get(path, headers={"X-Request-ID": given}) for path in ("/livez", "/nope")
        ]

    assert [answer.headers["x-request-id"] for answer in answers] == [given, given]


@pytest.mark.parametrize("given", [b"", b"x" * 65, b"a b", b"a;b", "\u00e4".encode()])
async def test_any_other_request_id_is_replaced(gateway: Gateway, given: bytes) -> None:
    """By one of our own."""
    async with gateway.http() as http:
        answer = await http.get("/livez", headers={b"X-Request-ID": given})

    assert len(answer.headers["x-request-id"]) == 36


async def test_the_rest_of_a_refused_body_is_read(gateway: Gateway) -> None:
    """So that the client sees the answer; then the connection is closed."""
    headers = {"content_type": "text/plain", "content_length": "30"}
    call = gateway.call("POST", "/v1/documents", **headers)
    call.feed(b"x" * 10)
    call.feed(b"y" * 10)
    call.feed(b"z" * 10, more=False)
    await call.task

    assert (call.status, call.headers["connection"], call.received) == (415, "close", 3)


async def test_a_body_that_was_read_keeps_the_connection(gateway: Gateway) -> None:
    """Also after an error."""
    call = gateway.call("POST", "/v1/documents", content_type=MULTIPART, content_length="1")
    call.feed(form(("file", "a.bin", b"\x00\x01")), more=False)
    await call.task

    assert (call.status, "connection" in call.headers) == (415, False)


async def test_the_user_travels_with_the_request(gateway: Gateway) -> None:
    """And only for its time."""
    async with gateway.http() as http:
        await asyncio.gather(
            *(http.post("/v1/documents", files={"file": ("a.pdf", PDF)}) for _ in range(3))
        )

    assert set(gateway.records.owners.values()) == {"user-1"}


def test_bytes_that_are_no_http_get_a_problem() -> None:
    """As any other error."""
    assert b'"code":"HEAD_TOO_LARGE"' in plain_problem(431, "too large").body


async def test_the_docs_need_nothing_from_elsewhere(gateway: Gateway) -> None:
    """One page, no script, no address of another host."""
    async with gateway.http(key=None) as http:
        page = await http.get("/docs")
        description = (await http.get("/docs/openapi.json")).json()

    assert page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.text
    assert "//" not in page.text.replace("http://gateway", "")
    assert description["openapi"].startswith("3.1")
    upload = description["paths"]["/v1/documents"]["post"]
    assert "multipart/form-data" in upload["requestBody"]["content"]
    assert {"202", "400", "401", "413", "415", "422", "429", "503"} <= set(upload["responses"])
    assert description["components"]["securitySchemes"].keys() == {"bearer", "header"}


async def test_every_error_in_the_description_is_a_problem(gateway: Gateway) -> None:
    """No answer of 4xx or 5xx has another type, except health."""
    async with gateway.http(key=None) as http:
        description = (await http.get("/docs/openapi.json")).json()
    types = {
        media_type
        for path, item in description["paths"].items()
        if path.startswith("/v1")
        for operation in item.values()
        for status, answer in operation["responses"].items()
        if status >= "400"
        for media_type in answer["content"]
    }

    assert types == {"application/problem+json"}


async def test_the_description_tells_what_may_be_asked(gateway: Gateway) -> None:
    """Every field and call, each with what it may be; of a password no example."""
    async with gateway.http(key=None) as http:
        description = (await http.get("/docs/openapi.json")).json()
        page = (await http.get("/docs")).text
    paths = description["paths"]
    upload = paths["/v1/documents"]["post"]["requestBody"]["content"]["multipart/form-data"]
    again = paths["/v1/documents/{document_id}/reprocess"]["post"]["requestBody"]
    fields = upload["schema"]["properties"]

    assert list(fields) == [
        "product", "metadata", "priority", "words", "ocr", "ocr_language", "pages", "password",
        "duplicates", "file",
    ]  # fmt: skip
    assert all(each["description"] for each in fields.values())
    accepted = paths["/v1/documents"]["post"]["responses"]["202"]
    assert set(accepted["headers"]) == {
        *("Location", "Retry-After", "Idempotency-Replayed"),
        *("RateLimit", "RateLimit-Policy", "X-Request-ID"),
    }
    assert fields["priority"]["enum"] == ["low", "normal", "high"]
    assert (fields["password"]["format"], fields["password"]["writeOnly"]) == ("password", True)
    assert "example" not in str(fields["password"])
    assert "password" not in str(again["content"]["application/json"]["examples"])
    assert not again.get("required")
    assert {"get"} == set(paths["/v1/quarantine"])
    for path, method in (
        ("/v1/documents/{document_id}/cancel", "post"),
        ("/v1/quarantine/replay", "post"),
        ("/v1/documents/{document_id}/thumbnail", "get"),
        ("/v1/documents/{document_id}/markdown", "get"),
        ("/v1/schemas/result", "get"),
    ):
        assert method in paths[path]
        assert path in page
