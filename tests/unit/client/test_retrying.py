"""When a call is sent again, and when not."""

import io
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from sheaf_client import (
    AnswerInvalid,
    Client,
    ConflictError,
    ConnectionFailed,
    IdempotencyKeyReused,
    NotFoundError,
    OverCapacityError,
    RateLimit,
    RateLimitedError,
    UnavailableError,
)
from sheaf_client.limits import retry_after_s
from support.clients import KINDS, Script

TAKEN = {"batch_id": "b", "documents": [{"id": "d", "filename": "a", "status": "queued"}]}
NOW = datetime(2026, 11, 30, 1, 0, 0, tzinfo=UTC)

pytestmark = pytest.mark.parametrize("kind", KINDS)


def refusal(status: int, code: str, after: str | None = None) -> httpx.Response:
    """A problem."""
    headers = {} if after is None else {"retry-after": after}
    return httpx.Response(status, json={"code": code, "status": status}, headers=headers)


def taken() -> httpx.Response:
    """An upload's answer."""
    return httpx.Response(202, json=TAKEN)


def files_of(body: bytes) -> bytes:
    """A form without its boundary, which differs each time."""
    return body.replace(body.split(b"\r\n", 1)[0], b"")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Mon, 30 Nov 2026 01:00:30 GMT", 30.0),
        ("Monday, 30-Nov-26 01:00:30 GMT", 30.0),
        ("Mon, 30 Nov 2026 00:59:00 GMT", 0.0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("9" * 400, None),
    ],
)
def test_retry_after_has_two_forms(kind: str, value: str | None, expected: float | None) -> None:
    """Seconds or an HTTP date; anything else is as if it were not there."""
    assert retry_after_s(value, now=NOW) == expected


@pytest.mark.parametrize(
    "lost",
    [
        httpx.ReadError("cut"),
        httpx.ConnectError("refused"),
        refusal(503, "INTAKE_UNAVAILABLE", "1"),
        refusal(429, "UPLOADS_IN_FLIGHT", "1"),
        refusal(409, "IDEMPOTENCY_KEY_IN_FLIGHT", "1"),
    ],
    ids=["cut", "refused", "503", "429", "in flight"],
)
def test_an_upload_is_sent_again_under_its_key(
    kind: str, lost: httpx.Response | Exception, tmp_path: Path, pauses: list[float]
) -> None:
    """With all that it had, read again: from paths, memory and open files where they stood."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"from a path")
    opened = io.BytesIO(b"skipped:from a file")
    opened.seek(8)
    script = Script(lost, taken())
    files = (path, ("b", b"from memory"), ("c", opened), ("d", [b"from ", b"a list"]))
    upload = script.use(kind, lambda sheaf: sheaf.upload(*files, product="tax"))
    first, second = (request.headers["idempotency-key"] for request in script.requests)

    assert upload.batch_id == "b"
    assert first == second
    assert len(first) == 38
    assert files_of(script.bodies[0]) == files_of(script.bodies[1])
    for content in (b"from a path", b"from memory", b"\r\nfrom a file", b"from a list", b"tax"):
        assert content in script.bodies[1]
    assert pauses[0] >= (1 if isinstance(lost, httpx.Response) else 0)


def test_each_upload_has_a_key_of_its_own(kind: str) -> None:
    """Unless the caller gives one, which is sent as a structured field."""
    keys = []
    for own in (None, None, 'mine "1"'):
        script = Script(taken())

        def use(sheaf: Any, own: str | None = own) -> Any:
            return sheaf.upload(("a", b"a"), idempotency_key=own)

        script.use(kind, use)
        keys.append(script.requests[0].headers["idempotency-key"])

    assert keys[0] != keys[1]
    assert keys[2] == '"mine \\"1\\""'
    with pytest.raises(ValueError, match="1 to 255"):
        Script().use(kind, lambda sheaf: sheaf.upload(("a", b"a"), idempotency_key="ü"))


def upload(file: Any, sheaf: Any) -> Any:
    """Sends one file."""
    return sheaf.upload(file)


def once() -> Iterator[bytes]:
    """Bytes that come once."""
    yield b"a"
    yield b"b"


async def once_async() -> AsyncIterator[bytes]:
    """Bytes that come once, without blocking."""
    yield b"a"
    yield b"b"


def sources(kind: str) -> list[Any]:
    """What can be read once."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    return [once(), Pipe(b"ab"), *([once_async()] if kind == "async" else [])]


def test_what_can_be_read_once_is_not_sent_again(kind: str, pauses: list[float]) -> None:
    """The error says so; the content streamed as it came, its size unknown."""
    for source in sources(kind):
        script = Script(httpx.ReadError("cut"), taken())
        send = partial(upload, ("x.bin", source))
        with pytest.raises(ConnectionFailed, match=r"x\.bin can be read only once"):
            script.use(kind, send)
        assert len(script.requests) == 1
        assert script.requests[0].headers["transfer-encoding"] == "chunked"
        assert b"ab" in script.bodies[0]
    busy = Script(refusal(503, "X"))
    with pytest.raises(UnavailableError) as caught:
        busy.use(kind, lambda sheaf: sheaf.upload(("x.bin", once())))
    assert "read only once" in caught.value.__notes__[0]


