"""Reading through the cache, and waiting, over fakes."""

import asyncio
import time
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest

from sheaf_common.context import RequestContext, bound
from sheaf_common.errors import NotFound, Unavailable
from sheaf_common.ids import new_id
from sheaf_metadata.domain.documents import Document, Status, view_of
from sheaf_metadata.domain.fields import ALL_FIELDS
from sheaf_metadata.domain.listing import ListFilter
from sheaf_metadata.service.batches import ReadBatches
from sheaf_metadata.service.coalescing import Coalescing
from sheaf_metadata.service.monotonic import MonotonicCache, ShownVersions
from sheaf_metadata.service.open_check import OpenCheck
from sheaf_metadata.service.reading import ReadDocuments
from sheaf_metadata.service.waiting import BatchEnded, DocumentEnded, Waiters
from support.metadata_fakes import FakeBatchCache, FakeCache, FakeObserver, FakeReads, a_batch
from support.waiting import until


@dataclass
class Bench:
    """The use case over fakes, and a document of ann's."""

    reads: FakeReads = field(default_factory=FakeReads)
    cache: FakeCache = field(default_factory=FakeCache)
    batch_cache: FakeBatchCache = field(default_factory=FakeBatchCache)
    waiters: Waiters = field(default_factory=lambda: Waiters(10))
    observer: FakeObserver = field(default_factory=FakeObserver)
    recheck_s: float = 60.0

    def __post_init__(self) -> None:
        self.coalescing = Coalescing(self.observer, limit_s=60)
        self.shown = ShownVersions(100)
        self.document = Document(
            document_id=new_id(), user_id="ann", status=Status.PROCESSING, row_version=2
        )
        self.reads.documents_by_id[self.document.document_id] = self.document

    @property
    def reading(self) -> ReadDocuments:
        """The use case."""
        return ReadDocuments(
            self.reads,
            MonotonicCache(self.cache, self.shown),
            self.shown,
            self.coalescing,
            self.waiters,
            self.observer,
            OpenCheck(self.reads),
            self.recheck_s,
        )

    @property
    def batches(self) -> ReadBatches:
        """The use case of batches."""
        return ReadBatches(
            self.reads,
            self.batch_cache,
            self.shown,
            self.coalescing,
            self.waiters,
            self.observer,
            self.recheck_s,
        )

    async def read(self, *, wait_s: float = 0) -> Document:
        """Reads the document's status."""
        return await self.reading.document(self.document.document_id, ("status",), wait_s)

    def end(self) -> None:
        """The document completes; nobody is told."""
        self.document = replace(self.document, status=Status.COMPLETED, row_version=3)
        self.reads.documents_by_id[self.document.document_id] = self.document


async def test_a_second_read_comes_from_the_cache() -> None:
    """The first reads the whole row to keep it."""
    bench = Bench()
    await bench.read()
    assert await bench.read() == bench.document
    assert bench.reads.reads == [ALL_FIELDS]
    assert bench.observer.cache_hits == [False, True]


async def test_without_a_cache_only_the_fields_asked_for_are_read() -> None:
    """And what a check needs. There is nothing to keep the rest for."""
    bench = Bench(cache=FakeCache(usable=False))
    await bench.read()
    assert bench.reads.reads == [("document_id", "user_id", "status", "row_version")]
    assert bench.observer.cache_hits == []


@pytest.mark.parametrize("wait_s", [0, 5])
async def test_the_cache_does_not_show_others_documents(wait_s: float) -> None:
    """Neither a cached one nor one that is read to be cached."""
    bench = Bench()
    bench.end()
    with bound(RequestContext("r", "bob")):
        for _ in range(2):
            with pytest.raises(NotFound) as refused:
                await bench.read(wait_s=wait_s)
            assert refused.value.reason == "DOCUMENT_NOT_FOUND"
            await bench.cache.put([bench.document])
    with bound(RequestContext("r", "ann")):
        assert await bench.read(wait_s=wait_s) == bench.document


