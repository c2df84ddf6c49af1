"""Puts over gRPC: hashed, typed, create-only, and nothing left behind."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sheaf.storage.v1 import storage_pb2
from sheaf_common.errors import AlreadyExists, InvalidInput
from sheaf_storage.adapters.s3 import S3ObjectStore
from support.leftovers import left_behind, until_left_behind
from support.storage import MESSAGE_BYTES, PART_BYTES, Service, messages, sequence, sha256

PDF = b"%PDF-1.7\n" + b"page " * 100
LARGE = b"%PDF-1.7\n" + bytes(range(256)) * (11 * 2**20 // 256)
"""Three parts."""


def message(
    *, data: bytes = b"", finish: bool = False, **header: object
) -> storage_pb2.PutObjectRequest:
    """One message; it has a header if any of its fields is given."""
    described = storage_pb2.PutObjectHeader(**header) if header else None  # type: ignore[arg-type]
    return storage_pb2.PutObjectRequest(header=described, data=data, finish=finish)


@pytest.mark.parametrize("content", [PDF, LARGE], ids=["one put", "multipart"])
async def test_what_is_put_comes_back(service: Service, prefix: str, content: bytes) -> None:
    """The answer has size, hash and sniffed type; the content is the same."""
    key = f"{prefix}original"
    answer = await service.put(key, content)

    assert answer.created
    assert (answer.object.key, answer.object.size_bytes, answer.object.sha256) == (
        key, len(content), sha256(content),
    )  # fmt: skip
    assert answer.object.content_type == "application/pdf"
    assert (await service.head(key)).content_type == "application/pdf"
    assert await service.get(key) == content


async def test_an_object_of_exactly_one_part_is_one_put(
    service: Service, store: S3ObjectStore, prefix: str
) -> None:
    """Its hash is recorded, which a multipart upload's could not be."""
    content = PDF.ljust(PART_BYTES, b" ")
    await service.put(f"{prefix}original", content)

    assert (await store.head(f"{prefix}original")).sha256 == sha256(content)


async def test_a_message_larger_than_a_part_is_cut(service: Service, prefix: str) -> None:
    """One message of more than a part is a multipart upload like any other."""
    content = LARGE[: PART_BYTES + 1000]
    request = message(key=f"{prefix}original", data=content, finish=True)
    answer = await service.send(sequence([request]))

    assert answer.object.sha256 == sha256(content)
    assert await service.get(f"{prefix}original") == content


@pytest.mark.parametrize("content", [PDF, LARGE], ids=["one put", "multipart"])
async def test_the_same_put_again_is_success(
    service: Service, store: S3ObjectStore, prefix: str, content: bytes
) -> None:
    """Created is false, all else as the first time, with nothing left of the second."""
    key = f"{prefix}original"
    first = await service.put(key, content)
    second = await service.put(key, content)

    assert (first.created, second.created) == (True, False)
    assert (second.object.size_bytes, second.object.sha256, second.object.content_type) == (
        first.object.size_bytes, first.object.sha256, first.object.content_type,
    )  # fmt: skip
    assert await left_behind(store, key) == ["object"]


@pytest.mark.parametrize(
    ("content", "other"),
    [(PDF, PDF + b"."), (PDF, b"%PDF-1.6" + PDF[8:]), (LARGE, LARGE[:-1] + b"."), (PDF, LARGE)],
    ids=["other size", "other hash", "multipart, other hash", "multipart over one put"],
)
async def test_other_content_under_a_taken_key_is_refused(
    service: Service, store: S3ObjectStore, prefix: str, content: bytes, other: bytes
) -> None:
    """The first content stays."""
    key = f"{prefix}original"
    await service.put(key, content)
    with pytest.raises(AlreadyExists) as refused:
        await service.put(key, other)

    assert refused.value.reason == "OBJECT_EXISTS"
    assert await service.get(key) == content
    assert await left_behind(store, key) == ["object"]


async def test_of_two_puts_at_once_one_creates(service: Service, prefix: str) -> None:
    """Both succeed, since they put the same."""
    answers = await asyncio.gather(*(service.put(f"{prefix}original", PDF) for _ in range(2)))

    assert sorted(answer.created for answer in answers) == [False, True]


async def test_two_multipart_puts_at_once_both_succeed(
    service: Service, store: S3ObjectStore, prefix: str
) -> None:
    """The object is there once, and nothing else. SeaweedFS may tell both that they created it."""
    key = f"{prefix}original"
    answers = await asyncio.gather(*(service.put(key, LARGE) for _ in range(2)))

    assert any(answer.created for answer in answers)
    assert await service.get(key) == LARGE
    assert await left_behind(store, key) == ["object"]


SIX_MIB = [LARGE[start : start + MESSAGE_BYTES] for start in range(0, 6 * 2**20, MESSAGE_BYTES)]


