"""Streams of events: what they begin with, how they go on, and what ends them."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from sheaf_common import context
from sheaf_common.errors import Unavailable
from sheaf_common.ids import new_id
from sheaf_gateway.domain.access import KeyOwner, Scope
from sheaf_gateway.events import Followed
from support.gateway import AsgiCall, Gateway, build_gateway
from support.gateway_fakes.common import KEY, USER
from support.sse import Told, events_of
from support.waiting import until

_SOON_S = 0.01
_OTHERS_KEY = "sk_other_0123456789"


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    """One whose hub runs."""
    gateway = build_gateway(stream_keep_alive_s=_SOON_S, max_streams=3)
    async with gateway.lifecycle.background("event hub", gateway.hub.run()):
        yield gateway
    assert gateway.lifecycle.failure is None


def told(call: AsgiCall) -> list[Told]:
    """What a call has received."""
    return events_of(call.body)


def ids(call: AsgiCall) -> list[int]:
    """The positions of it."""
    return [each.id for each in told(call)]


async def ended(call: AsgiCall) -> None:
    """Waits until the answer is whole."""
    async with asyncio.timeout(10):
        await call.task
    assert not call.sent[-1]["more_body"]


async def left(call: AsgiCall) -> None:
    """Leaves, and waits until the gateway has noticed."""
    call.leave()
    async with asyncio.timeout(10):
        await call.task


async def test_a_document_is_told_from_its_beginning_to_its_end(gateway: Gateway) -> None:
    """What was before comes first, then what comes; after the last event the stream ends."""
    events, document_id, batch_id = gateway.events, new_id(), new_id()
    events.record("document.queued", document_id, batch_id)
    events.document("completed")
    call = gateway.call("GET", f"/v1/documents/{document_id}/events")
    await until(lambda: ids(call) == [1])
    events.record("document.processing", document_id, batch_id)
    events.record("document.completed", document_id, batch_id)
    await ended(call)
    assert (call.status, ids(call)) == (200, [1, 3, 4])
    assert call.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert call.headers["cache-control"] == "no-store"
    assert call.headers["x-accel-buffering"] == "no"
    assert call.body.split(b"\n")[1:3] == [b"id: 0", b""]
    assert call.body.startswith(b"retry: ")
    assert told(call)[-1].data | {"created_at": ""} == {
        "position": 4,
        "type": "document.completed",
        "document_id": str(document_id),
        "batch_id": str(batch_id),
        "status": "completed",
        "attempt": 1,
        "reason": None,
        "created_at": "",
    }


async def test_who_has_seen_the_end_is_told_to_stop(gateway: Gateway) -> None:
    """204 after the last event, whichever id is named; not before it, and not once it goes on."""
    document_id = gateway.events.document("queued", "completed")
    batch_id = gateway.events.events[0].batch_id
    gateway.events.document("queued")
    path = f"/v1/documents/{document_id}/events"
    async with gateway.http() as http:
        for position in (2, 3, 900):
            answer = await http.get(path, headers={"Last-Event-ID": str(position)})
            assert (answer.status_code, answer.content) == (204, b"")
        rest = await http.get(path, params={"after": 1})
        assert [each.id for each in events_of(rest.content)] == [2]
        first = await http.get(path, params={"after": 2}, headers={"Last-Event-ID": "1"})
        assert [each.id for each in events_of(first.content)] == [2]
        gateway.events.record("batch.finished", None, new_id())
        gateway.events.record("document.queued", document_id, new_id())
        gateway.events.record("document.failed", document_id, new_id())
        again = await http.get(path, params={"after": 2})
        assert [each.id for each in events_of(again.content)] == [5, 6]
    batch = gateway.call("GET", f"/v1/batches/{batch_id}/events", last_event_id="2")
    await until(lambda: batch.status == 200)
    await left(batch)


async def test_a_batch_ends_when_it_has_finished(gateway: Gateway) -> None:
    """Not with its documents; a document that is deleted later does not open it again."""
    events, batch_id, one = gateway.events, new_id(), new_id()
    path = f"/v1/batches/{batch_id}/events"
    events.record("document.queued", one, batch_id)
    call = gateway.call("GET", path)
    await until(lambda: ids(call) == [1])
    events.record("document.completed", one, batch_id)
    await until(lambda: ids(call) == [1, 2])
    assert not call.task.done()
    events.record("batch.finished", None, batch_id)
    await ended(call)
    events.record("document.deleted", one, batch_id)
    async with gateway.http() as http:
        whole = await http.get(path)
        assert [each.id for each in events_of(whole.content)] == [1, 2, 3, 4]
        assert (await http.get(path, headers={"Last-Event-ID": "4"})).status_code == 204


async def test_a_user_is_told_what_comes_or_what_was_missed(gateway: Gateway) -> None:
    """Of nobody else's."""
    events = gateway.events
    events.document("queued", "completed")
    now, missed = gateway.call("GET", "/v1/events"), gateway.call("GET", "/v1/events?after=1")
    await until(lambda: now.status == missed.status == 200)
    events.record("document.queued", new_id(), new_id(), "another")
    events.record("batch.finished", None, new_id())
    await until(lambda: ids(now) == [4])
    assert ids(missed) == [2, 4]
    await left(now)
    await left(missed)