async def test_a_waiter_does_not_believe_a_cached_state_that_may_change() -> None:
    """It asks the database; an end it does believe."""
    bench = Bench()
    await bench.cache.put([bench.document])
    bench.end()
    assert (await bench.read(wait_s=5)).status is Status.COMPLETED
    assert len(bench.reads.reads) == 1

    await bench.cache.put([bench.document])
    await bench.read(wait_s=5)
    assert len(bench.reads.reads) == 1


async def test_a_waiter_is_woken_by_its_documents_end() -> None:
    """At once, not at its next look."""
    bench = Bench()
    waiting = asyncio.create_task(bench.read(wait_s=50))
    await until(lambda: bench.reads.reads)
    bench.end()
    bench.waiters.wake([DocumentEnded(bench.document.document_id)])
    assert (await asyncio.wait_for(waiting, 1)).status is Status.COMPLETED


async def test_a_waiter_looks_by_itself() -> None:
    """A lost hint costs the time between two looks."""
    bench = Bench(recheck_s=0.02)
    waiting = asyncio.create_task(bench.read(wait_s=50))
    await until(lambda: len(bench.reads.open_questions) >= 3)
    bench.end()
    assert (await asyncio.wait_for(waiting, 1)).status is Status.COMPLETED


async def test_all_who_wait_look_together() -> None:
    """A few questions for hundreds of waiters, and one read for each at its end."""
    bench = Bench(recheck_s=0.05)
    bench.waiters = Waiters(200)
    reading = bench.reading
    ids = [new_id() for _ in range(200)]
    for document_id in ids:
        bench.reads.documents_by_id[document_id] = replace(bench.document, document_id=document_id)
    waits = [
        asyncio.create_task(reading.document(document_id, ("status",), 50)) for document_id in ids
    ]
    await until(lambda: sum(bench.reads.open_questions) >= 600)
    assert len(bench.reads.open_questions) < 30
    assert len(bench.reads.reads) == 200

    for document_id in ids:
        ended = replace(bench.document, document_id=document_id, status=Status.COMPLETED)
        bench.reads.documents_by_id[document_id] = ended
    found = await asyncio.wait_for(asyncio.gather(*waits), 5)
    assert {document.status for document in found} == {Status.COMPLETED}
    assert len(bench.reads.reads) == 400


async def test_who_looks_hears_that_the_database_is_down() -> None:
    """All who asked together, as if each had read."""
    bench = Bench(recheck_s=0.02)
    waits = [asyncio.create_task(bench.read(wait_s=50)) for _ in range(3)]
    await until(lambda: len(bench.reads.open_questions) >= 1)
    bench.reads.down = Unavailable("DATABASE_UNAVAILABLE", "down")
    outcomes = await asyncio.wait_for(asyncio.gather(*waits, return_exceptions=True), 1)
    assert [type(each) for each in outcomes] == [Unavailable] * 3


async def test_a_wait_ends_before_the_deadline_of_its_call() -> None:
    """So that the answer arrives."""
    bench = Bench()
    with bound(RequestContext("r", None, time.monotonic() + 0.5)):
        started = time.monotonic()
        assert (await bench.read(wait_s=50)).status is Status.PROCESSING
    assert time.monotonic() - started < 0.4


async def test_an_unknown_document_is_not_waited_for() -> None:
    """It is not found at once."""
    bench = Bench()
    with pytest.raises(NotFound):
        await bench.reading.document(new_id(), ("status",), 50)


async def test_a_batch_is_read_when_it_has_finished() -> None:
    """While it has not, only its end is asked for."""
    bench = Bench()
    batch_id = new_id()
    bench.reads.finished[batch_id] = False
    waiting = asyncio.create_task(bench.batches(batch_id, ("status",), 50))
    await until(lambda: bench.waiters.count)
    bench.reads.finished[batch_id] = True
    bench.waiters.wake([BatchEnded(batch_id)])
    with pytest.raises(NotFound):
        await asyncio.wait_for(waiting, 1)


