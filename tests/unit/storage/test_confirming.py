"""Looking at what clients put, over a store in memory that can be made to wait and to fail."""

import asyncio
import hashlib
import time
from dataclasses import dataclass, field

import pytest

from sheaf_common import context
from sheaf_common.context import RequestContext
from sheaf_common.errors import (
    AlreadyExists,
    Conflict,
    FailedPrecondition,
    InvalidInput,
    NotFound,
    OverCapacity,
    SheafError,
    Unavailable,
)
from sheaf_common.memory import ByteBudget
from sheaf_storage.domain import CHUNK_BYTES, ObjectInfo, PutOrder
from sheaf_storage.ports import Description, PartRef, UploadRef
from sheaf_storage.service import Confirming, PutLimits, Writes
from support.storage_fakes import FakeSniffer, FakeStore, Stored
from support.waiting import until

KEY = "documents/1/original"
CONTENT = b"content"
ORDER = PutOrder(KEY)
DOWN = Unavailable("S3_UNAVAILABLE", "down")
BEGINNING = 2 * CHUNK_BYTES


def digest(content: bytes) -> bytes:
    """The hash of content."""
    return hashlib.sha256(content).digest()


@dataclass
class Bench:
    """Confirming and what stands around it; the first two chunks are looked at."""

    store: FakeStore = field(default_factory=FakeStore)
    sniffer: FakeSniffer = field(default_factory=FakeSniffer)
    writes: Writes = field(default_factory=Writes)
    memory: ByteBudget = field(default_factory=lambda: ByteBudget(BEGINNING, wait_s=0.05))

    @property
    def confirming(self) -> Confirming:
        """The use case."""
        limits = PutLimits(
            max_object_bytes=4 * BEGINNING, part_size_bytes=BEGINNING, parts_in_flight=2
        )
        return Confirming(self.store, self.sniffer, self.writes, limits, self.memory)

    async def was_put(self, content: bytes, *, declared: bytes | None = None) -> None:
        """As by a client, that declared another content if `declared` is given."""
        sha256 = digest(content if declared is None else declared)
        await self.store.put(KEY, content, Description("text/declared", sha256))

    async def was_uploaded(self, content: bytes) -> tuple[UploadRef, list[PartRef]]:
        """In one part, not completed yet; whatever the content, CONTENT was declared."""
        upload = await self.store.begin_upload(KEY, Description("text/declared", digest(CONTENT)))
        return upload, [await self.store.put_part(upload, 1, content)]

    async def complete(self, upload: UploadRef, parts: list[PartRef]) -> ObjectInfo:
        """Completes an upload of CONTENT."""
        order = PutOrder(KEY, expected_sha256=digest(CONTENT))
        return await self.confirming.complete(upload, parts, order)


@pytest.fixture
def bench() -> Bench:
    """A fresh one."""
    return Bench()


