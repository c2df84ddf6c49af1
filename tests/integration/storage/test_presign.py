"""Presigned gets, puts and uploads: a client that knows only HTTP, and one that cheats."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sheaf.storage.v1 import storage_pb2
from sheaf_common.errors import InvalidInput, NotFound, SheafError
from sheaf_dev.stack import Stack
from sheaf_storage.adapters.s3 import S3ObjectStore
from sheaf_storage.ports import Description
from support import presign
from support.leftovers import left_behind
from support.presign_contract import Send
from support.storage import PART_BYTES, Service, serving, settings_over, sha256
from support.tcp_proxy import tcp_proxy

PDF = b"%PDF-1.7\n" + b"page " * 100
LARGE = b"%PDF-1.7\n" + bytes(range(256)) * (11 * 2**20 // 256)
"""Three parts."""


@pytest.fixture(params=["original", "ünï code +&=?#%2F'\"~.pdf"], ids=["plain", "odd"])
def key(request: pytest.FixtureRequest, prefix: str) -> str:
    """A key as Sheaf makes them, and one that URLs have to quote."""
    return f"{prefix}{request.param}"


async def test_a_client_puts_and_gets_at_the_store(service: Service, send: Send, key: str) -> None:
    """What is confirmed is what was declared, and everyone reads the same."""
    put = await presign.presign_put(service, key, PDF)
    answer = await send(put, PDF)
    confirmed = await presign.confirm(service, key, accepted_content_types=["application/pdf"])
    got = await send(await presign.presign_get(service, key), b"")

    assert answer.status == 200
    assert (confirmed.size_bytes, confirmed.sha256, confirmed.content_type) == (
        len(PDF), sha256(PDF), "application/pdf",
    )  # fmt: skip
    assert got.content == await service.get(key) == PDF
    assert got.headers["content-disposition"] == "attachment"


async def test_a_download_has_its_name_and_type(service: Service, send: Send, prefix: str) -> None:
    """As the caller wishes; a name cannot break out of its header."""
    await service.put(f"{prefix}original", PDF)
    request = await presign.presign_get(
        service,
        f"{prefix}original",
        download_filename='Steuer "2025"\r\nX-Evil: 1.pdf',
        content_type="application/x-pdf",
    )
    answer = await send(request, b"")

    assert answer.headers["content-type"] == "application/x-pdf"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="Steuer _2025___X-Evil_ 1.pdf"; '
        "filename*=UTF-8''Steuer%20%222025%22__X-Evil%3A%201.pdf"
    )
    assert "x-evil" not in answer.headers


async def test_a_download_may_be_of_a_range(service: Service, send: Send, prefix: str) -> None:
    """A Range header is the client's own: it is not signed."""
    await service.put(f"{prefix}original", PDF)
    request = await presign.presign_get(service, f"{prefix}original")
    part = await send(replace(request, headers={"range": "bytes=2-4"}), b"")

    assert (part.status, part.content) == (206, PDF[2:5])


async def test_every_header_is_signed(service: Service, prefix: str) -> None:
    """What the store is to enforce is named in the URL, and nothing else is asked of a client."""
    request = await presign.presign_put(service, f"{prefix}original", PDF)
    signed = parse_qs(urlsplit(request.url).query)["X-Amz-SignedHeaders"][0].split(";")

    assert sorted(signed) == sorted([*request.headers, "host"])
    assert {"content-length", "content-type", "if-none-match"} <= set(signed)


@pytest.mark.parametrize("way", ["put", "part", "get"])
async def test_a_link_for_one_key_opens_no_other(
    service: Service, send: Send, store: S3ObjectStore, prefix: str, way: str
) -> None:
    """The key is part of what is signed."""
    mine, other = f"{prefix}mine", f"{prefix}other"
    await service.put(f"{prefix}secret", PDF)
    await service.put(f"{prefix}readable", PDF)
    if way == "put":
        request, names = await presign.presign_put(service, mine, PDF), ("mine", "other")
    elif way == "part":
        begun = await presign.begin_upload(service, mine, PDF)
        request, names = presign.request_of(begun.parts[0]), ("mine", "other")
    else:
        request, names = (
            await presign.presign_get(service, f"{prefix}readable"),
            ("readable", "secret"),
        )
    moved = replace(request, url=request.url.replace(*names))
    answer = await send(moved, b"" if way == "get" else PDF)

    assert moved.url != request.url
    assert answer.status == 403
    assert await left_behind(store, other) == []


