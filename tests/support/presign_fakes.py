"""Presigned requests over the store in memory: signed, and enforced as S3 does it."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sheaf_common.errors import AlreadyExists, Conflict, NotFound
from sheaf_storage.domain import PresignedRequest
from sheaf_storage.ports import Description, UploadRef
from support.presign_contract import Answer
from support.storage_fakes import FakeStore

HOST = "https://store.example"


@dataclass(frozen=True, slots=True)
class Signed:
    """What a URL of the fake stands for."""

    request: PresignedRequest
    key: str
    answer: Mapping[str, str] = field(default_factory=dict)
    description: Description | None = None
    part: tuple[UploadRef, int] | None = None


@dataclass
class FakeSigner:
    """`RequestSigner` that remembers what it signed; `send` is the client and the store."""

    store: FakeStore
    signed: dict[str, Signed] = field(default_factory=dict)
    failures: list[Exception] = field(default_factory=list)

    async def sign_get(
        self, key: str, expires_in_s: int, *, disposition: str, content_type: str
    ) -> PresignedRequest:
        """See `RequestSigner`."""
        answer = {"content-disposition": disposition}
        if content_type:
            answer["content-type"] = content_type
        return self._sign("GET", {}, expires_in_s, key=key, answer=answer)

    async def sign_put(
        self, key: str, size_bytes: int, description: Description, expires_in_s: int
    ) -> PresignedRequest:
        """See `RequestSigner`."""
        sha256 = description.sha256 or b""
        headers = {
            "content-length": str(size_bytes),
            "content-type": description.content_type,
            "if-none-match": "*",
            "x-amz-meta-sha256": sha256.hex(),
            "x-amz-checksum-sha256": base64.b64encode(sha256).decode(),
        }
        return self._sign("PUT", headers, expires_in_s, key=key, description=description)

    async def sign_parts(
        self, upload: UploadRef, sizes_bytes: Sequence[int], expires_in_s: int
    ) -> Sequence[PresignedRequest]:
        """See `RequestSigner`."""
        if self.failures:
            raise self.failures.pop(0)
        return [
            self._sign(
                "PUT",
                {"content-length": str(size)},
                expires_in_s,
                key=upload.key,
                part=(upload, number),
            )
            for number, size in enumerate(sizes_bytes, start=1)
        ]

    async def send(self, request: PresignedRequest, content: bytes) -> Answer:
        """What the store answers to the request."""
        signed = self.signed[request.url]
        sent = dict(request.headers)
        if request.method == "PUT":
            sent["content-length"] = str(len(content))
        as_signed = sent == signed.request.headers and request.method == signed.request.method
        if not as_signed or datetime.now(UTC) > signed.request.expires_at:
            return Answer(403, b"", {})
        try:
            if signed.part is not None:
                part = await self.store.put_part(*signed.part, content)
                return Answer(200, b"", {"etag": part.etag})
            if signed.description is not None:
                return await self._put(signed.key, content, signed.description)
            found = self.store.objects[signed.key]
            headers = {"content-type": found.description.content_type, **signed.answer}
            return Answer(200, found.content, headers)
        except AlreadyExists:
            return Answer(412, b"", {})
        except (Conflict, NotFound, KeyError):
            return Answer(404, b"", {})

    async def _put(self, key: str, content: bytes, description: Description) -> Answer:
        if hashlib.sha256(content).digest() != description.sha256:
            return Answer(400, b"", {})
        await self.store.put(key, content, description)
        return Answer(200, b"", {})

    def _sign(
        self,
        method: str,
        headers: Mapping[str, str],
        expires_in_s: int,
        *,
        key: str,
        answer: Mapping[str, str] | None = None,
        description: Description | None = None,
        part: tuple[UploadRef, int] | None = None,
    ) -> PresignedRequest:
        expires_at = datetime.now(UTC) + timedelta(seconds=expires_in_s)
        url = f"{HOST}/{len(self.signed)}"
        request = PresignedRequest(method, url, headers, expires_at)
        self.signed[url] = Signed(request, key, answer or {}, description, part)
        return request
