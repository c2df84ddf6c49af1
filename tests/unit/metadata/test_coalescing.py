"""Coalesced reads: few queries, and never an answer from before the question."""

import asyncio
import traceback
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheaf_common import context
from sheaf_common.context import RequestContext, bound
from sheaf_common.errors import DeadlineExceeded, SheafError, Unavailable
from sheaf_common.ids import new_id
from sheaf_metadata.domain.documents import Document, Status
from sheaf_metadata.service.coalescing import Coalescing
from sheaf_metadata.service.monotonic import ShownVersions
from sheaf_metadata.service.open_check import OpenCheck
from sheaf_metadata.service.reading import ReadDocuments
from sheaf_metadata.service.waiting import DocumentEnded, Waiters
from support.metadata_fakes import FakeCache, FakeObserver, FakeReads
from support.waiting import until


@dataclass
class Register:
    """A value, and queries of it that see it as they begin and answer when they are let."""

    value: int = 0
    failure: Exception | None = None
    queries: list["asyncio.Future[None]"] = field(default_factory=list)
    observer: FakeObserver = field(default_factory=FakeObserver)
    contexts: list[RequestContext | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.coalescing = Coalescing(self.observer, limit_s=60)

    @property
    def running(self) -> int:
        """Queries that have begun and not ended."""
        return sum(not query.done() for query in self.queries)

    async def query(self) -> int:
        """The value as it was when the query began."""
        seen = self.value
        self.contexts.append(context.current())
        self.queries.append(asyncio.get_running_loop().create_future())
        await self.queries[-1]
        if self.failure is not None:
            raise self.failure
        return seen

    async def read(self) -> int:
        """A coalesced read."""
        return await self.coalescing.read("document", "key", self.query)

    def reader(self) -> "asyncio.Task[int]":
        """A read in a task of its own."""
        return asyncio.create_task(self.read())

    async def asked(self, readers: int) -> list["asyncio.Task[int]"]:
        """So many readers, all of whom wait."""
        tasks = [self.reader() for _ in range(readers)]
        await settled()
        return tasks

    async def answer(self) -> None:
        """Lets the query that runs answer."""
        self.queries[-1].set_result(None)
        await settled()


async def settled() -> None:
    """Returns when every task has come as far as it can."""
    for _ in range(6):
        await asyncio.sleep(0)


async def test_readers_share_two_queries() -> None:
    """One for those who ask before it begins, one for all who ask while it runs."""
    register = Register()
    readers = await register.asked(100)
    assert len(register.queries) == 1
    readers += await register.asked(100)
    assert len(register.queries) == 1
    await register.answer()
    assert len(register.queries) == 2
    await register.answer()

    assert await asyncio.gather(*readers) == [0] * 200
    assert register.observer.coalesced_reads == ["document"] * 198
    assert not register.coalescing._flights


async def test_nobody_gets_an_answer_from_before_the_question() -> None:
    """Who asks after a write is not told what a query that began before it has seen."""
    register = Register()
    (before,) = await register.asked(1)
    register.value = 1
    (after,) = await register.asked(1)
    await register.answer()
    assert (await before, after.done()) == (0, False)
    await register.answer()
    assert await after == 1


@dataclass
class SlowReads(FakeReads):
    """Documents as they are when the read begins; it ends when it is let."""

    begun: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def document(
        self, document_id: object, fields: object, user_id: str | None
    ) -> Document | None:
        """As it was."""
        self.begun += 1
        (found,) = self.documents_by_id.values()
        await self.gate.wait()
        return found


@pytest.mark.parametrize("wait_s", [0, 50])
@pytest.mark.parametrize("usable", [True, False])
async def test_a_document_is_shown_as_it_is_after_a_write(wait_s: float, usable: bool) -> None:  # noqa: FBT001 - a case
    """To whoever asks after it, though a read from before it is under way: also to a waiter."""
    old = Document(document_id=new_id(), user_id="ann", status=Status.PROCESSING, row_version=2)
    new = replace(old, status=Status.COMPLETED, row_version=3)
    reads, waiters, observer = SlowReads(), Waiters(10), FakeObserver()
    reads.documents_by_id[old.document_id] = old
    coalescing = Coalescing(observer, limit_s=60)
    reading = ReadDocuments(
        reads,
        FakeCache(usable=usable),
        ShownVersions(10),
        coalescing,
        waiters,
        observer,
        OpenCheck(reads),
        60,
    )

    before = asyncio.create_task(reading.document(old.document_id, ("status",), wait_s))
    await until(lambda: reads.begun)
    reads.documents_by_id[old.document_id] = new
    waiters.wake([DocumentEnded(old.document_id)])
    after = asyncio.create_task(reading.document(old.document_id, ("status",), wait_s))
    await settled()
    reads.gate.set()
    assert (await asyncio.wait_for(after, 1)).status is Status.COMPLETED
    assert (await asyncio.wait_for(before, 1)).status is (
        Status.COMPLETED if wait_s else Status.PROCESSING
    )


async def test_a_reader_that_leaves_harms_nobody() -> None:
    """Neither the others of its query nor those of the next, though it asked first."""
    register = Register()
    first, second = await register.asked(2)
    third, fourth = await register.asked(2)
    first.cancel()
    third.cancel()
    await settled()
    assert (first.cancelled(), third.cancelled()) == (True, True)
    await register.answer()
    await register.answer()
    assert (await second, await fourth) == (0, 0)


async def test_a_query_that_nobody_waits_for_is_cancelled() -> None:
    """The next begins when it has ended; one that had not begun never does."""
    register = Register()
    (alone,) = await register.asked(1)
    (gone,) = await register.asked(1)
    gone.cancel()
    await settled()
    alone.cancel()
    (later,) = await register.asked(1)
    assert register.queries[0].cancelled()
    assert len(register.queries) == 2
    await register.answer()
    assert await later == 0
    assert not register.coalescing._flights


async def test_a_query_whose_reader_leaves_as_it_is_about_to_begin_does_not() -> None:
    """In the moment in which the one before it ends; nothing is left behind."""
    register = Register()
    (first,) = await register.asked(1)
    (gone,) = await register.asked(1)
    register.queries[0].set_result(None)
    gone.cancel()
    await settled()
    assert (await first, len(register.queries)) == (0, 1)
    assert not register.coalescing._flights


async def test_an_error_reaches_every_reader_as_its_own() -> None:
    """With kind, reason and evidence; its trace is of that reader alone."""
    register = Register()
    register.failure = Unavailable(
        "DATABASE_UNAVAILABLE", "gone", evidence={"a": "b"}, retry_after_s=1.0
    )
    readers = await register.asked(3)
    await register.answer()
    errors = await asyncio.gather(*readers, return_exceptions=True)

    assert len({id(error) for error in errors}) == 3
    for error in errors:
        assert isinstance(error, Unavailable)
        assert (error.reason, error.evidence, error.retry_after_s, str(error)) == (
            "DATABASE_UNAVAILABLE", {"a": "b"}, 1.0, "DATABASE_UNAVAILABLE: gone"
        )  # fmt: skip
        assert error.__cause__ is register.failure
        frames = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        assert frames == ["read", "read"]


async def test_a_bug_is_everyones_bug() -> None:
    """Any exception passes, in its own class."""
    register = Register(failure=KeyError("bug"))
    readers = await register.asked(2)
    await register.answer()
    for reader in readers:
        with pytest.raises(KeyError, match="bug"):
            await reader


async def test_a_query_has_a_time_limit_of_its_own() -> None:
    """Then its readers are told, and the next begins."""
    register = Register()
    register.coalescing = Coalescing(register.observer, limit_s=0.02)
    with pytest.raises(DeadlineExceeded) as late:
        await register.read()
    assert late.value.reason == "READ_TIMEOUT"
    assert not register.coalescing._flights


async def test_a_query_runs_as_no_user_with_the_first_readers_id() -> None:
    """A later reader's request says nothing, nor does the first one's user or deadline."""
    register = Register()
    tasks = []
    for request_id in ("one", "two", "three"):
        with bound(RequestContext(request_id, "ann", deadline=1.0)):
            tasks += await register.asked(1)
    await register.answer()
    await register.answer()
    await asyncio.gather(*tasks)
    seen = [(each.request_id, each.user_id) for each in register.contexts if each]
    assert seen == [("one", None), ("two", None)]
    assert all(59 < (each.remaining_s() or 0) <= 60 for each in register.contexts if each)


@given(st.lists(st.sampled_from(["ask", "write", "answer", "fail", "leave", "step"]), max_size=60))
def test_any_schedule_is_linearizable(schedule: list[str]) -> None:
    """Answers are never older than their question, one query runs at most, nothing is left."""
    asyncio.run(linearizable(schedule))


async def linearizable(schedule: list[str]) -> None:
    """Plays a schedule."""
    register = Register()
    readers: list[tuple[int, asyncio.Task[int]]] = []
    for action in schedule:
        register.failure = Unavailable("X", "x") if action == "fail" else None
        match action:
            case "ask":
                readers.append((register.value, register.reader()))
            case "write":
                register.value += 1
            case "answer" | "fail" if register.running:
                await register.answer()
            case "leave" if readers:
                readers[len(readers) // 2][1].cancel()
            case _:
                await settled()
        assert register.running <= 1
    register.failure = None
    await settled()
    while register.running:
        await register.answer()
    for asked_at, reader in readers:
        with suppress(asyncio.CancelledError, SheafError):
            assert asked_at <= await reader <= register.value
    assert not register.coalescing._flights
