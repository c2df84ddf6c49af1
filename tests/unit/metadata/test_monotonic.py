"""Monotonic reads: what was shown or written is the least that the cache may show."""

import asyncio
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sheaf_common.ids import new_id
from sheaf_metadata.domain.documents import BatchView, Document, Status
from sheaf_metadata.domain.listing import ListFilter
from sheaf_metadata.service.batches import ReadBatches
from sheaf_metadata.service.coalescing import Coalescing
from sheaf_metadata.service.monotonic import MonotonicCache, ShownVersions
from sheaf_metadata.service.open_check import OpenCheck
from sheaf_metadata.service.reading import ReadDocuments
from sheaf_metadata.service.waiting import Waiters
from support.metadata_fakes import FakeBatchCache, FakeCache, FakeObserver, FakeReads, a_batch


class Bench:
    """The use cases over fakes, a document of version 5, and a Redis that may go back."""

    def __init__(self, *, limit: int = 100) -> None:
        self.document = Document(
            document_id=new_id(), user_id="ann", status=Status.PROCESSING, row_version=5
        )
        self.document_id = self.document.document_id
        self.redis, self.reads = FakeCache(), FakeReads()
        self.reads.documents_by_id[self.document_id] = self.document
        self.shown = ShownVersions(limit)
        self.cache = MonotonicCache(self.redis, self.shown)
        observer, waiters = FakeObserver(), Waiters(10)
        coalescing = Coalescing(observer, limit_s=60)
        self.reading = ReadDocuments(
            self.reads,
            self.cache,
            self.shown,
            coalescing,
            waiters,
            observer,
            OpenCheck(self.reads),
            60,
        )
        self.batches = ReadBatches(
            self.reads, FakeBatchCache(), self.shown, coalescing, waiters, observer, 60
        )

    def go_back(self, version: int, status: Status = Status.PROCESSING) -> None:
        """Redis has an older row, as after a failover."""
        old = replace(self.document, row_version=version, status=status)
        self.redis.rows = {self.document_id: (version, old)}

    async def read(self, wait_s: float = 0) -> int:
        """The version that a reader is shown."""
        return (await self.reading.document(self.document_id, ("status",), wait_s)).row_version


async def test_a_row_older_than_one_from_the_database_is_a_miss() -> None:
    """And is replaced; one that is as new is a hit."""
    bench = Bench()
    assert await bench.read() == 5
    bench.go_back(4)
    assert await bench.read() == 5
    assert await bench.read() == 5
    assert len(bench.reads.reads) == 2


async def test_a_row_older_than_one_from_the_cache_is_a_miss() -> None:
    """Another process's write was shown from the cache, then Redis went back."""
    bench = Bench()
    bench.go_back(5)
    assert (await bench.read(), bench.reads.reads) == (5, [])
    bench.go_back(4)
    assert await bench.read() == 5


async def test_a_row_older_than_one_that_is_written_is_a_miss() -> None:
    """From before the write's commit, though Redis does not hear of it."""
    bench = Bench()
    await bench.cache.outdate([(bench.document_id, 5)])
    bench.go_back(4)
    assert await bench.read() == 5


async def test_a_row_shown_without_a_cache_counts() -> None:
    """When Redis is back, it has what it had."""
    bench = Bench()
    bench.redis.usable = False
    await bench.read()
    bench.redis.usable = True
    bench.go_back(4)
    assert await bench.read() == 5


async def test_a_row_shown_in_a_batch_or_a_list_counts() -> None:
    """Whatever fields were asked for."""
    for show in ("batch", "list"):
        bench = Bench()
        if show == "batch":
            view = BatchView(a_batch(), [bench.document], {})
            bench.reads.batches[view.batch.batch_id] = view
            await bench.batches(view.batch.batch_id, ("filename",), 0)
        else:
            await bench.reading.page(ListFilter(), ("filename",), 10, "")
        bench.go_back(4)
        assert await bench.read() == 5


async def test_a_waiter_is_not_told_of_an_older_end() -> None:
    """The end of an attempt before the one that was shown."""
    bench = Bench()
    await bench.read()
    bench.go_back(4, Status.FAILED)
    assert await bench.read(wait_s=0.001) == 5


async def test_the_memory_is_bounded() -> None:
    """What was shown least recently is forgotten first."""
    shown = ShownVersions(3)
    documents = [Document(document_id=new_id(), row_version=2) for _ in range(4)]
    for number in (0, 1, 2, 0, 3):
        shown.show([documents[number]])
    older = [replace(document, row_version=1) for document in documents]
    assert [shown.admits(document) for document in older] == [False, True, False, False]
    assert len(shown._versions) == 3


@given(
    st.lists(
        st.tuples(st.sampled_from(["read", "write", "go back", "flush"]), st.integers(0, 9)),
        max_size=40,
    )
)
def test_whatever_redis_does_versions_only_grow(actions: list[tuple[str, int]]) -> None:
    """Reads between writes, failovers to any older state, and losses of everything."""
    asyncio.run(monotonic(actions))


async def monotonic(actions: list[tuple[str, int]]) -> None:
    """Plays them."""
    bench = Bench()
    versions = [0]
    for action, number in actions:
        match action:
            case "write":
                version = bench.document.row_version + 1
                await bench.cache.outdate([(bench.document_id, version)])
                bench.document = replace(bench.document, row_version=version)
                bench.reads.documents_by_id[bench.document_id] = bench.document
            case "go back":
                bench.go_back(min(number, bench.document.row_version))
            case "flush":
                bench.redis.rows.clear()
            case _:
                versions.append(await bench.read())
    assert versions == sorted(versions)