async def test_nothing_is_missed_or_repeated_where_the_hub_lags_behind(gateway: Gateway) -> None:
    """What the record shows already, and the hub tells later, comes once."""
    events = gateway.events
    first = gateway.call("GET", "/v1/events")
    await until(lambda: first.status == 200)
    events.unseen = 2
    document_id = events.document("queued", "processing")
    call = gateway.call("GET", "/v1/events", last_event_id="1")
    await until(lambda: call.status == 200)
    events.unseen = 0
    events.tell()
    events.record("document.completed", document_id, new_id())
    await until(lambda: ids(call) == [2, 3])
    assert ids(first) == [1, 2, 3]
    await left(call)
    await left(first)


async def test_a_slow_client_is_caught_up_from_the_record(gateway: Gateway) -> None:
    """What does not fit its queue is read, in order, with none missed and none twice."""
    seen: list[int] = []

    async def take(count: int) -> None:
        while len(seen) < count:
            seen.extend(event.position for event in await stream.next(10))

    opened = gateway.services.following.following(USER, Followed("user", USER), None)
    with context.bound(context.RequestContext("a-request", USER)):
        async with asyncio.timeout(10), opened as (stream, _):
            (listener,) = gateway.hub._listeners["user", USER]
            for already in (0, 500):
                for _ in range(500):
                    gateway.events.record("batch.finished", None, new_id())
                await until(lambda: listener.lagging)
                await until(lambda: gateway.hub.position == gateway.events.last)
                await take(already + 300)
                gateway.events.record("batch.finished", None, new_id())
                await take(already + 500)
            await take(1002)
    assert seen == list(range(1, 1003))


async def test_streams_outlast_an_outage(gateway: Gateway) -> None:
    """While metadata is down they stay open and say so; then they go on from where they were."""
    call = gateway.call("GET", "/v1/events")
    await until(lambda: call.status == 200)
    gateway.events.failing = Unavailable("PEER_UNAVAILABLE", "down")
    gateway.events.tell()
    gateway.events.record("batch.finished", None, new_id())
    silent = call.body.count(b": keep-alive\n\n")
    await until(lambda: call.body.count(b": keep-alive\n\n") > silent + 2)
    async with gateway.http() as http:
        document_id = gateway.events.document("queued")
        refused = await http.get(f"/v1/documents/{document_id}/events")
        assert (refused.status_code, refused.json()["code"]) == (503, "PEER_UNAVAILABLE")
    gateway.events.failing = None
    await until(lambda: ids(call) == [1, 2])
    await left(call)