def test_another_content_under_the_same_key_is_an_error(kind: str) -> None:
    """At once."""
    script = Script(refusal(422, "IDEMPOTENCY_KEY_REUSED"))
    with pytest.raises(IdempotencyKeyReused):
        script.use(kind, lambda sheaf: sheaf.upload(("a", b"a"), idempotency_key="k"))


def test_a_replayed_answer_says_so(kind: str) -> None:
    """It is the first one."""
    script = Script(httpx.Response(202, json=TAKEN, headers={"idempotency-replayed": "true"}))
    assert script.use(kind, lambda sheaf: sheaf.upload(("a", b"a"))).is_replayed


UNREPEATABLE: list[Callable[[Any], Any]] = [
    lambda sheaf: sheaf.reprocess("d"),
    lambda sheaf: sheaf.replay_quarantined(),
    lambda sheaf: sheaf.create_key("ci", ["documents:read"]),
]


@pytest.mark.parametrize("change", UNREPEATABLE, ids=["reprocess", "replay", "create_key"])
@pytest.mark.parametrize("lost", [refusal(503, "X"), httpx.ReadError("cut")], ids=["503", "cut"])
def test_what_may_have_been_done_is_not_done_twice(
    kind: str, lost: httpx.Response | Exception, change: Callable[[Any], Any], pauses: list[float]
) -> None:
    """What was done is not known."""
    script = Script(lost, lost)
    with pytest.raises((UnavailableError, ConnectionFailed)):
        script.use(kind, change)
    assert len(script.requests) == 1


@pytest.mark.parametrize("change", UNREPEATABLE, ids=["reprocess", "replay", "create_key"])
def test_what_was_surely_not_done_is_sent_again(
    kind: str, change: Callable[[Any], Any], pauses: list[float]
) -> None:
    """A 429 and a refused connection did nothing."""
    script = Script(
        httpx.ConnectError("refused"), refusal(429, "RATE_LIMITED", "2"), refusal(404, "GONE")
    )
    with pytest.raises(NotFoundError):
        script.use(kind, change)
    assert len(script.requests) == 3


def test_the_time_for_all_tries_is_bounded(kind: str, pauses: list[float]) -> None:
    """A Retry-After beyond it is not waited for, but told."""
    script = Script(refusal(503, "X", "5"), refusal(429, "BACKLOG_TOO_OLD", "500"))
    with pytest.raises(OverCapacityError) as caught:
        script.use(kind, lambda sheaf: sheaf.get_document("d"), max_elapsed_s=60)
    assert (len(pauses), caught.value.retry_after_s) == (1, 500)


def test_a_deletion_whose_answer_was_lost_is_done(kind: str, pauses: list[float]) -> None:
    """That it is gone then is what was wanted; that it never was there is an error."""
    gone = refusal(404, "DOCUMENT_NOT_FOUND")
    script = Script(httpx.ReadError("cut"), gone)
    assert script.use(kind, lambda sheaf: sheaf.delete_document("d")) is None
    assert [(each.method, each.url.path) for each in script.requests] == [
        ("DELETE", "/v1/documents/d")
    ] * 2
    with pytest.raises(NotFoundError):
        Script(gone).use(kind, lambda sheaf: sheaf.delete_batch("b"))


@pytest.mark.parametrize("answer", [httpx.Response(200, text="a page"), httpx.Response(302)])
def test_only_sheaf_says_that_something_is_deleted(kind: str, answer: httpx.Response) -> None:
    """Whatever a proxy answers."""
    with pytest.raises(AnswerInvalid):
        Script(answer).use(kind, lambda sheaf: sheaf.revoke_key("k"))


def test_errors_tell_what_support_asks_for(kind: str) -> None:
    """The request's id, when to come back, and the rate that the key has."""
    headers = {
        "retry-after": "3",
        "x-request-id": "r-1",
        "ratelimit-policy": '"default";q=200;w=10',
        "ratelimit": '"default";r=0;t=3',
    }
    body = {"code": "RATE_LIMITED", "status": 429, "detail": "too often"}
    script = Script(httpx.Response(429, json=body, headers=headers))
    with pytest.raises(RateLimitedError, match="429 RATE_LIMITED: too often") as caught:
        script.use(kind, lambda sheaf: sheaf.get_document("d"), max_tries=1)
    error = caught.value

    assert (error.request_id, error.retry_after_s) == ("r-1", 3)
    assert error.rate_limit == RateLimit(quota=200, window_s=10, remaining=0, reset_s=3)
    assert error.problem.detail == "too often"


def test_another_conflict_is_not_waited_for(kind: str) -> None:
    """Only one that passes is."""
    script = Script(refusal(409, "NOT_READY", "1"))
    with pytest.raises(ConflictError):
        script.use(kind, lambda sheaf: sheaf.text("d"))


def test_no_secret_is_shown(kind: str) -> None:
    """Neither by the client nor by what it was told of a new key."""
    made = {"id": "k", "name": "ci", "prefix": "sk_abc", "scopes": [], "key": "sk_abc_secret"}
    script = Script(httpx.Response(201, json=made))
    key = script.use(kind, lambda sheaf: sheaf.create_key("ci", []))
    with Client("http://user:pass@host:1", "sk_key") as client:
        shown = f"{client!r} {client._config!r} {key!r} {key}"

    assert key.key == "sk_abc_secret"
    assert "secret" not in shown
    assert "sk_key" not in shown
    assert "host:1" in repr(client)
    assert "pass@" not in repr(client)
