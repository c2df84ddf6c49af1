"""What every `RequestSigner` promises, as tests: run over the fake and over S3.

A subclass's module has the fixtures `store`, `signer`, `prefix` and `send`, which sends a
request as any HTTP client would.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import pytest

from sheaf_common.errors import NotFound
from sheaf_storage.domain import PresignedRequest
from sheaf_storage.ports import ObjectStore, PartRef, RequestSigner
from support.storage_contract import CONTENT, PART_BYTES, content_of, described, unfinished

OTHER = b"9876543210"
"""As many bytes as CONTENT, and other ones."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the store said; names of headers in lower case."""

    status: int
    content: bytes
    headers: Mapping[str, str]


Send: TypeAlias = Callable[[PresignedRequest, bytes], Awaitable[Answer]]


def changed(request: PresignedRequest, **headers: str | None) -> PresignedRequest:
    """The request with other headers; None leaves one away."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    merged = {**request.headers, **named}
    return replace(
        request, headers={name: value for name, value in merged.items() if value is not None}
    )


async def is_there(store: ObjectStore, key: str) -> bool:
    """Whether an object has the key."""
    try:
        await store.head(key)
    except NotFound:
        return False
    return True


class RequestSignerContract:
    """See the module."""

    async def test_a_signed_get_gets(
        self, store: ObjectStore, signer: RequestSigner, send: Send, prefix: str
    ) -> None:
        """The content, under the name and type that were asked for."""
        key = f"{prefix}original"
        await store.put(key, CONTENT, described(CONTENT))
        disposition = "attachment; filename=\"a.txt\"; filename*=UTF-8''%C3%A4.txt"
        named = await signer.sign_get(key, 60, disposition=disposition, content_type="text/css")
        plain = await signer.sign_get(key, 60, disposition="attachment", content_type="")
        answers = [await send(request, b"") for request in (named, plain)]

        assert [answer.content for answer in answers] == [CONTENT] * 2
        assert [
            (answer.headers["content-disposition"], answer.headers["content-type"])
            for answer in answers
        ] == [(disposition, "text/css"), ("attachment", "text/plain")]

    async def test_a_request_says_when_it_ends(self, signer: RequestSigner, prefix: str) -> None:
        """By the clock of the one who signed it."""
        before = datetime.now(UTC) - timedelta(seconds=2)
        request = await signer.sign_get(
            f"{prefix}original", 60, disposition="attachment", content_type=""
        )
        after = datetime.now(UTC) + timedelta(seconds=2)

        assert before + timedelta(seconds=60) <= request.expires_at
        assert request.expires_at <= after + timedelta(seconds=60)

    async def test_a_request_ends(
        self, store: ObjectStore, signer: RequestSigner, send: Send, prefix: str
    ) -> None:
        """Afterwards neither a get nor a put is answered, and nothing is put."""
        key = f"{prefix}original"
        put = await signer.sign_put(key, len(CONTENT), described(CONTENT), 1)
        get = await signer.sign_get(key, 1, disposition="attachment", content_type="")
        async with asyncio.timeout(15):
            while datetime.now(UTC) <= put.expires_at + timedelta(seconds=1):  # noqa: ASYNC110 - a clock
                await asyncio.sleep(0.02)
        answers = [await send(put, CONTENT), await send(get, b"")]

        assert [answer.status for answer in answers] == [403, 403]
        assert not await is_there(store, key)

    async def test_a_signed_put_creates(
        self, store: ObjectStore, signer: RequestSigner, send: Send, prefix: str
    ) -> None:
        """The object is there as it was described."""
        key = f"{prefix}original"
        request = await signer.sign_put(key, len(CONTENT), described(CONTENT), 60)
        answer = await send(request, CONTENT)
        info = await store.head(key)

        assert (request.method, answer.status) == ("PUT", 200)
        assert await content_of(store, key) == CONTENT
        assert (info.size_bytes, info.sha256, info.content_type) == (
            len(CONTENT), described(CONTENT).sha256, "text/plain",
        )  # fmt: skip

    async def test_a_signed_put_never_replaces(
        self, store: ObjectStore, signer: RequestSigner, send: Send, prefix: str
    ) -> None:
        """Neither what Sheaf put nor what it put itself before; the content stays."""
        key = f"{prefix}original"
        request = await signer.sign_put(key, len(CONTENT), described(CONTENT), 60)
        await send(request, CONTENT)
        other = await signer.sign_put(key, len(OTHER), described(OTHER), 60)
        answers = [await send(request, CONTENT), await send(other, OTHER)]

        assert [answer.status for answer in answers] == [412, 412]
        assert await content_of(store, key) == CONTENT

    @pytest.mark.parametrize(
        ("status", "content", "headers"),
        [
            (403, CONTENT + b"1", {"content_length": str(len(CONTENT) + 1)}),
            (403, CONTENT[:-1], {"content_length": str(len(CONTENT) - 1)}),
            (403, CONTENT, {"content_type": "text/html"}),
            (403, CONTENT, {"content_type": None}),
            (403, CONTENT, {"if_none_match": None}),
            (403, CONTENT, {"x_amz_meta_sha256": "00" * 32}),
            (403, CONTENT, {"x_amz_meta_sha256": None}),
            (403, CONTENT, {"x_amz_meta_other": "1"}),
            (403, CONTENT, {"x_amz_acl": "public-read"}),
            (400, OTHER, {}),
        ],
        ids=["longer", "shorter", "other type", "no type", "may replace", "other hash", "no hash",
             "more metadata", "public", "other content"],
    )  # fmt: skip
    async def test_a_put_of_anything_else_is_refused(
        self,
        store: ObjectStore,
        signer: RequestSigner,
        send: Send,
        prefix: str,
        status: int,
        content: bytes,
        headers: dict[str, str | None],
    ) -> None:
        """Before its content is looked at, or for it; the request as it was signed still works."""
        key = f"{prefix}original"
        request = await signer.sign_put(key, len(CONTENT), described(CONTENT), 60)
        refused = await send(changed(request, **headers), content)
        after = await is_there(store, key)

        assert refused.status == status
        assert not after
        assert (await send(request, CONTENT)).status == 200

    async def test_a_request_is_for_its_method_alone(
        self, store: ObjectStore, signer: RequestSigner, send: Send, prefix: str
    ) -> None:
        """Who may get may not put or delete, and who may put may not get."""
        key = f"{prefix}original"
        await store.put(key, CONTENT, described(CONTENT))
        get = await signer.sign_get(key, 60, disposition="attachment", content_type="")
        put = await signer.sign_put(key, len(OTHER), described(OTHER), 60)
        answers = [
            await send(replace(get, method="PUT"), OTHER),
            await send(replace(get, method="DELETE"), b""),
            await send(replace(put, method="GET", headers={}), b""),
        ]

        assert [answer.status for answer in answers] == [403, 403, 403]
        assert await content_of(store, key) == CONTENT

    async def test_signed_parts_make_an_object(
        self, store: ObjectStore, signer: RequestSigner, send: Send, prefix: str
    ) -> None:
        """In the order of their requests, and each of its own size only."""
        key = f"{prefix}original"
        content = b"a" * PART_BYTES + b"rest"
        upload = await store.begin_upload(key, described(content))
        first, second = await signer.sign_parts(upload, [PART_BYTES, 4], 60)
        refused = [
            await send(changed(second, content_length="5"), b"rest."),
            await send(changed(second, content_length="3"), b"res"),
        ]
        answers = [await send(first, content[:PART_BYTES]), await send(second, b"rest")]
        await store.complete_upload(
            upload,
            [
                PartRef(number, answer.headers["etag"])
                for number, answer in enumerate(answers, start=1)
            ],
        )

        assert [answer.status for answer in refused] == [403, 403]
        assert await content_of(store, key) == content
        assert (await store.head(key)).sha256 == described(content).sha256

    async def test_a_part_of_an_upload_that_ended_is_refused(
        self, store: ObjectStore, signer: RequestSigner, send: Send, prefix: str
    ) -> None:
        """Aborted or completed, it is not begun again by a part that comes late."""
        key = f"{prefix}original"
        aborted = await store.begin_upload(key, described(CONTENT))
        completed = await store.begin_upload(key, described(CONTENT))
        late = [
            (await signer.sign_parts(upload, [len(CONTENT)], 60))[0]
            for upload in (aborted, completed)
        ]
        await store.abort_upload(aborted)
        await store.complete_upload(completed, [await store.put_part(completed, 1, CONTENT)])
        answers = [await send(request, OTHER) for request in late]

        assert [answer.status for answer in answers] == [404, 404]
        assert await unfinished(store, key) == []
        assert await content_of(store, key) == CONTENT
