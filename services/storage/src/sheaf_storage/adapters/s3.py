"""`ObjectStore` over S3.

Create-only puts rest on `If-None-Match: *`, which S3 honours for PutObject and for
CompleteMultipartUpload; a refused upload stays until it is aborted. SeaweedFS 4.48 was seen
to honour both. Where it differs from S3:

- Only its PutObject is atomic (of eight writers at once, one created). A completion checks
  first and writes then: of two within the same milliseconds, a quarter both "created", and
  the later one stays. A head before completing would not narrow that. Each of Sheaf's keys
  has one writer, whose retries put the same content.
- It keeps folders. A key that is a folder of other keys is "taken" for a create-only put
  though no object is there (a head says 404), and a listing that starts after an object
  misses the keys below it. Sheaf's own keys never lie below another.
- It lists folder by folder, not in the order of bytes: `a/b` before `a-b`.
- ListMultipartUploads gives no NextKeyMarker, and its markers do not work together: a page
  is asked for with exactly the markers that the last one gave.
- PutObject to a bucket that does not exist creates the bucket, given admin rights.

`delete_unchanged` rests on `If-Match`, which both honour for DeleteObject; a store that does
not know it deletes whatever has the key.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

from botocore.exceptions import ClientError

from sheaf_common.errors import NotFound, Unavailable
from sheaf_storage.adapters.metrics import PUT_BYTES
from sheaf_storage.adapters.s3_calls import S3Calls
from sheaf_storage.adapters.s3_errors import is_other_version, is_upload_gone, unavailable
from sheaf_storage.adapters.s3_objects import answered_at, info_of, metadata_of
from sheaf_storage.adapters.s3_reader import S3ObjectReader
from sheaf_storage.domain import ByteRange, Bytes, ObjectInfo, ObjectPage
from sheaf_storage.ports import (
    Description,
    ObjectReader,
    PartRef,
    UnfinishedUpload,
    UploadRef,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListMultipartUploadsOutputTypeDef

_NAMED_KEYS: Final = 10


class S3ObjectStore:
    """One bucket. Unfinished uploads are asked for in pages of `uploads_a_page`."""

    def __init__(self, calls: S3Calls, bucket: str, *, uploads_a_page: int = 1000) -> None:
        self._calls = calls
        self._bucket = bucket
        self._uploads_a_page = uploads_a_page
        self._ping: asyncio.Task[None] | None = None

    async def put(self, key: str, content: Bytes, description: Description) -> datetime | None:
        """See `ObjectStore`."""

        def work(client: "S3Client") -> datetime | None:
            answer = client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=cast("bytes", content),
                ContentType=description.content_type,
                Metadata=metadata_of(description),
                IfNoneMatch="*",
            )
            PUT_BYTES.inc(len(content))
            return answered_at(answer["ResponseMetadata"])

        return await self._calls.run("put_object", work, key, len(content))

    async def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore`."""

        def work(client: "S3Client") -> ObjectInfo:
            answer = client.head_object(Bucket=self._bucket, Key=key)
            return info_of(key, answer, answer["ContentLength"])

        return await self._calls.run("head_object", work, key)

    @asynccontextmanager
    async def open(self, key: str, wanted: ByteRange) -> AsyncIterator[ObjectReader]:
        """See `ObjectStore`."""
        async with self._calls.lease() as leased:
            reader = S3ObjectReader(leased, self._bucket, key, wanted)
            try:
                await reader.start()
                yield reader
            finally:
                reader.interrupt()

    async def delete(self, keys: Sequence[str]) -> None:
        """See `ObjectStore`."""

        def work(client: "S3Client") -> list[tuple[str, str]]:
            answer = client.delete_objects(
                Bucket=self._bucket,
                Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True},
            )
            errors = answer.get("Errors", [])
            return [(error.get("Key", ""), error.get("Code", "")) for error in errors]

        left = await self._calls.run("delete_objects", work)
        left = [(key, code) for key, code in left if code != "NoSuchKey"]
        if left:
            named = ", ".join(f"{key} ({code})" for key, code in left[:_NAMED_KEYS])
            raise Unavailable(
                "S3_DELETE_INCOMPLETE",
                f"{len(left)} of {len(keys)} objects could not be deleted: {named}",
                evidence={"keys": " ".join(key for key, _ in left[:_NAMED_KEYS])},
            )

    async def delete_unchanged(self, info: ObjectInfo) -> None:
        """See `ObjectStore`."""

        def work(client: "S3Client") -> None:
            try:
                client.delete_object(Bucket=self._bucket, Key=info.key, IfMatch=info.version)
            except ClientError as error:
                if not is_other_version(error):
                    raise

        with contextlib.suppress(NotFound):
            await self._calls.run("delete_object", work, info.key)

    async def list(self, prefix: str, *, start_after: str, limit: int) -> ObjectPage:
        """See `ObjectStore`."""

        def work(client: "S3Client") -> ObjectPage:
            answer = client.list_objects_v2(
                Bucket=self._bucket, Prefix=prefix, StartAfter=start_after, MaxKeys=limit
            )
            found = [
                ObjectInfo(
                    key=item["Key"],
                    size_bytes=item["Size"],
                    sha256=b"",
                    content_type="",
                    modified_at=item["LastModified"].astimezone(UTC),
                )
                for item in answer.get("Contents", [])
            ]
            return ObjectPage(found, more=answer["IsTruncated"])

        return await self._calls.run("list_objects", work)

    async def begin_upload(self, key: str, description: Description) -> UploadRef:
        """See `ObjectStore`."""

        def work(client: "S3Client") -> UploadRef:
            answer = client.create_multipart_upload(
                Bucket=self._bucket,
                Key=key,
                ContentType=description.content_type,
                Metadata=metadata_of(description),
            )
            return UploadRef(key, answer["UploadId"])

        return await self._calls.run("create_multipart_upload", work, key)

    async def put_part(self, upload: UploadRef, number: int, content: Bytes) -> PartRef:
        """See `ObjectStore`."""

        def work(client: "S3Client") -> PartRef:
            answer = client.upload_part(
                Bucket=self._bucket,
                Key=upload.key,
                UploadId=upload.upload_id,
                PartNumber=number,
                Body=cast("bytes", content),
            )
            PUT_BYTES.inc(len(content))
            return PartRef(number, answer["ETag"])

        return await self._calls.run("upload_part", work, upload.key, len(content))

    async def complete_upload(self, upload: UploadRef, parts: Sequence[PartRef]) -> datetime | None:
        """See `ObjectStore`."""

        def work(client: "S3Client") -> datetime | None:
            answer = client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=upload.key,
                UploadId=upload.upload_id,
                MultipartUpload={
                    "Parts": [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
                },
                IfNoneMatch="*",
            )
            return answered_at(answer["ResponseMetadata"])

        return await self._calls.run("complete_multipart_upload", work, upload.key)

    async def abort_upload(self, upload: UploadRef) -> None:
        """See `ObjectStore`."""

        def work(client: "S3Client") -> None:
            try:
                client.abort_multipart_upload(
                    Bucket=self._bucket, Key=upload.key, UploadId=upload.upload_id
                )
            except ClientError as error:
                if not is_upload_gone(error):
                    raise

        await self._calls.run("abort_multipart_upload", work, upload.key)

    async def unfinished_uploads(self) -> AsyncIterator[UnfinishedUpload]:
        """See `ObjectStore`."""
        markers: dict[str, str] = {}
        while True:
            answer = await self._uploads_page(markers)
            now = answered_at(answer["ResponseMetadata"]) or datetime.now(UTC)
            for item in answer.get("Uploads", []):
                upload = UploadRef(item["Key"], item["UploadId"])
                yield UnfinishedUpload(upload, (now - item["Initiated"]).total_seconds())
            given = {
                "KeyMarker": answer.get("NextKeyMarker", ""),
                "UploadIdMarker": answer.get("NextUploadIdMarker", ""),
            }
            if not answer.get("IsTruncated") or not any(given.values()):
                return
            markers = {name: marker for name, marker in given.items() if marker}

    async def ping(self) -> None:
        """See `ObjectStore`. Only one question is asked at a time."""
        if self._ping is not None:
            raise unavailable("head_bucket: still waiting for an answer")

        def work(client: "S3Client") -> None:
            client.head_bucket(Bucket=self._bucket)

        self._ping = asyncio.create_task(self._calls.run("head_bucket", work))
        self._ping.add_done_callback(self._ping_done)
        pinging = self._ping
        await asyncio.wait({pinging})
        pinging.result()

    def _ping_done(self, ping: "asyncio.Task[None]") -> None:
        self._ping = None
        if not ping.cancelled():
            ping.exception()  # seen: whoever asked may have left

    async def _uploads_page(self, markers: dict[str, str]) -> "ListMultipartUploadsOutputTypeDef":
        def work(client: "S3Client") -> "ListMultipartUploadsOutputTypeDef":
            return client.list_multipart_uploads(
                Bucket=self._bucket,
                MaxUploads=self._uploads_a_page,
                **markers,  # type: ignore[arg-type]
            )

        return await self._calls.run("list_multipart_uploads", work)
