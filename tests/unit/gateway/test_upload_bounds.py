"""Uploads are bounded: files at once, bytes held, uploads at once."""

import asyncio

import pytest

from sheaf_gateway.ports.health import Serving
from support.gateway import MULTIPART, PDF, Gateway, build_gateway, form
from support.waiting import until


def many(count: int) -> bytes:
    """A body of so many small files."""
    return form(*[("files", f"{number}.pdf", PDF) for number in range(count)])


@pytest.mark.parametrize(
    ("files", "settings", "peak"),
    [
        pytest.param(120, {}, 50, id="at most 50"),
        pytest.param(120, {"concurrency_max": 7}, 7, id="as set"),
        pytest.param(120, {"concurrency_mode": "fixed"}, 8, id="fixed"),
        pytest.param(5, {}, 5, id="few files"),
    ],
)
async def test_the_bound_is_reached_and_never_exceeded(
    files: int, settings: dict[str, object], peak: int
) -> None:
    """With storage slower than the client."""
    gateway = build_gateway(**settings)
    go = asyncio.Event()

    async def wait(_filename: str) -> None:
        await go.wait()

    gateway.store.before_put = wait
    call = gateway.call("POST", "/v1/documents", content_type=MULTIPART)
    call.feed(many(files), more=False)
    await until(lambda: gateway.store.running == peak)
    for _ in range(50):
        await asyncio.sleep(0)
    go.set()
    await call.task

    assert call.status == 202
    assert gateway.store.peak == peak
    assert len(gateway.store.objects) == files


async def test_files_are_stored_while_the_next_arrives(gateway: Gateway) -> None:
    """The first is stored before the body is complete."""
    call = gateway.call("POST", "/v1/documents", content_type=MULTIPART)
    body = many(2)
    call.feed(body[: len(body) // 2 + 10])
    await until(lambda: gateway.store.objects)
    call.feed(body[len(body) // 2 + 10 :], more=False)
    await call.task

    assert call.status == 202


async def test_a_large_file_is_streamed_at_the_pace_of_storage(gateway: Gateway) -> None:
    """The body is not read ahead of it by more than a few pieces."""
    taken = asyncio.Semaphore(0)
    gateway.store.piece_taken = taken.acquire  # type: ignore[assignment]
    call = gateway.call("POST", "/v1/documents", content_type=MULTIPART)
    content = b"y" * 20_000_000
    body = form(("file", "large.txt", content))
    for start in range(0, len(body), 200_000):
        call.feed(body[start : start + 200_000])
    call.feed(b"", more=False)
    await until(lambda: gateway.store.streamed)
    read_before = 0
    while read_before != call.received:
        read_before = call.received
        for _ in range(50):
            await asyncio.sleep(0)
    held_up_at = call.received
    for _ in range(200):
        taken.release()
    await call.task

    assert held_up_at * 200_000 <= 2_000_000
    assert call.status == 202
    assert list(gateway.store.objects.values()) == [content]


async def test_files_for_which_there_is_no_memory_stream_through() -> None:
    """The budget is never exceeded, and no upload waits for another's memory."""
    gateway = build_gateway(buffer_bytes=100_000)
    budget = gateway.services.intake._budget
    most = 0

    async def look(_filename: str) -> None:
        nonlocal most
        most = max(most, budget.used_bytes)
        await asyncio.sleep(0)

    gateway.store.before_put = look
    contents = [bytes([65 + number]) * 40_000 for number in range(8)]
    calls = []
    for _ in range(4):
        call = gateway.call("POST", "/v1/documents", content_type=MULTIPART)
        body = form(*[("file", f"{n}.txt", content) for n, content in enumerate(contents)])
        for start in range(0, len(body), 10_000):
            call.feed(body[start : start + 10_000])
        call.feed(b"", more=False)
        calls.append(call)
    await asyncio.gather(*(call.task for call in calls))

    assert [call.status for call in calls] == [202] * 4
    assert sorted(gateway.store.objects.values()) == sorted(contents * 4)
    assert 0 < most <= 100_000
    assert gateway.store.streamed
    assert budget.used_bytes == 0


async def test_one_upload_too_many_is_a_429() -> None:
    """Before a byte is read; the place is free again afterwards."""
    gateway = build_gateway(max_uploads=1)
    first = gateway.call("POST", "/v1/documents", content_type=MULTIPART)
    first.feed(form(("file", "a.pdf", PDF))[:20])
    await until(lambda: gateway.services.intake._admission._in_flight)
    second = gateway.call("POST", "/v1/documents", content_type=MULTIPART)
    await second.task
    first.feed(form(("file", "a.pdf", PDF))[20:], more=False)
    await first.task
    third = gateway.call("POST", "/v1/documents", content_type=MULTIPART)
    third.feed(form(("file", "a.pdf", PDF)), more=False)
    await third.task

    assert [call.status for call in (first, second, third)] == [202, 429, 202]
    assert int(second.headers["retry-after"]) >= 1
    assert second.received == 0


async def test_uploads_are_refused_while_intake_is_known_to_be_down(gateway: Gateway) -> None:
    """503 with Retry-After, naming what is down; reads of the body do not begin."""
    gateway.probe.said["mysql"] = Serving.NO
    await gateway.services.health_service.report()
    call = gateway.call("POST", "/v1/documents", content_type=MULTIPART)
    await call.task

    assert call.status == 503
    assert b'"dependency":"mysql"' in call.body
    assert "retry-after" in call.headers
    assert call.received == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [("redis", Serving.NO), ("temporal", Serving.NO), ("storage", Serving.SILENT)],
)
async def test_intake_goes_on_without_what_it_does_not_need(
    gateway: Gateway, name: str, said: Serving
) -> None:
    """And a slow answer is no refusal."""
    gateway.probe.said[name] = said
    await gateway.services.health_service.report()
    call = gateway.call("POST", "/v1/documents", content_type=MULTIPART)
    call.feed(form(("file", "a.pdf", PDF)), more=False)
    await call.task

    assert call.status == 202
