"""Puts over a store in memory that can be made to wait and to fail."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from sheaf_common import context
from sheaf_common.context import RequestContext
from sheaf_common.errors import (
    AlreadyExists,
    Conflict,
    InvalidInput,
    NotFound,
    OverCapacity,
    SheafError,
    Unavailable,
)
from sheaf_common.memory import ByteBudget
from sheaf_storage.domain import PutOrder, PutOutcome
from sheaf_storage.ports import Description
from sheaf_storage.service import BlobService, PutLimits, Putting, RecentObjects, Writes
from support.storage_fakes import FakeSniffer, FakeStore, Stored
from support.waiting import until

KEY = "documents/1/original"
PART = 100
ORDER = PutOrder(KEY)
DOWN = Unavailable("S3_UNAVAILABLE", "down")


@dataclass
class Bench:
    """Putting and what stands around it; parts are of 100 bytes, at most 2 on their way."""

    store: FakeStore = field(default_factory=FakeStore)
    sniffer: FakeSniffer = field(default_factory=FakeSniffer)
    writes: Writes = field(default_factory=Writes)
    messages: ByteBudget = field(default_factory=lambda: ByteBudget(1000, wait_s=0.05))
    parts: ByteBudget = field(default_factory=lambda: ByteBudget(400, wait_s=0.05))

    @property
    def putting(self) -> Putting:
        """The use case."""
        limits = PutLimits(max_object_bytes=1000, part_size_bytes=PART, parts_in_flight=2)
        return Putting(self.store, self.sniffer, self.writes, limits, self.messages, self.parts)

    async def stream(self, *chunks: bytes, order: PutOrder = ORDER) -> PutOutcome:
        """Puts the chunks."""
        return await self.putting.put_stream(order, _each(chunks))

    def is_clean(self) -> bool:
        """No upload is left, and no memory is held."""
        return not (self.store.uploads or self.parts.held_bytes or self.messages.held_bytes)


@pytest.fixture
def bench() -> Bench:
    """A fresh one."""
    return Bench()


async def _each(chunks: tuple[bytes, ...]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_the_first_part_alone_is_sniffed(bench: Bench) -> None:
    """A large object's type is known before its first byte is stored."""
    await bench.stream(b"a" * 250)

    assert bench.sniffer.seen == [PART]
    assert bench.store.calls == ["begin_upload", *["put_part"] * 3, "complete_upload"]


async def test_a_refused_type_never_reaches_the_store(bench: Bench) -> None:
    """Small or large."""
    order = PutOrder(KEY, accepted_content_types=("text/*",))
    for content in (b"a", b"a" * 250):
        with pytest.raises(InvalidInput):
            await bench.stream(content, order=order)

    assert bench.store.calls == []
    assert bench.is_clean()


@pytest.mark.parametrize("sizes", [(1,), (99, 1), (100,), (100, 1), (250, 50, 0, 301), (7,) * 100])
async def test_chunks_of_any_size_make_the_same_object(
    bench: Bench, sizes: tuple[int, ...]
) -> None:
    """However the content is cut, it is stored whole and in order."""
    content = bytes(index % 251 for index in range(sum(sizes)))
    chunks, start = [], 0
    for size in sizes:
        chunks.append(content[start : start + size])
        start += size
    outcome = await bench.stream(*chunks)

    assert bench.store.objects[KEY].content == content
    assert (outcome.object.size_bytes, outcome.object.sha256) == (
        len(content), hashlib.sha256(content).digest(),
    )  # fmt: skip
    assert bench.is_clean()


async def test_parts_on_their_way_are_bounded(bench: Bench) -> None:
    """A store that is slow slows the stream down instead of filling the memory."""
    gate = bench.store.gates["put_part"] = asyncio.Event()
    putting = asyncio.create_task(bench.stream(*[b"a" * 50] * 20))
    await until(lambda: bench.store.running == 2)
    await _let_others_run()
    held = bench.parts.held_bytes
    gate.set()
    await putting

    assert bench.store.most_running == 2
    assert held <= 4 * PART
    assert bench.is_clean()


@pytest.mark.parametrize("operation", ["begin_upload", "put_part", "complete_upload"])
async def test_a_failure_undoes_the_upload(bench: Bench, operation: str) -> None:
    """Whichever step fails, its error is told and no upload stays."""
    bench.store.failures[operation].append(DOWN)
    with pytest.raises(Unavailable):
        await bench.stream(b"a" * 250)

    assert bench.is_clean()
    assert KEY not in bench.store.objects


async def test_an_abort_that_fails_is_tried_again(bench: Bench) -> None:
    """One bad moment of the store leaves nothing behind."""
    bench.store.failures["put_part"].append(DOWN)
    bench.store.failures["abort_upload"].extend([DOWN, DOWN])
    with pytest.raises(Unavailable):
        await bench.stream(b"a" * 250)
    await until(bench.is_clean)

    assert bench.store.calls.count("abort_upload") == 3


@pytest.mark.parametrize("operation", ["begin_upload", "put_part"])
async def test_a_cancelled_upload_is_undone_once_its_writes_have_ended(
    bench: Bench, operation: str
) -> None:
    """A write cannot be interrupted: aborting before it ends would let its part survive."""
    gate = bench.store.gates[operation] = asyncio.Event()
    putting = asyncio.create_task(bench.stream(b"a" * 250))
    await until(lambda: operation in bench.store.calls)
    putting.cancel()
    await asyncio.wait([putting])
    await _let_others_run()
    aborted_early = "abort_upload" in bench.store.calls
    gate.set()
    await until(lambda: "abort_upload" in bench.store.calls)
    await until(bench.is_clean)

    assert putting.cancelled()
    assert not aborted_early


