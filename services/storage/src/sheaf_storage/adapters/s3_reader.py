"""Reading one object from S3: in chunks, resumed where a connection breaks."""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

import structlog
from botocore.exceptions import BotoCoreError, IncompleteReadError

from sheaf_common.backoff import backoff_s
from sheaf_common.errors import Conflict, OutOfRange, Unavailable
from sheaf_storage.adapters.metrics import GET_BYTES
from sheaf_storage.adapters.s3_calls import LeasedClient
from sheaf_storage.adapters.s3_objects import info_of, range_header, size_of
from sheaf_storage.domain import CHUNK_BYTES, ByteRange, ObjectInfo

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

log = structlog.get_logger()

_RESUMES: Final = 4
_RESUME_BASE_S: Final = 0.05
_RESUME_LIMIT_S: Final = 1.0


class S3ObjectReader:
    """`ObjectReader` over a leased client, which it gives back as soon as all is read.

    Its private methods run in threads, never two at once.
    """

    info: ObjectInfo

    def __init__(self, leased: LeasedClient, bucket: str, key: str, wanted: ByteRange) -> None:
        self._leased = leased
        self._bucket = bucket
        self._key = key
        self._wanted = wanted
        self._position = self._stop = 0
        self._etag = ""
        self._ahead = b""
        self._body: StreamingBody | None = None
        self._resumes = 0
        leased.released.callback(self._drop_body)

    async def start(self) -> None:
        """Opens the object and reads the first chunk, in one job."""
        try:
            await self._leased.run("get_object", self._open, self._key)
        except OutOfRange:
            await self._leased.run("head_object", self._explain_range, self._key)
        await self._release_if_read()

    async def read(self) -> bytes:
        """See `ObjectReader`."""
        if self._ahead:
            ahead, self._ahead = self._ahead, b""
            return ahead
        if self._position >= self._stop:
            return b""
        while True:
            try:
                chunk = await self._leased.run("read_body", self._next, self._key)
            except Unavailable as error:
                await self._before_resuming(error)
            else:
                await self._release_if_read()
                return chunk

    def interrupt(self) -> None:
        """Ends a read that runs in a thread. Does not block."""
        raw: Any = getattr(self._body, "_raw_stream", None)
        with contextlib.suppress(AttributeError, OSError, RuntimeError, ValueError):
            raw.shutdown()

    async def _before_resuming(self, error: Unavailable) -> None:
        if self._resumes >= _RESUMES:
            raise error
        log.warning(
            "reading broke and is resumed", key=self._key, position=self._position, error=str(error)
        )
        await asyncio.sleep(
            backoff_s(self._resumes, base_s=_RESUME_BASE_S, limit_s=_RESUME_LIMIT_S)
        )
        self._resumes += 1

    async def _release_if_read(self) -> None:
        if self._position >= self._stop:
            await self._leased.released.aclose()

    def _open(self, client: "S3Client") -> None:
        header = range_header(self._wanted)
        answer = (
            client.get_object(Bucket=self._bucket, Key=self._key)
            if header is None
            else client.get_object(Bucket=self._bucket, Key=self._key, Range=header)
        )
        self._body, self._etag = answer["Body"], answer["ETag"]
        self.info = info_of(self._key, answer, size_of(answer))
        self._position, self._stop = self._wanted.resolve(self.info.size_bytes)
        if self._position < self._stop:
            with contextlib.suppress(BotoCoreError):  # `read` resumes
                self._ahead = self._pull(self._body)

    def _explain_range(self, client: "S3Client") -> None:
        answer = client.head_object(Bucket=self._bucket, Key=self._key)
        self._wanted.resolve(answer["ContentLength"])
        raise Conflict("OBJECT_CHANGED", f"{self._key!r} changed meanwhile")

    def _next(self, client: "S3Client") -> bytes:
        if self._body is None:
            answer = client.get_object(
                Bucket=self._bucket,
                Key=self._key,
                Range=f"bytes={self._position}-{self._stop - 1}",
                IfMatch=self._etag,
            )
            self._body = answer["Body"]
        return self._pull(self._body)

    def _pull(self, body: "StreamingBody") -> bytes:
        wanted = min(CHUNK_BYTES, self._stop - self._position)
        try:
            chunk = body.read(wanted)
            if not chunk:
                raise IncompleteReadError(actual_bytes=self._position, expected_bytes=self._stop)
        except BotoCoreError:
            self._drop_body()
            raise
        self._position += len(chunk)
        GET_BYTES.inc(len(chunk))
        return chunk

    def _drop_body(self) -> None:
        """Gives the connection back if the body was read to its end, else closes it."""
        body, self._body = self._body, None
        if body is not None:
            body.close()