async def test_a_finished_batch_is_read_once() -> None:
    """Then it comes from the cache, for everyone who may see it, whether they wait or not."""
    bench = Bench()
    bench.end()
    view = view_of(a_batch(finished=True), [bench.document])
    batch_id = view.batch.batch_id
    bench.reads.batches[batch_id] = view
    for wait_s in (0, 50):
        assert await bench.batches(batch_id, ("status",), wait_s) == view
        with bound(RequestContext("r", "bob")), pytest.raises(NotFound) as refused:
            await bench.batches(batch_id, ("status",), wait_s)
        assert refused.value.reason == "BATCH_NOT_FOUND"
    assert len(bench.reads.batch_reads) == 1
    assert bench.observer.cache_hits == [False, True, True, True]


async def test_an_unfinished_batch_is_never_cached() -> None:
    """Each look is a query."""
    bench = Bench()
    view = view_of(a_batch(), [bench.document])
    bench.reads.batches[view.batch.batch_id] = view
    for _ in range(3):
        await bench.batches(view.batch.batch_id, ("status",), 0)
    assert len(bench.reads.batch_reads) == 3
    assert bench.batch_cache.views == {}


async def test_a_cached_batch_with_a_document_older_than_shown_is_a_miss() -> None:
    """A new attempt of one of its documents was shown."""
    bench = Bench()
    bench.end()
    view = view_of(a_batch(finished=True), [bench.document])
    bench.reads.batches[view.batch.batch_id] = view
    await bench.batches(view.batch.batch_id, ("status",), 0)
    bench.shown.raise_to(bench.document.document_id, 4)
    await bench.batches(view.batch.batch_id, ("status",), 0)
    assert len(bench.reads.batch_reads) == 2


async def listed(bench: Bench, wanted: ListFilter, size: int) -> list[list[UUID]]:
    """The ids of every page."""
    pages: list[list[UUID]] = []
    token = ""
    while True:
        page, token = await bench.reading.page(wanted, ("status",), size, token)
        pages.append([document.document_id for document in page])
        if not token:
            return pages


async def test_pages_cover_everything_once() -> None:
    """Whatever their size."""
    bench = Bench()
    for _ in range(10):
        document = Document(document_id=new_id(), user_id="ann")
        bench.reads.documents_by_id[document.document_id] = document
    newest_first = sorted(bench.reads.documents_by_id, reverse=True)
    for size in (1, 3, 11, 200):
        pages = await listed(bench, ListFilter(), size)
        assert [len(page) <= size for page in pages] == [True] * len(pages)
        assert [each for page in pages for each in page] == newest_first


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("examined", [1, 3, 4, 20, 40])
async def test_short_pages_lead_on_to_all_that_match(size: int, examined: int) -> None:
    """A page that found little has a next one; none is shown twice, none left out."""
    bench = Bench()
    for number in range(40):
        document_class = "rare" if number in (3, 4, 5, 17, 39) else "common"
        document = Document(document_id=new_id(), user_id="ann", document_class=document_class)
        bench.reads.documents_by_id[document.document_id] = document
    rare = [
        d.document_id for d in bench.reads.documents_by_id.values() if d.document_class == "rare"
    ]
    bench.reads.examined = examined

    pages = await listed(bench, ListFilter(document_class="rare"), size)
    assert [each for page in pages for each in page] == sorted(rare, reverse=True)


async def test_a_workflow_is_as_its_documents_are() -> None:
    """Counted by status; someone else's, or none, is not found."""
    bench = Bench()
    bench.document = replace(bench.document, workflow_id="w")
    bench.end()
    with bound(RequestContext("r", "ann")):
        found = await bench.reading.workflow("w", ("filename",))
    assert (found.workflow_id, found.counts) == ("w", {Status.COMPLETED: 1})
    with bound(RequestContext("r", "bob")), pytest.raises(NotFound) as refused:
        await bench.reading.workflow("w", ("filename",))
    assert refused.value.reason == "WORKFLOW_NOT_FOUND"