async def test_a_completion_that_its_caller_left_still_counts(bench: Bench) -> None:
    """It is not aborted under way: the object is there, whole, for the caller's next try."""
    gate = bench.store.gates["complete_upload"] = asyncio.Event()
    putting = asyncio.create_task(bench.stream(b"a" * 250))
    await until(lambda: "complete_upload" in bench.store.calls)
    putting.cancel()
    await asyncio.wait([putting])
    await _let_others_run()
    aborted_early = "abort_upload" in bench.store.calls
    gate.set()
    async with bench.writes:
        pass
    again = await bench.stream(b"a" * 250)

    assert not aborted_early
    assert bench.store.objects[KEY].content == b"a" * 250
    assert not again.created
    assert bench.is_clean()


async def test_a_put_that_its_caller_left_ends_whole(bench: Bench) -> None:
    """It holds its memory until it has ended, and the same put again is success."""
    gate = bench.store.gates["put"] = asyncio.Event()
    putting = asyncio.create_task(bench.putting.put_whole(ORDER, b"content"))
    await until(lambda: "put" in bench.store.calls)
    putting.cancel()
    await asyncio.wait([putting])
    await _let_others_run()
    held = bench.messages.held_bytes
    gate.set()
    await until(lambda: KEY in bench.store.objects)
    again = await bench.putting.put_whole(ORDER, b"content")

    assert held == len(b"content")
    assert not again.created
    assert bench.is_clean()


async def test_a_silent_store_is_unavailable_before_the_deadline(bench: Bench) -> None:
    """The caller has time left to be told."""
    bench.store.gates["put"] = asyncio.Event()
    deadline = time.monotonic() + 0.2
    with context.bound(RequestContext("r", deadline=deadline)), pytest.raises(Unavailable):
        await bench.putting.put_whole(ORDER, b"content")

    assert time.monotonic() < deadline
    bench.store.gates["put"].set()
    await until(bench.is_clean)


async def test_a_stream_that_a_silent_store_holds_up_ends_before_the_deadline(
    bench: Bench,
) -> None:
    """While it waits to hand over its next part, too."""
    gate = bench.store.gates["put_part"] = asyncio.Event()
    deadline = time.monotonic() + 0.2
    with context.bound(RequestContext("r", deadline=deadline)), pytest.raises(Unavailable):
        await bench.stream(*[b"a" * 50] * 20)
    ended = time.monotonic()
    gate.set()
    await until(bench.is_clean)

    assert ended < deadline
    assert bench.store.objects == {}


async def test_the_existing_objects_hash_is_computed_where_none_is_recorded(bench: Bench) -> None:
    """A multipart upload has none; what is stored is read back and compared."""
    await bench.stream(b"a" * 250)
    recorded = bench.store.objects[KEY].description.sha256
    same = await bench.stream(b"a" * 250)
    with pytest.raises(AlreadyExists):
        await bench.stream(b"b" * 250)

    assert recorded is None
    assert not same.created
    assert bench.is_clean()


async def test_a_hash_that_is_known_beforehand_is_recorded(bench: Bench) -> None:
    """Also with a multipart upload, which is completed only if it is right."""
    digest = hashlib.sha256(b"a" * 250).digest()
    await bench.stream(b"a" * 250, order=PutOrder(KEY, expected_sha256=digest))

    assert bench.store.objects[KEY].description.sha256 == digest


async def test_an_object_that_vanishes_meanwhile_is_a_conflict(bench: Bench) -> None:
    """Taken when it was put, gone when it was compared: the same put may win the next."""
    bench.store.objects[KEY] = Stored(b"x", Description("", None), None)  # type: ignore[arg-type]
    bench.store.failures["head"].append(NotFound("OBJECT_NOT_FOUND", "gone"))
    with pytest.raises(Conflict):
        await bench.stream(b"x")


async def test_memory_that_does_not_become_free_is_over_capacity(bench: Bench) -> None:
    """After a while, with the advice to come back; other puts of one message still pass."""
    gate = bench.store.gates["put_part"] = asyncio.Event()
    streams = [
        asyncio.create_task(bench.stream(b"a" * 350, order=PutOrder(f"documents/{n}")))
        for n in range(2)
    ]
    await until(lambda: bench.parts.held_bytes == bench.parts.limit_bytes)
    with pytest.raises(OverCapacity) as full:
        await bench.stream(b"a", order=PutOrder("documents/3"))
    small = await bench.putting.put_whole(PutOrder("documents/4"), b"a")
    gate.set()
    outcomes = await asyncio.gather(*streams, return_exceptions=True)

    assert full.value.reason == "BUFFER_FULL"
    assert full.value.retry_after_s
    assert small.created
    assert all(isinstance(outcome, PutOutcome | SheafError) for outcome in outcomes)
    await until(bench.is_clean)


async def _let_others_run() -> None:
    """Gives every task that could go on the chance to."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_what_was_deleted_while_it_was_put_is_not_kept_in_memory(bench: Bench) -> None:
    """The store may have deleted it after it had it: only the store knows."""
    recent = RecentObjects(1000, 10.0)
    blobs = BlobService(bench.store, bench.writes, bench.putting, recent)
    gate = bench.store.gates["put"] = asyncio.Event()
    putting = asyncio.create_task(blobs.put_whole(ORDER, b"content"))
    await until(lambda: bool(bench.writes._running))
    await blobs.delete([KEY])
    gate.set()
    assert (await putting).created
    assert recent.find(KEY) is None

    await blobs.put_whole(PutOrder("documents/2/original"), b"content")
    assert recent.find("documents/2/original") is not None
