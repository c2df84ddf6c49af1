"""Following, over as many connections as it takes."""

import json
from typing import Any

import httpx
import pytest

from sheaf_client import (
    AnswerInvalid,
    AuthenticationError,
    ConnectionFailed,
    Event,
    NotFoundError,
    WaitTimeout,
)
from support.clients import KINDS, Script, Stream

pytestmark = pytest.mark.parametrize("kind", KINDS)

OVER = httpx.Response(204)


def event(position: int, kind: str, **more: Any) -> bytes:
    """An event as it is sent."""
    fields = {"position": position, "type": kind, "batch_id": "b", "document_id": "d"} | more
    return f"id: {position}\nevent: {kind}\ndata: {json.dumps(fields)}\n\n".encode()


def stream(*pieces: bytes | Exception) -> httpx.Response:
    """A stream that ends, or breaks, after its last piece."""
    headers = {"content-type": "text/event-stream; charset=utf-8"}
    return httpx.Response(200, headers=headers, stream=Stream(*pieces))


def resumed(script: Script) -> list[str | None]:
    """After what each connection asked to go on."""
    return [request.headers.get("last-event-id") for request in script.requests]


def positions(found: list[Event]) -> list[int]:
    """Where the events are."""
    return [each.position for each in found]


def test_a_lost_connection_is_taken_up_where_it_was(kind: str, pauses: list[float]) -> None:
    """Cut, ended, refused or busy: each event comes once, and the server's pause is honoured."""
    whole, half = event(5, "document.processing"), event(6, "document.completed")
    script = Script(
        stream(b"retry: 2000\n\n", event(4, "document.queued"), httpx.ReadError("cut")),
        httpx.ConnectError("refused"),
        httpx.Response(503, headers={"retry-after": "3"}),
        stream(b": keep-alive\n\n", whole, half[:30], httpx.ReadTimeout("silent")),
        stream(b": hello\n\n"),
        stream(half),
        OVER,
    )
    found = script.use(kind, lambda sheaf: sheaf.events_of_document("d"))

    assert positions(found) == [4, 5, 6]
    assert resumed(script) == [None, "4", "4", "4", "5", "5", "6"]
    assert {str(request.url) for request in script.requests} == {"http://x/v1/documents/d/events"}
    assert len(pauses) == 5
    assert min(pauses) >= 2
    assert pauses[2] >= 3


def test_the_end_is_what_the_server_says(kind: str, pauses: list[float]) -> None:
    """A document that was reprocessed goes on after the end of its first attempt."""
    script = Script(
        stream(event(1, "document.failed"), event(2, "document.queued"), b": x\n\n"),
        stream(event(3, "document.completed")),
        OVER,
    )
    found = script.use(kind, lambda sheaf: sheaf.events_of_batch("b", after=0))

    assert positions(found) == [1, 2, 3]
    assert resumed(script) == ["0", "2", "3"]


def test_a_server_that_does_not_say_that_it_is_over_is_not_pressed(
    kind: str, pauses: list[float]
) -> None:
    """Asked at once whether there is more; from then on, at its pace."""
    quiet = b"retry: 2000\n\n"
    script = Script(stream(event(1, "document.failed")), stream(quiet), stream(quiet), OVER)
    script.use(kind, lambda sheaf: sheaf.events_of_document("d"))

    assert len(pauses) == 2
    assert min(pauses) >= 2


def test_what_is_deleted_has_ended(kind: str, pauses: list[float]) -> None:
    """Its last event says so; afterwards nobody knows it."""
    gone = httpx.Response(404, json={"code": "DOCUMENT_NOT_FOUND"})
    script = Script(stream(event(9, "document.deleted")), gone)
    (found,) = script.use(kind, lambda sheaf: sheaf.events_of_document("d"))

    assert found.ends_document
    assert pauses == []
    with pytest.raises(NotFoundError):
        Script(gone).use(kind, lambda sheaf: sheaf.events_of_document("d"))


def test_documents_come_as_they_end(kind: str, pauses: list[float]) -> None:
    """As they are then; one that is gone or is worked on again is left out, none is lost."""
    document = {
        "id": "d", "batch_id": "b", "filename": "a", "status": "completed", "attempt": 2,
        "content_type": "text/plain", "size_bytes": 1, "sha256": "00",
    }  # fmt: skip
    script = Script(
        stream(
            event(1, "document.queued", attempt=1),
            event(2, "document.failed", attempt=1),
            event(3, "document.cancelled", document_id="gone"),
            event(4, "document.completed", attempt=2),
        ),
        httpx.Response(200, json=document),
        httpx.Response(404, json={"code": "DOCUMENT_NOT_FOUND"}),
        httpx.ConnectError("refused"),
        stream(event(4, "document.completed", attempt=2), event(5, "batch.finished")),
        httpx.Response(200, json=document),
        OVER,
    )
    found = script.use(kind, lambda sheaf: sheaf.watch_batch("b"), max_tries=1)

    assert [(each.id, each.attempt) for each in found] == [("d", 2)]
    assert resumed(script)[4] == "3"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(401, json={"code": "API_KEY_REVOKED"}), AuthenticationError),
        (httpx.Response(200, json={}), AnswerInvalid),
        (httpx.Response(302), AnswerInvalid),
    ],
)
def test_what_no_patience_helps_is_raised(
    kind: str, answer: httpx.Response, error: type[Exception], pauses: list[float]
) -> None:
    """A key that is revoked, and an address that is not Sheaf's."""
    script = Script(stream(event(1, "document.queued")), answer)
    with pytest.raises(error):
        script.use(kind, lambda sheaf: sheaf.events_of_all())


def test_a_server_that_stays_away_is_given_up(
    kind: str, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a bounded number of tries, or a bounded time."""
    monkeypatch.setattr("sheaf_client.events._RECONNECT_TRIES", 3)
    script = Script(*[httpx.ConnectError("refused")] * 2, stream())
    with pytest.raises(ConnectionFailed):
        script.use(kind, lambda sheaf: sheaf.events_of_all())
    assert len(script.requests) == 3


def test_following_ends_at_its_deadline(kind: str) -> None:
    """Though events come on and on."""

    class Endless(Stream):
        def __iter__(self) -> Any:
            while True:
                yield event(1, "document.queued")

    headers = {"content-type": "text/event-stream"}
    script = Script(httpx.Response(200, headers=headers, stream=Endless()))
    with pytest.raises(WaitTimeout):
        script.use(kind, lambda sheaf: sheaf.events_of_all(timeout_s=0.05))
