"""Requests worked on at once are bounded; health is never behind the work."""

import asyncio
from typing import Any

from support.gateway import MULTIPART, PDF, Gateway, build_gateway, form
from support.waiting import until


async def held(gateway: Gateway, count: int) -> tuple[asyncio.Event, list[asyncio.Task[Any]]]:
    """So many reads that metadata does not answer until the event is set."""
    go, answered = asyncio.Event(), gateway.records.documents

    async def slow(*args: Any, **options: Any) -> Any:
        await go.wait()
        return await answered(*args, **options)

    gateway.records.documents = slow  # type: ignore[method-assign]
    calls = [gateway.call("GET", "/v1/documents") for _ in range(count)]
    await until(lambda: gateway.services.places.taken == count)
    return go, [call.task for call in calls]


async def test_one_request_too_many_is_a_429_while_operators_are_answered() -> None:
    """At once, with Retry-After; the places are free again afterwards."""
    gateway = build_gateway(max_requests=3)
    go, reads = await held(gateway, 3)
    async with gateway.http() as http:
        refused = await http.get("/v1/documents")
        asked = [await http.get(path) for path in ("/ht/", "/ht", "/livez", "/metrics")]
        go.set()
        await asyncio.gather(*reads)
        again = await http.get("/v1/documents")

    assert (refused.status_code, refused.json()["code"]) == (429, "REQUESTS_IN_FLIGHT")
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) >= 1
    assert [answer.status_code for answer in asked] == [200] * 4
    assert again.status_code == 200
    assert gateway.services.places.taken == 0


async def test_those_who_only_wait_leave_their_place_to_others() -> None:
    """Uploads and long polls have bounds of their own."""
    gateway = build_gateway(max_requests=1)
    upload = gateway.call("POST", "/v1/documents", content_type=MULTIPART)
    body = form(("file", "a.pdf", PDF))
    upload.feed(body[:20])
    await until(lambda: gateway.services.intake._admission._in_flight)
    assert gateway.services.places.taken == 0
    reading = gateway.services.reading
    async with gateway.http() as http:
        first = await http.post("/v1/documents", files={"file": ("b.pdf", PDF)})
        path = f"/v1/documents/{first.json()['documents'][0]['id']}"
        poll = gateway.call("GET", f"{path}?wait=60")
        await until(lambda: gateway.services.places.taken == 0 and reading._polls._waiting)
        assert (await http.get(path)).status_code == 200
    upload.feed(body[20:], more=False)
    await upload.task
    poll.leave()
    await poll.task
    assert upload.status == 202
    assert gateway.services.places.taken == 0


async def test_a_refused_upload_that_goes_on_sending_holds_no_place() -> None:
    """Its body is read for a moment, so that the answer arrives, but it is refused already."""
    gateway = build_gateway(max_requests=1)
    gateway.queue.oldest_age_s = 400
    await gateway.services.backlog.look()
    upload = gateway.call("POST", "/v1/documents", content_type=MULTIPART, content_length="1000000")
    upload.feed(b"x" * 1000)
    await until(lambda: upload.received == 1)
    assert (upload.status, gateway.services.places.taken) == (429, 0)
    upload.leave()
    await upload.task
