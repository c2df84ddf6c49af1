"""Following over the real system: gateways that stop or die, many who listen, what it costs."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import httpx
import pytest

from support.metrics import Metrics, address
from support.sql_log import statements
from support.sse import Told, received
from support.system import TERMINAL, System
from support.waiting import until, until_answer

_ENDS: Final = {f"document.{status}" for status in TERMINAL}
_LISTENERS: Final = 200
_ENOUGH: Final = httpx.Limits(max_connections=_LISTENERS + 10)


class Follower:
    """A client that comes back with `Last-Event-ID`, whatever ends its stream."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.told: list[Told] = []
        self.clean_ends = 0
        self.cuts = 0
        self.over = False
        self.times: dict[int, float] = {}
        self.is_open = False

    async def follow(self, http: httpx.AsyncClient) -> None:
        """Follows until it is told that there is nothing more."""
        while await self._once(http):  # noqa: ASYNC110 - as a client waits before it comes back
            await asyncio.sleep(0.05)
        self.over = True

    async def _once(self, http: httpx.AsyncClient) -> bool:
        headers = {"Last-Event-ID": str(self.told[-1].id)} if self.told else {}
        try:
            async with http.stream("GET", self._path, headers=headers) as answer:
                if answer.status_code == 204:
                    return False
                if answer.status_code == 503:
                    return True  # it has only begun, and knows its peers not yet
                assert answer.status_code == 200, await answer.aread()
                self.is_open = True
                async for each in received(answer):
                    self.told.append(each)
                    self.times[each.id] = time.monotonic()
            self.clean_ends += 1
        except httpx.TransportError:
            self.cuts += 1
        finally:
            self.is_open = False
        return True


@asynccontextmanager
async def following(http: httpx.AsyncClient, *paths: str) -> AsyncIterator[list[Follower]]:
    """Followers of these paths, each with its stream open, for as long as the block runs."""
    followers = [Follower(path) for path in paths]
    tasks = [asyncio.create_task(each.follow(http)) for each in followers]
    try:
        await until(lambda: all(each.is_open for each in followers), timeout_s=30)
        yield followers
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [end for end in ends if isinstance(end, Exception)] == []


def documents_of(told: list[Told]) -> dict[str, list[str]]:
    """What was told of each document, in order."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for each in told:
        if each.data["document_id"] is not None:
            found[each.data["document_id"]].append(each.type)
    return found


def ended(told: list[Told]) -> set[str]:
    """The documents whose end was told."""
    return {each.data["document_id"] for each in told if each.type in _ENDS}


async def test_nothing_is_missed_when_gateways_stop_or_die(system: System) -> None:
    """Each event of each document once, in order, over a gateway's stop and another's death."""
    async with following(system.http, "/v1/events") as (user,):
        first = await system.accepted({f"{n}.txt": b"text %d" % n for n in range(4)})
        await until(lambda: user.told)
        await system.stack.stop_process("gateway")
        await until(lambda: user.clean_ends)
        await system.stack.start_process("gateway")
        await system.healthy()
        await until(lambda: user.is_open)
        answer = await system.upload({f"{n}.txt": b"more %d" % n for n in range(4)})
        batch_id = answer.json()["batch_id"]
        second = [each["id"] for each in answer.json()["documents"]]
        await system.stack.kill_process("gateway")
        await system.stack.start_process("gateway")
        await until(lambda: {*first, *second} <= ended(user.told))
        assert user.cuts >= 1
    ids = [each.id for each in user.told]
    assert ids == sorted(set(ids))
    told = documents_of(user.told)
    for document_id in (*first, *second):
        statuses = await system.events(document_id)
        assert told[document_id] == [f"document.{status}" for status in statuses]
    batch = Follower(f"/v1/batches/{batch_id}/events")
    async with asyncio.timeout(20):
        await batch.follow(system.http)
    assert documents_of(batch.told) == {each: told[each] for each in second}
    assert batch.told[-1].type == "batch.finished"


@pytest.fixture
async def many(system: System) -> AsyncIterator[httpx.AsyncClient]:
    """A client that may hold as many streams open."""
    async with httpx.AsyncClient(
        base_url=system.http.base_url, headers=system.http.headers, timeout=60, limits=_ENOUGH
    ) as http:
        yield http


async def test_listeners_cost_the_database_nothing(system: System, many: httpx.AsyncClient) -> None:
    """As many statements about events a second for 200 who listen as for one; all are told all.

    When they have left, nothing of them is left within a second or two.
    """
    gateway = Metrics(address(system, "gateway"))

    async def statements_a_second(listeners: int) -> float:
        async with following(many, *["/v1/events"] * listeners) as followers:
            began = time.monotonic()
            async with statements(system.engine, "SELECT", "UPDATE") as asked:
                documents = await system.accepted({f"{n}.txt": b"a %d" % n for n in range(3)})
                await until(lambda: all(_told_all(f, documents) for f in followers))
            seconds = time.monotonic() - began
            assert len({tuple(each.id for each in f.told[-3:]) for f in followers}) == 1
        return sum(" event" in each for each in asked) / seconds

    one, hundreds = await statements_a_second(1), await statements_a_second(_LISTENERS)
    assert 0 < hundreds < 2 * one + 10
    await until_answer(lambda: _none_open(gateway), timeout_s=5)


def _told_all(follower: Follower, documents: Sequence[str]) -> bool:
    """Whether the end of each, and then of their batch, has come."""
    return set(documents) <= ended(follower.told) and follower.told[-1].type == "batch.finished"


async def _none_open(gateway: Metrics) -> bool:
    return await gateway.value("sheaf_event_streams") == 0
