"""What watches a system under load, and how its failures are told."""

import asyncio
import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from sheaf_dev.bench.load.remote_watch import _RemoteWatching
from sheaf_dev.bench.load.watching import in_background
from sheaf_dev.errors import DevError


async def test_what_the_block_raises_passes_as_it_is() -> None:
    """And nothing goes on in the background."""
    looking = asyncio.Event()

    async def look() -> None:
        try:
            looking.set()
            await asyncio.Event().wait()
        finally:
            looking.clear()

    async def fail_beside_it() -> None:
        async with in_background(look()):
            await looking.wait()
            raise DevError("no such document")

    with pytest.raises(DevError, match="no such document"):
        await fail_beside_it()
    assert not looking.is_set()


async def test_what_a_watch_raises_ends_the_block() -> None:
    """At once: what it waits for may never come."""

    async def fail() -> None:
        raise DevError("a process ended")

    with pytest.raises(DevError, match="a process ended"):
        async with in_background(fail()):
            await asyncio.Event().wait()


async def test_of_a_running_system_the_highest_value_counts() -> None:
    """Of its activities the last answer, which is over the whole run."""
    said: list[str] = []
    looks: Iterator[dict[str, float | None]] = iter(
        [
            {"pending_workflows": 3.0, "pool_s3_used": 0.5, "activity_p99_ms": 900.0},
            {"pending_workflows": 1.0, "pool_s3_used": 0.25, "oldest_queued_s": None},
            {"pending_workflows": 2.0, "activity_p99_ms": 120.0, "of_a_later_version": 1.0},
        ]
    )

    def answer(_request: httpx.Request) -> httpx.Response:
        kpis = [{"name": name, "value": value} for name, value in next(looks).items()]
        return httpx.Response(200, content=json.dumps({"kpis": kpis}))

    async with _client(answer) as http:
        watching = _RemoteWatching(http, said.append)
        for _ in range(2):
            await watching.look()
        observed = await watching.observed()

    assert observed.kpis == {
        "pending_workflows": 3.0,
        "pool_s3_used": 0.5,
        "activity_p99_ms": 120.0,
    }
    assert (observed.pool_used_max, observed.cpu_s, said) == ({"s3": 0.5}, {}, [])


@pytest.mark.parametrize(
    ("answer", "why"), [(httpx.Response(403), "HTTP 403"), (httpx.Response(200, text="?"), "JSON")]
)
async def test_a_key_that_may_not_ask_leaves_targets_unknown(
    answer: httpx.Response, why: str
) -> None:
    """And says so, with the reason."""
    said: list[str] = []
    async with _client(lambda _: answer) as http:
        observed = await _RemoteWatching(http, said.append).observed()

    assert observed.kpis == {"activity_p99_ms": None}
    assert len(said) == 1
    assert why in said[0]
    assert "unknown" in said[0]


def _client(answer: Callable[[httpx.Request], httpx.Response]) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url="http://sheaf", transport=httpx.MockTransport(answer))
