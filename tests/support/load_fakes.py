"""A system under load as its clients see it, without sockets: answers are what a claim says."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import aiohttp
from yarl import URL

from sheaf_dev.bench.load.clients import Clients, Tally
from sheaf_dev.bench.load.content import Content
from sheaf_dev.bench.load.job import Job
from sheaf_dev.bench.load.plan import LoadPlan
from sheaf_dev.bench.load.schedule import Schedule

ACCEPTED = {"documents": [{"id": "1", "status": "queued"}]}
COMPLETED = {"id": "1", "status": "completed", "reason": None, "progress": None}
CONTENTS = tuple(Content(f"{n}.txt", f"text {n} ".encode(), stamped=True) for n in range(3))


@dataclass
class FakeAnswer:
    """As much of `aiohttp.ClientResponse` as clients use."""

    status: int
    content: bytes

    async def read(self) -> bytes:
        """All of it."""
        return self.content


@dataclass
class FakeSystem:
    """Answers uploads and reads; `calls` has every request: its method, path and body."""

    upload: Callable[[int], Awaitable[tuple[int, Any]]] | None = None
    """What the upload of that number, from 0, is answered."""
    read: Callable[[int], Awaitable[tuple[int, Any]]] | None = None
    calls: list[tuple[str, str, bytes]] = field(default_factory=list)
    began: list[float] = field(default_factory=list)
    """When each upload came, by the loop's clock."""
    reads: int = 0

    @asynccontextmanager
    async def request(
        self, method: str, url: URL, *, data: bytes | None, headers: Mapping[str, str] | None
    ) -> AsyncIterator[FakeAnswer]:
        """See `aiohttp.ClientSession`."""
        self.calls.append((method, url.path_qs, data or b""))
        if method == "POST":
            self.began.append(asyncio.get_running_loop().time())
            ask = self.upload or always(202, ACCEPTED)
            status, body = await ask(len(self.began) - 1)
        else:
            self.reads += 1
            ask = self.read or always(200, COMPLETED)
            status, body = await ask(self.reads - 1)
        yield FakeAnswer(status, body if isinstance(body, bytes) else json.dumps(body).encode())

    def clients(self, plan: LoadPlan | None = None, *, run: int = 7) -> Clients:
        """Clients of it."""
        job = Job("http://sheaf", "key", plan or LoadPlan(), 10.0, run, CONTENTS)
        return Clients(cast("aiohttp.ClientSession", self), job)

    async def offered(self, *uploads_s: float, drain_s: float = 5.0, **plan: Any) -> Tally:
        """What clients see who upload at these times."""
        tally = Tally()
        schedule = Schedule(uploads_s, ())
        await self.clients(LoadPlan(**plan)).offer(schedule, tally, drain_s)
        return tally


def always(status: int, body: Any) -> Callable[[int], Awaitable[tuple[int, Any]]]:
    """The same answer to all."""

    async def answer(_number: int) -> tuple[int, Any]:
        return status, body

    return answer
