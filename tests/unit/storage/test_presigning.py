"""Requests for clients, over a store in memory that can be made to wait and to fail."""

import asyncio
import time
from dataclasses import dataclass, field

import pytest

from sheaf_common import context
from sheaf_common.context import RequestContext
from sheaf_common.errors import InvalidInput, NotFound, Unavailable
from sheaf_storage.ports import UploadRef
from sheaf_storage.service import Declaration, Presigning, PutLimits, Writes
from support.presign_fakes import FakeSigner
from support.storage_contract import CONTENT, described
from support.storage_fakes import FakeStore
from support.waiting import until

KEY = "documents/1/original"
PART = 100
DOWN = Unavailable("S3_UNAVAILABLE", "down")
DECLARED = Declaration(KEY, "text/plain", 250, b"x" * 32)


@dataclass
class Bench:
    """Presigning and what stands around it; parts are of 100 bytes, a request lives a minute."""

    store: FakeStore = field(default_factory=FakeStore)
    writes: Writes = field(default_factory=Writes)

    def __post_init__(self) -> None:
        self.signer = FakeSigner(self.store)
        limits = PutLimits(max_object_bytes=1000, part_size_bytes=PART, parts_in_flight=2)
        self.presigning = Presigning(self.store, self.signer, self.writes, limits, 60)


@pytest.fixture
def bench() -> Bench:
    """A fresh one."""
    return Bench()


async def test_a_link_to_nothing_is_not_given(bench: Bench) -> None:
    """The object is looked for once; what is there gets its link."""
    with pytest.raises(NotFound) as missing:
        await bench.presigning.get(KEY, 60, filename="", content_type="")
    await bench.store.put(KEY, CONTENT, described(CONTENT))
    request = await bench.presigning.get(KEY, 60, filename="a.txt", content_type="")
    answer = await bench.signer.send(request, b"")

    assert missing.value.reason == "OBJECT_NOT_FOUND"
    assert bench.store.calls == ["head", "put", "head"]
    assert (answer.content, answer.headers["content-disposition"]) == (
        CONTENT, "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "key", "expires_in_s", "content_type"),
    [
        ("KEY_INVALID", "documents/../a", 60, ""),
        ("EXPIRY_INVALID", KEY, 61, ""),
        ("EXPIRY_INVALID", KEY, 0, ""),
        ("CONTENT_TYPE_INVALID", KEY, 60, "text"),
    ],
)
async def test_a_bad_link_is_refused_unseen(
    bench: Bench, reason: str, key: str, expires_in_s: float, content_type: str
) -> None:
    """The store is not asked."""
    with pytest.raises(InvalidInput) as refused:
        await bench.presigning.get(key, expires_in_s, filename="", content_type=content_type)

    assert refused.value.reason == reason
    assert bench.store.calls == []


@pytest.mark.parametrize("way", ["put", "begin"])
@pytest.mark.parametrize(
    ("reason", "declared", "expires_in_s"),
    [
        ("EXPIRY_INVALID", DECLARED, 61),
        ("OBJECT_TOO_LARGE", Declaration(KEY, "text/plain", 1001, b"x" * 32), 60),
        ("SHA256_INVALID", Declaration(KEY, "text/plain", 1, b""), 60),
    ],
)
async def test_a_bad_declaration_begins_nothing(
    bench: Bench, way: str, reason: str, declared: Declaration, expires_in_s: float
) -> None:
    """Neither a signature nor an upload."""
    with pytest.raises(InvalidInput) as refused:
        await getattr(bench.presigning, way)(declared, expires_in_s)

    assert refused.value.reason == reason
    assert bench.store.calls == []
    assert bench.signer.signed == {}


async def test_every_part_has_its_request(bench: Bench) -> None:
    """Of the sizes that make the object; the upload is there until it ends."""
    begun = await bench.presigning.begin(DECLARED, 60)

    assert [part.headers["content-length"] for part in begun.parts] == ["100", "100", "50"]
    assert begun.part_size_bytes == PART
    assert list(bench.store.uploads) == [begun.upload]


async def test_an_upload_that_cannot_be_signed_is_undone(bench: Bench) -> None:
    """Nobody would ever know of it."""
    bench.signer.failures.append(DOWN)
    with pytest.raises(Unavailable):
        await bench.presigning.begin(DECLARED, 60)
    await until(lambda: "abort_upload" in bench.store.calls)

    assert bench.store.uploads == {}


@pytest.mark.parametrize("leaves", ["cancelled", "too late"])
async def test_an_upload_whose_caller_left_is_undone_once_it_has_begun(
    bench: Bench, leaves: str
) -> None:
    """Also if it begins only after that."""
    gate = bench.store.gates["begin_upload"] = asyncio.Event()
    deadline = time.monotonic() + (0.1 if leaves == "too late" else 60)
    with context.bound(RequestContext("r", deadline=deadline)):
        beginning = asyncio.create_task(bench.presigning.begin(DECLARED, 60))
    await until(lambda: bench.store.calls)
    if leaves == "cancelled":
        beginning.cancel()
    await asyncio.wait([beginning])
    begun_early = list(bench.store.begun)
    gate.set()
    await until(lambda: "abort_upload" in bench.store.calls)

    assert begun_early == []
    assert len(bench.store.begun) == 1
    assert bench.store.uploads == {}
    assert beginning.cancelled() or isinstance(beginning.exception(), Unavailable)


async def test_aborting_is_idempotent(bench: Bench) -> None:
    """Twice is as good as once; what names no upload is refused."""
    begun = await bench.presigning.begin(DECLARED, 60)
    await bench.presigning.abort(begun.upload)
    await bench.presigning.abort(begun.upload)
    with pytest.raises(InvalidInput) as refused:
        await bench.presigning.abort(UploadRef(KEY, "../x"))

    assert refused.value.reason == "UPLOAD_ID_INVALID"
    assert bench.store.uploads == {}
