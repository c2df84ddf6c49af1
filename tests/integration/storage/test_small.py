"""Small objects: one message each way, and what was put a moment ago comes from memory."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sheaf.storage.v1 import storage_pb2
from sheaf_common.errors import (
    AlreadyExists,
    DataLoss,
    FailedPrecondition,
    InvalidInput,
    NotFound,
    SheafError,
)
from sheaf_dev.stack import Stack
from sheaf_storage.adapters.s3 import S3ObjectStore
from sheaf_storage.domain import CHUNK_BYTES
from sheaf_storage.ports import Description
from support.storage import Service, serving, settings_over, sha256

PDF = b"%PDF-1.7\n" + b"page " * 100
LARGE = b"%PDF-1.7\n".ljust(CHUNK_BYTES + 1)


async def put(
    service: Service, key: str, content: bytes = PDF, **header: str | int | bytes
) -> storage_pb2.PutWholeObjectResponse:
    """Puts content by one message."""
    described = storage_pb2.PutObjectHeader(key=key, **header)  # type: ignore[arg-type]
    request = storage_pb2.PutWholeObjectRequest(header=described, data=content)
    return await service.peer.unary(service.stub.PutWholeObject, request, timeout_s=30)


async def fetch(service: Service, key: str) -> storage_pb2.FetchObjectResponse:
    """A small object."""
    request = storage_pb2.FetchObjectRequest(key=key)
    return await service.peer.unary(service.stub.FetchObject, request, timeout_s=30)


async def delete(service: Service, key: str) -> None:
    """Deletes an object."""
    request = storage_pb2.DeleteObjectsRequest(keys=[key])
    await service.peer.unary(service.stub.DeleteObjects, request, timeout_s=30)


@pytest.fixture
async def another(seaweedfs: Stack) -> AsyncIterator[Service]:
    """A second storage over the same bucket, which has put nothing itself."""
    async with serving(settings_over(seaweedfs.env, S3_POOL_SIZE=1)) as running:
        yield running


@pytest.mark.parametrize("first", ["stream", "whole"])
async def test_a_whole_put_is_a_put(service: Service, prefix: str, first: str) -> None:
    """Hashed, typed, stored; the same content again is success, whichever way it comes."""
    key = f"{prefix}original"
    if first == "stream":
        stream, whole = await service.put(key, PDF), await put(service, key)
    else:
        whole, stream = await put(service, key), await service.put(key, PDF)

    assert {whole.created, stream.created} == {True, False}
    assert whole.created is (first == "whole")
    for stored in (whole.object, stream.object):
        assert (stored.key, stored.size_bytes, stored.sha256, stored.content_type) == (
            key, len(PDF), sha256(PDF), "application/pdf",
        )  # fmt: skip
    assert await service.get(key) == PDF


async def test_a_whole_put_is_refused_like_any_other(service: Service, prefix: str) -> None:
    """A key that is none, no content, too much, the wrong hash, another object's key."""
    key = f"{prefix}original"
    await put(service, f"{prefix}taken")
    refusals = {
        "KEY_INVALID": put(service, ""),
        "OBJECT_EMPTY": put(service, key, b""),
        "OBJECT_TOO_LARGE": put(service, key, max_size_bytes=10),
        "CHECKSUM_MISMATCH": put(service, key, expected_sha256=bytes(32)),
        "OBJECT_EXISTS": put(service, f"{prefix}taken", PDF + b"."),
    }
    for reason, refused in refusals.items():
        with pytest.raises((InvalidInput, AlreadyExists)) as refusal:
            await refused
        assert refusal.value.reason == reason
    with pytest.raises(NotFound):
        await fetch(service, key)


async def test_a_fetch_answers_the_whole_object(
    service: Service, another: Service, prefix: str
) -> None:
    """The same from the memory of who put it, and from the store."""
    key = f"{prefix}original"
    await put(service, key)
    answers = [await fetch(each, key) for each in (service, another)]

    assert [answer.data for answer in answers] == [PDF, PDF]
    assert [answer.object.sha256 for answer in answers] == [sha256(PDF)] * 2
    assert {answer.object.content_type for answer in answers} == {"application/pdf"}


async def test_what_was_just_put_is_not_asked_of_the_store(
    service: Service, another: Service, store: S3ObjectStore, prefix: str
) -> None:
    """Not even if it is gone there; but what Sheaf made itself is kept by nobody."""
    await put(service, f"{prefix}original")
    await put(service, f"{prefix}result", content_type="application/zstd")
    await store.delete([f"{prefix}original", f"{prefix}result"])

    assert (await fetch(service, f"{prefix}original")).data == PDF
    for reader, name in ((another, "original"), (service, "result")):
        with pytest.raises(NotFound):
            await fetch(reader, f"{prefix}{name}")


async def test_what_is_deleted_is_not_fetched(service: Service, prefix: str) -> None:
    """However short ago it was put."""
    await put(service, f"{prefix}original")
    await delete(service, f"{prefix}original")

    with pytest.raises(NotFound):
        await fetch(service, f"{prefix}original")


async def test_what_cannot_be_fetched_says_why(
    service: Service, store: S3ObjectStore, prefix: str
) -> None:
    """Too large for a message, not what was put, not there, no key."""
    await put(service, f"{prefix}large", LARGE)
    await store.put(f"{prefix}corrupt", PDF, Description("application/pdf", b"x" * 32))
    keys = [f"{prefix}large", f"{prefix}corrupt", f"{prefix}none", "../etc/passwd"]
    errors = await asyncio.gather(*(fetch(service, key) for key in keys), return_exceptions=True)

    assert [
        (type(error), error.reason) for error in errors if isinstance(error, SheafError)
    ] == [
        (FailedPrecondition, "OBJECT_NOT_SMALL"),
        (DataLoss, "OBJECT_CORRUPT"),
        (NotFound, "OBJECT_NOT_FOUND"),
        (InvalidInput, "KEY_INVALID"),
    ]  # fmt: skip