@pytest.mark.parametrize(
    ("reason", "requests"),
    [
        ("STREAM_INVALID", []),
        ("STREAM_INVALID", [message(data=PDF, finish=True)]),
        ("STREAM_INVALID", [message(key="K", data=PDF), message(key="K", finish=True)]),
        ("STREAM_INVALID", [message(key="K", data=PDF, finish=True), message(data=b"x")]),
        ("STREAM_INVALID", [message(key="K"), message(data=PDF, finish=True), message()]),
        ("STREAM_INVALID", [message(key="K", expected_sha256=b"short", data=PDF, finish=True)]),
        ("STREAM_INVALID", [message(key="K", max_size_bytes=-1, data=PDF, finish=True)]),
        ("STREAM_INVALID", [message(key="K", content_type="a\nb", data=PDF, finish=True)]),
        ("STREAM_TRUNCATED", [message(key="K", data=PDF)]),
        ("STREAM_TRUNCATED", [message(key="K"), *(message(data=data) for data in SIX_MIB)]),
        ("OBJECT_EMPTY", [message(key="K", finish=True)]),
        ("OBJECT_EMPTY", [message(key="K"), message(finish=True)]),
        ("OBJECT_TOO_LARGE", [message(key="K", max_size_bytes=9, data=PDF, finish=True)]),
        (
            "OBJECT_TOO_LARGE",
            [
                message(key="K", max_size_bytes=6 * 2**20 - 1),
                *(message(data=data) for data in SIX_MIB),
                message(finish=True),
            ],
        ),
        ("CHECKSUM_MISMATCH", [message(key="K", expected_sha256=b"x" * 32, data=PDF, finish=True)]),
        (
            "CHECKSUM_MISMATCH",
            [
                message(key="K", expected_sha256=b"x" * 32),
                *(message(data=data) for data in SIX_MIB),
                message(finish=True),
            ],
        ),
        (
            "UNSUPPORTED_MEDIA_TYPE",
            [message(key="K", accepted_content_types=["text/*"], data=PDF, finish=True)],
        ),
        (
            "UNSUPPORTED_MEDIA_TYPE",
            [
                message(key="K", accepted_content_types=["image/png"]),
                *(message(data=data) for data in SIX_MIB),
                message(finish=True),
            ],
        ),
    ],
)
async def test_a_bad_put_is_refused_and_leaves_nothing(
    service: Service,
    store: S3ObjectStore,
    prefix: str,
    reason: str,
    requests: list[storage_pb2.PutObjectRequest],
) -> None:
    """Each by its reason; whether it fitted one put or was a multipart upload."""
    key = f"{prefix}original"
    with pytest.raises(InvalidInput) as refused:
        await service.send(sequence(_with_key(requests, key)))

    assert refused.value.reason == reason
    assert await left_behind(store, key) == []


async def test_the_evidence_says_what_was_wrong(service: Service, prefix: str) -> None:
    """The detected type and the limit, for the caller's own answer."""
    evidence = []
    for header in ({"accepted_content_types": ["text/*"]}, {"max_size_bytes": 10}):
        with pytest.raises(InvalidInput) as refused:
            await service.put(f"{prefix}original", PDF, **header)
        evidence.append(dict(refused.value.evidence))

    assert evidence == [{"content_type": "application/pdf"}, {"limit": "10"}]


@pytest.mark.parametrize(
    "key",
    ["", "original", "/documents/a", "documents/", "documents/a//b", "documents/../x",
     "documents/a/", "documents/a\nb", "documents/" + "a" * 1015],
)  # fmt: skip
async def test_a_bad_key_is_refused(service: Service, key: str) -> None:
    """A key that escapes its prefix or cannot be one never reaches S3."""
    with pytest.raises(InvalidInput) as refused:
        await service.put(key, PDF)

    assert refused.value.reason == "KEY_INVALID"


async def test_a_trusted_writer_names_the_type(service: Service, prefix: str) -> None:
    """A type in the header is recorded instead of a sniffed one."""
    answer = await service.put(f"{prefix}r", b"\x28\xb5\x2f\xfd..", content_type="application/x-r")

    assert answer.object.content_type == "application/x-r"


@pytest.mark.parametrize("parts", [1, 2], ids=["before the first part", "during multipart"])
async def test_a_caller_that_vanishes_leaves_nothing(
    service: Service, store: S3ObjectStore, prefix: str, parts: int
) -> None:
    """A put that its caller cancels in the middle is undone, though nobody waits for it."""
    key = f"{prefix}original"
    sent = asyncio.Event()

    async def endless() -> AsyncIterator[storage_pb2.PutObjectRequest]:
        content = LARGE[: parts * PART_BYTES - 1000 + (parts - 1) * 2000]
        async for request in messages(key, content):
            request.finish = False
            yield request
        sent.set()
        await asyncio.Event().wait()

    putting = asyncio.create_task(service.send(endless()))
    await asyncio.wait_for(sent.wait(), 10)
    if parts > 1:
        await until_left_behind(store, key, count=1)
    putting.cancel()
    await asyncio.wait([putting])

    await until_left_behind(store, key, count=0)


def _with_key(
    requests: list[storage_pb2.PutObjectRequest], key: str
) -> list[storage_pb2.PutObjectRequest]:
    """The messages of a case under a key of the test's own."""
    own = []
    for request in requests:
        copy = storage_pb2.PutObjectRequest()
        copy.CopyFrom(request)
        if copy.HasField("header"):
            copy.header.key = key
        own.append(copy)
    return own