@pytest.mark.parametrize("size", [1, CHUNK_BYTES, BEGINNING, BEGINNING + 1, 4 * BEGINNING])
async def test_what_is_as_declared_is_confirmed(bench: Bench, size: int) -> None:
    """With the sniffed type, as often as one asks; no more than the beginning is looked at."""
    content = bytes(index % 251 for index in range(251)) * (size // 251 + 1)
    await bench.was_put(content[:size])
    answers = [await bench.confirming.confirm(ORDER) for _ in range(2)]

    assert answers[0] == answers[1]
    assert (answers[0].size_bytes, answers[0].sha256, answers[0].content_type) == (
        size, digest(content[:size]), "application/pdf",
    )  # fmt: skip
    assert bench.sniffer.seen == [min(size, BEGINNING)] * 2
    assert bench.memory.held_bytes == 0


@pytest.mark.parametrize(
    ("reason", "content", "declared", "order"),
    [
        ("CHECKSUM_MISMATCH", CONTENT, b"other", ORDER),
        ("CHECKSUM_MISMATCH", b"a" * (BEGINNING + 1), b"other", ORDER),
        ("OBJECT_EMPTY", b"", b"", ORDER),
        ("OBJECT_TOO_LARGE", CONTENT, CONTENT, PutOrder(KEY, max_size_bytes=6)),
        ("OBJECT_TOO_LARGE", b"a" * (4 * BEGINNING + 1), b"", ORDER),
        (
            "UNSUPPORTED_MEDIA_TYPE",
            CONTENT,
            CONTENT,
            PutOrder(KEY, accepted_content_types=("text/*",)),
        ),
    ],
)
async def test_what_a_put_would_refuse_is_deleted(
    bench: Bench, reason: str, content: bytes, declared: bytes, order: PutOrder
) -> None:
    """With the put's own error; asked again, there is nothing."""
    await bench.was_put(content, declared=declared)
    with pytest.raises(InvalidInput) as refused:
        await bench.confirming.confirm(order)
    with pytest.raises(NotFound) as gone:
        await bench.confirming.confirm(order)

    assert (refused.value.reason, gone.value.reason) == (reason, "OBJECT_NOT_FOUND")
    assert KEY not in bench.store.objects
    assert bench.memory.held_bytes == 0


@pytest.mark.parametrize("operation", ["head", "open", "delete_unchanged"])
async def test_an_unknown_outcome_deletes_nothing(bench: Bench, operation: str) -> None:
    """The object stays for the next try, which tells what is wrong with it."""
    await bench.was_put(CONTENT, declared=b"other")
    bench.store.failures[operation].append(DOWN)
    with pytest.raises(Unavailable):
        await bench.confirming.confirm(ORDER)
    kept = KEY in bench.store.objects
    with pytest.raises(InvalidInput):
        await bench.confirming.confirm(ORDER)

    assert kept
    assert bench.memory.held_bytes == 0


async def test_a_silent_store_deletes_nothing_and_ends_in_time(bench: Bench) -> None:
    """The caller hears so before its deadline."""
    await bench.was_put(CONTENT, declared=b"other")
    bench.store.gates["open"] = asyncio.Event()
    deadline = time.monotonic() + 0.2
    with context.bound(RequestContext("r", deadline=deadline)), pytest.raises(Unavailable):
        await bench.confirming.confirm(ORDER)

    assert time.monotonic() < deadline
    assert KEY in bench.store.objects
    assert bench.memory.held_bytes == 0


async def test_what_was_put_without_a_hash_is_left_alone(bench: Bench) -> None:
    """No client can put so: it is not a client's object."""
    await bench.store.put(KEY, CONTENT, Description("text/plain", None))
    with pytest.raises(FailedPrecondition) as refused:
        await bench.confirming.confirm(ORDER)

    assert refused.value.reason == "HASH_NOT_DECLARED"
    assert KEY in bench.store.objects


async def test_what_changes_meanwhile_is_a_conflict_and_stays(bench: Bench) -> None:
    """Neither what was seen first nor what came then is judged by the other."""
    await bench.was_put(CONTENT, declared=b"other")
    bench.store.gates["open"] = asyncio.Event()
    confirming = asyncio.create_task(bench.confirming.confirm(ORDER))
    await until(lambda: "open" in bench.store.calls)
    bench.store.objects[KEY] = Stored(
        b"new", Description("text/plain", digest(b"new")), bench.store.objects[KEY].modified_at
    )
    bench.store.gates["open"].set()
    with pytest.raises(Conflict) as changed:
        await confirming

    assert changed.value.reason == "OBJECT_CHANGED"
    assert bench.store.objects[KEY].content == b"new"


async def test_a_new_object_is_not_deleted_for_the_old_one(bench: Bench) -> None:
    """Another confirmation was faster, and the client has put again: the right content stays."""
    await bench.was_put(CONTENT, declared=b"other")
    bench.store.gates["delete_unchanged"] = asyncio.Event()
    confirming = asyncio.create_task(bench.confirming.confirm(ORDER))
    await until(lambda: "delete_unchanged" in bench.store.calls)
    del bench.store.objects[KEY]
    await bench.was_put(b"other")
    bench.store.gates["delete_unchanged"].set()
    with pytest.raises(InvalidInput):
        await confirming

    assert bench.store.objects[KEY].content == b"other"


async def test_memory_that_does_not_become_free_is_over_capacity(bench: Bench) -> None:
    """Nothing is judged, and nothing deleted."""
    await bench.was_put(CONTENT, declared=b"other")
    held = await bench.memory.reserve(BEGINNING)
    with held.released(), pytest.raises(OverCapacity) as full:
        await bench.confirming.confirm(ORDER)

    assert full.value.reason == "BUFFER_FULL"
    assert KEY in bench.store.objects


@pytest.mark.parametrize(
    ("reason", "order"),
    [
        ("KEY_INVALID", PutOrder("documents/../a")),
        ("MAX_SIZE_INVALID", PutOrder(KEY, max_size_bytes=-1)),
    ],
)
async def test_a_bad_question_is_refused_unseen(bench: Bench, reason: str, order: PutOrder) -> None:
    """The store is not asked."""
    with pytest.raises(InvalidInput) as refused:
        await bench.confirming.confirm(order)

    assert refused.value.reason == reason
    assert bench.store.calls == []


async def test_an_upload_becomes_a_confirmed_object(bench: Bench) -> None:
    """Completing it again answers the same, and nothing of it is left."""
    upload, parts = await bench.was_uploaded(CONTENT)
    first = await bench.complete(upload, parts)
    again = await bench.complete(upload, parts)

    assert first == again
    assert (first.sha256, first.content_type) == (digest(CONTENT), "application/pdf")
    assert bench.store.uploads == {}


async def test_a_completion_whose_answer_was_lost_is_confirmed(bench: Bench) -> None:
    """The store completed it and the service never heard: the next try finds the object."""
    upload, parts = await bench.was_uploaded(CONTENT)
    await bench.store.complete_upload(upload, parts)

    assert (await bench.complete(upload, parts)).sha256 == digest(CONTENT)


async def test_an_upload_of_other_content_is_deleted(bench: Bench) -> None:
    """What was declared was not put."""
    upload, parts = await bench.was_uploaded(b"other")
    with pytest.raises(InvalidInput) as refused:
        await bench.complete(upload, parts)

    assert refused.value.reason == "CHECKSUM_MISMATCH"
    assert (bench.store.objects, bench.store.uploads) == ({}, {})


async def test_an_upload_for_a_taken_key_is_aborted(bench: Bench) -> None:
    """The other object stays; the same content under the key is success, as of a put."""
    await bench.was_put(b"other")
    with pytest.raises(AlreadyExists) as taken:
        await bench.complete(*await bench.was_uploaded(CONTENT))
    after = bench.store.objects[KEY].content
    del bench.store.objects[KEY]
    await bench.was_put(CONTENT)
    same = await bench.complete(*await bench.was_uploaded(CONTENT))

    assert taken.value.reason == "OBJECT_EXISTS"
    assert after == b"other"
    assert same.sha256 == digest(CONTENT)
    assert bench.store.uploads == {}


async def test_an_upload_that_is_gone_is_not_found(bench: Bench) -> None:
    """Aborted, or never begun: it cannot be completed by trying again."""
    upload, parts = await bench.was_uploaded(CONTENT)
    await bench.store.abort_upload(upload)
    with pytest.raises(NotFound) as gone:
        await bench.complete(upload, parts)

    assert gone.value.reason == "UPLOAD_NOT_FOUND"


@pytest.mark.parametrize("operation", ["complete_upload", "head", "open"])
async def test_a_completion_with_an_unknown_outcome_may_be_repeated(
    bench: Bench, operation: str
) -> None:
    """Nothing is aborted or deleted, whatever it was that did not answer."""
    upload, parts = await bench.was_uploaded(CONTENT)
    bench.store.failures[operation].append(DOWN)
    with pytest.raises(Unavailable):
        await bench.complete(upload, parts)

    assert (await bench.complete(upload, parts)).sha256 == digest(CONTENT)
    assert bench.store.uploads == {}


@pytest.mark.parametrize(
    ("reason", "upload_id", "parts", "sha256"),
    [
        ("UPLOAD_ID_INVALID", "../x", [PartRef(1, "e")], b"x" * 32),
        ("PARTS_INVALID", "x", [], b"x" * 32),
        ("SHA256_INVALID", "x", [PartRef(1, "e")], b""),
    ],
)
async def test_a_bad_completion_is_refused_unseen(
    bench: Bench, reason: str, upload_id: str, parts: list[PartRef], sha256: bytes
) -> None:
    """The store is not asked."""
    order = PutOrder(KEY, expected_sha256=sha256)
    with pytest.raises(SheafError) as refused:
        await bench.confirming.complete(UploadRef(KEY, upload_id), parts, order)

    assert refused.value.reason == reason
    assert bench.store.calls == []
