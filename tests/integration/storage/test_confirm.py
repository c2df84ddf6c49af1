"""Objects that clients put themselves, over a real server: looked at before they are trusted."""

from typing import Any

import pytest

from sheaf_common.errors import FailedPrecondition, InvalidInput, NotFound
from sheaf_storage.adapters.s3 import S3ObjectStore
from sheaf_storage.ports import Description
from support import presign
from support.leftovers import left_behind
from support.presign_contract import Send
from support.storage import Service, sha256

PDF = b"%PDF-1.7\n" + b"page " * 100
LARGE = b"%PDF-1.7\n" + bytes(range(256)) * (11 * 2**20 // 256)


@pytest.mark.parametrize(
    ("reason", "content", "declared", "accepted"),
    [
        ("CHECKSUM_MISMATCH", PDF, PDF[:-1] + b".", {}),
        ("CHECKSUM_MISMATCH", LARGE, LARGE[:-1] + b".", {}),
        ("OBJECT_TOO_LARGE", PDF, PDF, {"max_size_bytes": 10}),
        ("UNSUPPORTED_MEDIA_TYPE", PDF, PDF, {"accepted_content_types": ["text/*"]}),
        ("OBJECT_EMPTY", b"", b"", {}),
    ],
)
async def test_what_a_put_would_refuse_is_deleted(
    service: Service,
    store: S3ObjectStore,
    prefix: str,
    reason: str,
    content: bytes,
    declared: bytes,
    accepted: dict[str, Any],
) -> None:
    """With the put's error, though the store took it; asked again, there is nothing."""
    key = f"{prefix}original"
    await store.put(key, content, Description("application/pdf", sha256(declared)))
    with pytest.raises(InvalidInput) as refused:
        await presign.confirm(service, key, **accepted)
    with pytest.raises(NotFound) as gone:
        await presign.confirm(service, key, **accepted)

    assert (refused.value.reason, gone.value.reason) == (reason, "OBJECT_NOT_FOUND")
    assert await left_behind(store, key) == []


@pytest.mark.parametrize("content", [PDF, LARGE], ids=["one chunk", "many"])
async def test_what_is_right_is_confirmed_as_often_as_one_asks(
    service: Service, store: S3ObjectStore, prefix: str, content: bytes
) -> None:
    """With the type that is sniffed, whatever was declared."""
    key = f"{prefix}original"
    await store.put(key, content, Description("text/html", sha256(content)))
    answers = [
        await presign.confirm(
            service, key, accepted_content_types=["application/pdf"], max_size_bytes=len(content)
        )
        for _ in range(2)
    ]

    assert answers[0] == answers[1]
    assert (answers[0].size_bytes, answers[0].content_type) == (len(content), "application/pdf")


async def test_a_link_puts_again_what_was_refused(
    service: Service, send: Send, store: S3ObjectStore, prefix: str
) -> None:
    """After wrong bytes under its key were removed, the client's own request still works."""
    key = f"{prefix}original"
    request = await presign.presign_put(service, key, PDF)
    await store.put(key, b"wrong", Description("application/pdf", sha256(PDF)))
    taken = await send(request, PDF)
    with pytest.raises(InvalidInput):
        await presign.confirm(service, key)
    again = await send(request, PDF)

    assert (taken.status, again.status) == (412, 200)
    assert (await presign.confirm(service, key)).sha256 == sha256(PDF)


async def test_an_object_of_sheafs_own_is_left_alone(
    service: Service, store: S3ObjectStore, prefix: str
) -> None:
    """A streamed put has no recorded hash, so there is nothing to check it against."""
    key = f"{prefix}original"
    await service.put(key, LARGE)
    with pytest.raises(FailedPrecondition) as refused:
        await presign.confirm(service, key, accepted_content_types=["text/*"])

    assert refused.value.reason == "HASH_NOT_DECLARED"
    assert await left_behind(store, key) == ["object"]
