"""Listing, deleting and tidying up, over gRPC."""

import pytest
from google.protobuf.duration_pb2 import Duration

from sheaf.storage.v1 import storage_pb2
from sheaf_common.errors import InvalidInput, NotFound
from sheaf_storage.adapters.s3 import S3ObjectStore
from sheaf_storage.ports import Description, UploadRef
from support.storage import Service


async def listed(service: Service, prefix: str, page_size: int) -> list[str]:
    """Every key under a prefix, a page at a time."""
    keys: list[str] = []
    more = True
    while more:
        request = storage_pb2.ListObjectsRequest(
            prefix=prefix, start_after=keys[-1] if keys else "", page_size=page_size
        )
        page = await service.peer.unary(service.stub.ListObjects, request, timeout_s=30)
        keys += [item.key for item in page.objects]
        more = page.more
    return keys


async def delete(service: Service, keys: list[str]) -> list[str]:
    """What a deletion says is gone."""
    request = storage_pb2.DeleteObjectsRequest(keys=keys)
    answer = await service.peer.unary(service.stub.DeleteObjects, request, timeout_s=30)
    return list(answer.deleted)


async def abort(service: Service, min_age_s: int) -> int:
    """How many uploads of that age were aborted."""
    request = storage_pb2.AbortStaleUploadsRequest(min_age=Duration(seconds=min_age_s))
    answer = await service.peer.unary(service.stub.AbortStaleUploads, request, timeout_s=30)
    return answer.aborted


async def uploads(store: S3ObjectStore, prefix: str) -> list[UploadRef]:
    """The unfinished uploads under a prefix."""
    return [
        found.upload
        async for found in store.unfinished_uploads()
        if found.upload.key.startswith(prefix)
    ]


async def test_what_was_put_is_listed_until_it_is_deleted(service: Service, prefix: str) -> None:
    """Page by page, with the size; what is deleted, or never was, is gone."""
    keys = sorted(f"{prefix}{name}" for name in ("original", "thumb-1-256.webp", "1-a/result"))
    for key in keys:
        await service.put(key, b"some text")
    request = storage_pb2.ListObjectsRequest(prefix=prefix)
    page = await service.peer.unary(service.stub.ListObjects, request, timeout_s=30)
    every = await listed(service, prefix, page_size=1)
    gone = await delete(service, [*keys, f"{prefix}never"])

    assert [(item.key, item.size_bytes) for item in page.objects] == [(key, 9) for key in keys]
    assert every == keys
    assert gone == [*keys, f"{prefix}never"]
    assert await listed(service, prefix, page_size=1) == []
    with pytest.raises(NotFound):
        await service.head(keys[0])


async def test_deleting_nothing_is_nothing(service: Service) -> None:
    """No keys, no error."""
    assert await delete(service, []) == []


@pytest.mark.parametrize(
    ("reason", "keys"),
    [("KEY_INVALID", ["documents/a", "other/b"]), ("TOO_MANY_KEYS", ["documents/a"] * 1001)],
)
async def test_a_bad_deletion_deletes_nothing(
    service: Service, prefix: str, reason: str, keys: list[str]
) -> None:
    """One bad key refuses the whole call."""
    await service.put(f"{prefix}original", b"some text")
    with pytest.raises(InvalidInput) as refused:
        await delete(service, [f"{prefix}original", *keys])

    assert refused.value.reason == reason
    assert await service.get(f"{prefix}original") == b"some text"


@pytest.mark.parametrize(
    ("reason", "request_"),
    [
        ("KEY_INVALID", storage_pb2.ListObjectsRequest(prefix="")),
        ("KEY_INVALID", storage_pb2.ListObjectsRequest(prefix="secrets/")),
        ("KEY_INVALID", storage_pb2.ListObjectsRequest(prefix="documents/", start_after="x")),
        ("PAGE_SIZE_INVALID", storage_pb2.ListObjectsRequest(prefix="documents/", page_size=-1)),
        ("PAGE_SIZE_INVALID", storage_pb2.ListObjectsRequest(prefix="documents/", page_size=1001)),
    ],
)
async def test_a_bad_listing_is_refused(
    service: Service, reason: str, request_: storage_pb2.ListObjectsRequest
) -> None:
    """Other keys than Sheaf's are not to be seen."""
    with pytest.raises(InvalidInput) as refused:
        await service.peer.unary(service.stub.ListObjects, request_, timeout_s=30)

    assert refused.value.reason == reason


async def test_only_old_uploads_are_aborted(
    service: Service, store: S3ObjectStore, prefix: str
) -> None:
    """One that was just begun stays while it is younger than asked for."""
    begun = await store.begin_upload(f"{prefix}original", Description("text/plain", None))
    await abort(service, 3600)
    after_young = await uploads(store, prefix)
    aborted = await abort(service, 0)

    assert after_young == [begun]
    assert aborted >= 1
    assert await uploads(store, prefix) == []


async def test_a_negative_age_is_refused(service: Service) -> None:
    """It would abort uploads that are yet to begin."""
    with pytest.raises(InvalidInput) as refused:
        await abort(service, -1)

    assert refused.value.reason == "AGE_INVALID"
