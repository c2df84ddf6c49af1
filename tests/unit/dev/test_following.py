"""A batch is looked at when something of it ends: by events, and without them by long polls."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import httpx

from sheaf_client import AsyncClient
from sheaf_dev.following import LOOK_S, looks
from support.waiting import until


class Answers:
    """The batch, which has ended at the third look; and its events."""

    def __init__(self, events: Callable[[], httpx.Response]) -> None:
        self._events = events
        self.waits: list[str | None] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """One answer."""
        if request.url.path.endswith("/events"):
            return self._events()
        self.waits.append(request.url.params.get("wait"))
        ended = "2026-11-30T01:00:00Z" if len(self.waits) == 3 else None
        return httpx.Response(
            200, json={"id": "b", "counts": {}, "documents": [], "finished_at": ended}
        )

    async def looked(self) -> int:
        """How many looks there were until the end."""
        async with AsyncClient("http://x", "sk_k", transport=httpx.MockTransport(self)) as sheaf:
            return len([batch async for batch in looks(sheaf, "b")])


async def test_each_end_is_looked_at() -> None:
    """At once, long before it would be time."""

    async def ends() -> AsyncIterator[bytes]:
        yield event(1, "document.completed")
        await until(lambda: len(answers.waits) == 2)
        yield event(2, "batch.finished")

    streams = [
        httpx.Response(204),
        httpx.Response(200, headers={"content-type": "text/event-stream"}, content=ends()),
    ]
    answers = Answers(streams.pop)
    async with asyncio.timeout(LOOK_S / 2):
        assert await answers.looked() == 3
    assert answers.waits[:2] == [None, None]


def event(position: int, kind: str) -> bytes:
    """An event as it is sent."""
    fields = {"position": position, "type": kind, "batch_id": "b"}
    return f"id: {position}\ndata: {json.dumps(fields)}\n\n".encode()


async def test_without_events_looks_wait_themselves() -> None:
    """Where there are too many streams, or none at all."""
    for status in (404, 403):
        answers = Answers(lambda status=status: httpx.Response(status, json={"code": "X"}))  # type: ignore[misc]
        assert await answers.looked() == 3
        assert answers.waits[1:] == ["2", "2"]
