"""A backlog that is too old shuts the intake of the real system, and nothing else."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from sheaf_gateway.backlog import REOPENS_AT, LaneQueue, seconds_until_young
from support.system import System
from support.waiting import until_answer

LIMIT_S = 1.0


@dataclass
class Strict:
    """A second gateway of the system, with a low limit, and what it has accepted."""

    http: httpx.AsyncClient
    accepted: list[str] = field(default_factory=list)
    slowest_s: list[float] = field(default_factory=list)

    async def upload(self) -> httpx.Response:
        """One small document."""
        files = {"file": (f"{len(self.accepted)}.txt", b"some text")}
        answer = await self.http.post("/v1/documents", files=files)
        if answer.status_code == 202:
            self.accepted += [each["id"] for each in answer.json()["documents"]]
        else:
            assert answer.status_code == 429, answer.text
        return answer

    async def is_open(self) -> bool:
        """Whether it takes one more."""
        return (await self.upload()).status_code == 202

    async def is_shut(self) -> bool:
        """Whether it does not."""
        return not await self.is_open()

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Asks for health and for a list, one after the other, for as long as the block runs."""

        async def look() -> None:
            while True:
                for path in ("/ht/", "/v1/documents?limit=1"):
                    began = time.monotonic()
                    assert (await self.http.get(path)).status_code == 200
                    self.slowest_s.append(time.monotonic() - began)

        looking = asyncio.create_task(look())
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.wait([looking])
        assert looking.cancelled(), looking.exception()


async def many(times: int, act: Callable[[], Awaitable[httpx.Response]]) -> list[httpx.Response]:
    """The answers of sixteen clients, each of which acts so often."""

    async def client() -> list[httpx.Response]:
        return [await act() for _ in range(times)]

    return [one for each in await asyncio.gather(*(client() for _ in range(16))) for one in each]


@asynccontextmanager
async def strict_gateway(system: System) -> AsyncIterator[Strict]:
    """It, while nothing is extracted at first."""
    limits = {"ADMISSION_MAX_BACKLOG_AGE_S": str(LIMIT_S)}
    await asyncio.gather(
        system.stack.stop_process("orchestrator"),
        system.stack.start_process("gateway-2", service="gateway", extra_env=limits),
    )
    try:
        url = f"http://127.0.0.1:{system.stack.port('gateway-2')}"
        headers = dict(system.http.headers)
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as http:
            yield Strict(http)
    finally:
        if not system.stack.is_running("orchestrator"):
            await system.stack.start_process("orchestrator")
        await system.stack.stop_process("gateway-2")
        await system.healthy()


async def test_an_old_backlog_shuts_the_intake_until_it_is_young_again(system: System) -> None:
    """Floods of uploads, taken or refused, delay neither health nor reads; nothing is lost."""
    async with strict_gateway(system) as strict:
        async with strict.looking():
            await many(3, strict.upload)
            await until_answer(strict.is_shut)
            refused = await many(15, strict.upload)
        assert {answer.status_code for answer in refused} == {429}
        for answer in refused:
            problem = answer.json()
            assert problem["code"] == "BACKLOG_TOO_OLD"
            assert float(problem["age_s"]) > LIMIT_S * REOPENS_AT
            queue = LaneQueue(
                problem["lane"],
                int(problem["queued_documents"]),
                float(problem["age_s"]),
                float(problem["drained_per_second"]),
            )
            least_s = seconds_until_young(queue, REOPENS_AT * LIMIT_S)
            assert 0.9 * least_s <= int(answer.headers["retry-after"]) <= 2.2 * least_s + 1
        slow = sorted(strict.slowest_s)
        assert slow[int(0.99 * (len(slow) - 1))] < 2

        await system.stack.start_process("orchestrator")
        await until_answer(strict.is_open, timeout_s=60)
        documents = await system.finished(strict.accepted)

    assert {document["status"] for document in documents} == {"completed"}
    await system.assert_nothing_lost_or_doubled()