async def test_a_stream_ends_with_its_key(gateway: Gateway) -> None:
    """At the next keep-alive after the key is no longer good."""
    call = gateway.call("GET", "/v1/events")
    await until(lambda: b": keep-alive" in call.body)
    gateway.shared.marks.clear()  # as where it was revoked
    gateway.records.add_key(KEY, KeyOwner(USER, frozenset()))
    await ended(call)


async def test_streams_are_bounded_and_given_back(gateway: Gateway) -> None:
    """One too many is 429; one that is left is free again at once; a stop ends them all.

    Whoever comes back too soon after that is not told that there is nothing more.
    """
    calls = [gateway.call("GET", "/v1/events") for _ in range(3)]
    await until(lambda: all(call.status == 200 for call in calls))
    async with gateway.http() as http:
        refused = await http.get("/v1/events")
        assert (refused.status_code, refused.json()["code"]) == (429, "STREAMS_EXHAUSTED")
        assert refused.headers["retry-after"] == "5"
    await left(calls[0])
    calls[0] = gateway.call("GET", "/v1/events")
    await until(lambda: calls[0].status == 200)
    gateway.hub.close()
    for call in calls:
        await ended(call)
    async with gateway.http() as http:
        assert (await http.get("/v1/events")).status_code == 200
    assert not gateway.hub._listeners


async def test_no_user_takes_all_streams() -> None:
    """Who has as many as one may have gets no more; another does; one that is left is free."""
    gateway = build_gateway(stream_keep_alive_s=_SOON_S, max_streams=3, max_user_streams=2)
    gateway.records.add_key(_OTHERS_KEY, KeyOwner("another", frozenset({Scope.READ.value})))
    others = {"authorization": f"Bearer {_OTHERS_KEY}"}
    async with gateway.lifecycle.background("event hub", gateway.hub.run()):
        calls = [gateway.call("GET", "/v1/events") for _ in range(2)]
        await until(lambda: all(call.status == 200 for call in calls))
        async with gateway.http() as http:
            refused = await http.get("/v1/events")
        assert (refused.status_code, refused.json()["code"]) == (429, "USER_STREAMS_EXHAUSTED")
        calls.append(gateway.call("GET", "/v1/events", **others))
        await until(lambda: calls[-1].status == 200)
        await left(calls.pop(0))
        await left(calls.pop())
        calls.append(gateway.call("GET", "/v1/events"))
        await until(lambda: calls[-1].status == 200)
        for call in calls:
            await left(call)


async def test_nobody_polls_for_nobody(gateway: Gateway) -> None:
    """One poll serves all who listen; after the last has left there is none."""
    calls = [gateway.call("GET", "/v1/events") for _ in range(3)]
    await until(lambda: all(call.status == 200 for call in calls))
    assert gateway.events.polls == 2  # one for the position, one that waits
    for call in calls:
        await left(call)
    gateway.events.record("batch.finished", None, new_id())
    await until(lambda: not gateway.hub._wanted.is_set())
    assert gateway.events.polls == 2
    assert not gateway.events.pages


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/v1/documents/nonsense/events", {}, 400, "ID_INVALID"),
        (f"/v1/documents/{UUID(int=7)}/events", {}, 404, "DOCUMENT_NOT_FOUND"),
        (f"/v1/batches/{UUID(int=7)}/events", {"Last-Event-ID": "3"}, 404, "BATCH_NOT_FOUND"),
        ("/v1/events", {"Last-Event-ID": "x"}, 400, "PARAMETER_INVALID"),
        ("/v1/events", {"Last-Event-ID": "-1"}, 400, "PARAMETER_INVALID"),
        ("/v1/events", {"Last-Event-ID": str(2**63)}, 400, "PARAMETER_INVALID"),
        ("/v1/events?after=" + "9" * 300, {}, 400, "PARAMETER_INVALID"),
    ],
)
async def test_what_cannot_be_followed_is_a_problem(
    gateway: Gateway, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    """Bad ids, bad positions, what is not there or another's."""
    async with gateway.http() as http:
        answer = await http.get(path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