async def test_a_put_that_breaks_off_leaves_nothing(
    service: Service, store: S3ObjectStore, http: httpx.AsyncClient, prefix: str
) -> None:
    """A client that vanishes in the middle has put nothing, and may put again."""
    key = f"{prefix}original"
    request = await presign.presign_put(service, key, LARGE)

    async def breaking() -> AsyncIterator[bytes]:
        yield LARGE[: 3 * 2**20]
        raise ConnectionError("the client is gone")

    with pytest.raises(ConnectionError):
        await http.put(request.url, headers=dict(request.headers), content=breaking())
    broken = await left_behind(store, key)
    again = await http.put(request.url, headers=dict(request.headers), content=LARGE)

    assert broken == []
    assert again.status_code == 200
    assert (await presign.confirm(service, key)).sha256 == sha256(LARGE)


async def test_a_client_uploads_in_parts(
    service: Service, send: Send, store: S3ObjectStore, key: str
) -> None:
    """In any order and at once; completed, it is confirmed, and completing again says the same."""
    begun = await presign.begin_upload(service, key, LARGE)
    bodies = [LARGE[at : at + begun.part_size_bytes] for at in range(0, len(LARGE), PART_BYTES)]
    answers = await asyncio.gather(
        *(
            send(presign.request_of(part), body)
            for part, body in zip(begun.parts, bodies, strict=True)
        )
    )
    etags = [answer.headers["etag"] for answer in answers]
    made = [
        await presign.complete_upload(service, key, begun.upload_id, etags, sha256(LARGE))
        for _ in range(2)
    ]

    assert begun.part_size_bytes == PART_BYTES
    assert made[0] == made[1]
    assert (made[0].size_bytes, made[0].sha256, made[0].content_type) == (
        len(LARGE), sha256(LARGE), "application/pdf",
    )  # fmt: skip
    assert await service.get(key) == LARGE
    assert await left_behind(store, key) == ["object"]


async def test_completions_at_once_answer_the_same(
    service: Service, send: Send, store: S3ObjectStore, prefix: str
) -> None:
    """Whichever of them the store takes for the first."""
    key = f"{prefix}original"
    begun, etags = await _uploaded(service, send, key, LARGE)
    made = await asyncio.gather(
        *(
            presign.complete_upload(service, key, begun.upload_id, etags, sha256(LARGE))
            for _ in range(4)
        )
    )

    assert {(info.size_bytes, info.sha256) for info in made} == {(len(LARGE), sha256(LARGE))}
    assert await left_behind(store, key) == ["object"]


async def test_a_foreign_or_missing_part_completes_nothing(
    service: Service, send: Send, store: S3ObjectStore, prefix: str
) -> None:
    """The upload stays for the right ones, and is gone once it is aborted."""
    key = f"{prefix}original"
    begun, etags = await _uploaded(service, send, key, LARGE)
    other, foreign = await _uploaded(service, send, f"{prefix}other", PDF + LARGE)
    refused = []
    for wrong in ([foreign[0], *etags[1:]], [*etags, etags[0]], ['"no such"'] * 3):
        with pytest.raises(InvalidInput) as error:
            await presign.complete_upload(service, key, begun.upload_id, wrong, sha256(LARGE))
        refused.append(error.value.reason)
    with pytest.raises(NotFound) as misplaced:
        await presign.complete_upload(service, key, other.upload_id, etags, sha256(LARGE))
    waiting = await left_behind(store, key)
    for _ in range(2):
        await presign.abort_upload(service, key, begun.upload_id)
    await presign.abort_upload(service, f"{prefix}other", other.upload_id)

    assert refused == ["PARTS_INVALID"] * 3
    assert misplaced.value.reason == "UPLOAD_NOT_FOUND"
    assert waiting == [f"upload {begun.upload_id}"]
    assert await left_behind(store, key) == []
    assert await left_behind(store, f"{prefix}other") == []


async def test_too_few_parts_make_no_object(
    service: Service, send: Send, store: S3ObjectStore, prefix: str
) -> None:
    """The store completes them; the hash tells, and what they made is deleted."""
    key = f"{prefix}original"
    begun, etags = await _uploaded(service, send, key, LARGE)
    with pytest.raises(InvalidInput) as refused:
        await presign.complete_upload(service, key, begun.upload_id, etags[:2], sha256(LARGE))
    with pytest.raises(NotFound) as gone:
        await presign.complete_upload(service, key, begun.upload_id, etags, sha256(LARGE))

    assert refused.value.reason == "CHECKSUM_MISMATCH"
    assert gone.value.reason == "UPLOAD_NOT_FOUND"
    assert await left_behind(store, key) == []


