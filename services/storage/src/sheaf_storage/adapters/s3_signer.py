"""`RequestSigner` over botocore: AWS signature version 4 in the query.

Every header of a presigned request is signed, so the store refuses one that is missing or has
another value, any other `x-amz-` header, another key, method or part, and the request after
its time. SeaweedFS 4.48 was seen to enforce all that the tests claim, and it and S3 also
check what the headers say: `If-None-Match: *` (create-only) and `x-amz-checksum-sha256` (the
content's hash; for a put, since S3 has no such checksum of a whole multipart upload).

What the store does not enforce:

- That the content is of its type: it is the type that the client declared. Other stores may
  not know `x-amz-checksum-sha256`. So an object is looked at before it is trusted.
- That a request is sent once. A part may be put again until its upload is completed or
  aborted, and an object that was deleted may be put again until the request expires.
- A time that outlives the credentials: with a temporary identity of AWS it ends with that.

Measured: 0.35 ms a request, all of it CPU; handing it to a thread and back makes it 0.5. With
an access key of its own a request is signed in the event loop, and takes no lease: a
signature needs no connection, and a full pool does not delay it. With the environment's
identity it is signed in a thread, since botocore may have to renew that over the network; and
so are parts: 1,024 take 0.4 s, in which the loop lags by 6 ms at most.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from urllib.parse import parse_qs, urlsplit

import botocore.session
from botocore.config import Config

from sheaf_common.pools.s3 import S3Settings
from sheaf_storage.adapters.s3_errors import translated
from sheaf_storage.adapters.s3_objects import metadata_of
from sheaf_storage.domain import PresignedRequest
from sheaf_storage.ports import Description, UploadRef

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DATE_FORMAT: Final = "%Y%m%dT%H%M%SZ"
_METHODS: Final = {"get_object": "GET", "put_object": "PUT", "upload_part": "PUT"}

T = TypeVar("T")


class S3RequestSigner:
    """Signs for one bucket with a client that sends nothing; `blocks` if signing may wait."""

    def __init__(
        self, client: "S3Client", executor: Executor, bucket: str, *, blocks: bool
    ) -> None:
        self._client = client
        self._executor = executor
        self._bucket = bucket
        self._blocks = blocks

    async def sign_get(
        self, key: str, expires_in_s: int, *, disposition: str, content_type: str
    ) -> PresignedRequest:
        """See `RequestSigner`."""
        answer = {"ResponseContentDisposition": disposition}
        if content_type:
            answer["ResponseContentType"] = content_type
        return await self._signed(
            lambda: self._sign("get_object", {"Key": key, **answer}, {}, expires_in_s)
        )

    async def sign_put(
        self, key: str, size_bytes: int, description: Description, expires_in_s: int
    ) -> PresignedRequest:
        """See `RequestSigner`."""
        metadata = metadata_of(description)
        asked: dict[str, Any] = {
            "Key": key,
            "ContentLength": size_bytes,
            "ContentType": description.content_type,
            "IfNoneMatch": "*",
            "Metadata": metadata,
        }
        headers = {
            "content-length": str(size_bytes),
            "content-type": description.content_type,
            "if-none-match": "*",
            **{f"x-amz-meta-{name}": value for name, value in metadata.items()},
        }
        if description.sha256 is not None:
            checksum = base64.b64encode(description.sha256).decode("ascii")
            asked["ChecksumSHA256"] = headers["x-amz-checksum-sha256"] = checksum
        return await self._signed(lambda: self._sign("put_object", asked, headers, expires_in_s))

    async def sign_parts(
        self, upload: UploadRef, sizes_bytes: Sequence[int], expires_in_s: int
    ) -> Sequence[PresignedRequest]:
        """See `RequestSigner`."""

        def work() -> list[PresignedRequest]:
            return [
                self._sign(
                    "upload_part",
                    {
                        "Key": upload.key,
                        "UploadId": upload.upload_id,
                        "PartNumber": number,
                        "ContentLength": size_bytes,
                    },
                    {"content-length": str(size_bytes)},
                    expires_in_s,
                )
                for number, size_bytes in enumerate(sizes_bytes, start=1)
            ]

        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def _signed(self, sign: Callable[[], T]) -> T:
        if not self._blocks:
            return sign()
        return await asyncio.get_running_loop().run_in_executor(self._executor, sign)

    def _sign(
        self, operation: str, asked: dict[str, Any], headers: dict[str, str], expires_in_s: int
    ) -> PresignedRequest:
        try:
            url = self._client.generate_presigned_url(
                operation, Params={"Bucket": self._bucket, **asked}, ExpiresIn=expires_in_s
            )
        except Exception as error:
            known = translated(error, operation, asked["Key"])
            if known is error:
                raise
            raise known from error
        return PresignedRequest(_METHODS[operation], url, headers, _expiry_of(url))


@asynccontextmanager
async def s3_request_signer(
    settings: S3Settings, public_endpoint_url: str | None, executor: Executor
) -> AsyncIterator[S3RequestSigner]:
    """A signer for the block, for the address that clients reach the store at.

    Its client is made once, before the block begins, in a thread.
    """
    reached = settings.model_copy(
        update={"endpoint_url": public_endpoint_url or settings.endpoint_url}
    )
    loop = asyncio.get_running_loop()
    client = await loop.run_in_executor(executor, _make_client, reached)
    try:
        yield S3RequestSigner(
            client, executor, settings.bucket, blocks=settings.access_key_id is None
        )
    finally:
        client.close()


def _make_client(settings: S3Settings) -> "S3Client":
    secret = settings.secret_access_key
    client = botocore.session.Session().create_client(
        "s3",
        endpoint_url=settings.endpoint_url,
        aws_access_key_id=settings.access_key_id,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        # For presigned requests botocore's own default is the older signature.
        config=settings.client_config().merge(Config(signature_version="s3v4")),
    )
    return cast("S3Client", client)


def _expiry_of(url: str) -> datetime:
    """When the store stops accepting a signed URL: as it says itself."""
    query = parse_qs(urlsplit(url).query)
    signed_at = datetime.strptime(query["X-Amz-Date"][0], _DATE_FORMAT).replace(tzinfo=UTC)
    return signed_at + timedelta(seconds=int(query["X-Amz-Expires"][0]))