async def test_a_part_after_the_end_begins_nothing(
    service: Service, send: Send, store: S3ObjectStore, prefix: str
) -> None:
    """The client still has its requests when the upload was aborted."""
    key = f"{prefix}original"
    begun = await presign.begin_upload(service, key, PDF)
    await presign.abort_upload(service, key, begun.upload_id)
    late = await send(presign.request_of(begun.parts[0]), PDF)

    assert late.status == 404
    assert await left_behind(store, key) == []


@pytest.mark.parametrize("way", [presign.presign_put, presign.begin_upload])
@pytest.mark.parametrize(
    ("reason", "name", "changed"),
    [
        ("EXPIRY_INVALID", "original", {"expires_s": 3601}),
        ("EXPIRY_INVALID", "original", {"expires_s": 0}),
        ("EXPIRY_INVALID", "original", {"expires_s": 2**40}),
        ("KEY_INVALID", "../original", {}),
        ("OBJECT_EMPTY", "original", {"size_bytes": 0}),
        ("OBJECT_TOO_LARGE", "original", {"size_bytes": 5 * 2**30 + 1}),
        ("SHA256_INVALID", "original", {"sha256": b""}),
        ("CONTENT_TYPE_INVALID", "original", {"content_type": "pdf"}),
    ],
)
async def test_what_cannot_be_put_is_not_signed(
    service: Service,
    store: S3ObjectStore,
    prefix: str,
    way: Callable[..., Awaitable[object]],
    reason: str,
    name: str,
    changed: dict[str, Any],
) -> None:
    """By its reason, and no upload is begun."""
    with pytest.raises(InvalidInput) as refused:
        await way(service, f"{prefix}{name}", PDF, **changed)

    assert refused.value.reason == reason
    assert await left_behind(store, f"{prefix}original") == []


async def test_a_link_to_nothing_is_not_given(service: Service, prefix: str) -> None:
    """Nor one that lives too long, or names no key."""
    await service.put(f"{prefix}original", PDF)
    reasons = []
    for name, expires_s in (("none", 60), ("original", 3601), ("../original", 60)):
        with pytest.raises(SheafError) as refused:
            await presign.presign_get(service, f"{prefix}{name}", expires_s=expires_s)
        reasons.append(refused.value.reason)

    assert reasons == ["OBJECT_NOT_FOUND", "EXPIRY_INVALID", "KEY_INVALID"]


async def test_requests_are_for_the_address_that_clients_reach(
    seaweedfs: Stack, send: Send, prefix: str
) -> None:
    """The store is behind another name for them, and that name is what is signed."""
    async with tcp_proxy("127.0.0.1", seaweedfs.port("seaweedfs")) as front:
        public = f"http://localhost:{front.port}"
        async with serving(settings_over(seaweedfs.env, S3_PUBLIC_ENDPOINT_URL=public)) as service:
            put = await presign.presign_put(service, f"{prefix}original", PDF)
            stored = await send(put, PDF)
            get = await presign.presign_get(service, f"{prefix}original")
            got = await send(get, b"")
            inner = seaweedfs.env["S3_ENDPOINT_URL"]
            elsewhere = await send(replace(get, url=get.url.replace(public, inner)), b"")

    assert put.url.startswith(f"{public}/")
    assert (stored.status, got.content, elsewhere.status) == (200, PDF, 403)


async def test_signing_needs_no_free_client(
    seaweedfs: Stack, store: S3ObjectStore, send: Send, prefix: str
) -> None:
    """A put is signed at once though every client is in use."""
    settings = settings_over(
        seaweedfs.env, S3_POOL_SIZE=1, S3_MAX_POOL_CONNECTIONS=1, S3_LEASE_TIMEOUT_S=0.05
    )
    await store.put(f"{prefix}large", LARGE, Description("application/pdf", None))
    async with serving(settings) as service:
        reading: Any = service.peer.receive_stream(
            service.stub.GetObject, storage_pb2.GetObjectRequest(key=f"{prefix}large"), timeout_s=30
        )
        await anext(reading)
        put = await presign.presign_put(service, f"{prefix}original", PDF)
        answer = await send(put, PDF)
        await reading.aclose()

    assert answer.status == 200


async def _uploaded(
    service: Service, send: Send, key: str, content: bytes
) -> tuple[Any, list[str]]:
    """An upload whose parts were all put, and their ETags."""
    begun = await presign.begin_upload(service, key, content)
    etags = []
    for number, part in enumerate(begun.parts):
        start = number * begun.part_size_bytes
        body = content[start : start + begun.part_size_bytes]
        etags.append((await send(presign.request_of(part), body)).headers["etag"])
    return begun, etags
