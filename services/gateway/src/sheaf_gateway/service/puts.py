"""Storing one file: whole, with retries, or as a stream that follows the body."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from typing import Final

import structlog

from sheaf_common.backoff import backoff_s
from sheaf_common.errors import ErrorKind, InternalError, InvalidInput, SheafError
from sheaf_gateway.domain.uploads import ACCEPTED_CONTENT_TYPES, StoredObject
from sheaf_gateway.ports.objects import ObjectStore
from sheaf_gateway.settings import UploadSettings

log = structlog.get_logger()

_TRIES: Final = 4
_BACKOFF_BASE_S: Final = 0.05
_BACKOFF_LIMIT_S: Final = 1.0
_RETRIED: Final = frozenset(
    {
        ErrorKind.UNAVAILABLE,
        ErrorKind.DEADLINE_EXCEEDED,
        ErrorKind.OVER_CAPACITY,
        ErrorKind.CONFLICT,
    }
)
_FILE_REASONS: Final = {
    "OBJECT_EMPTY": ("FILE_EMPTY", "the file is empty"),
    "OBJECT_TOO_LARGE": ("FILE_TOO_LARGE", "the file is too large"),
    "UNSUPPORTED_MEDIA_TYPE": ("UNSUPPORTED_FORMAT", "files of this format are not taken"),
}


class Putter:
    """Stores files. A put is idempotent, so that of a whole file is tried again.

    Both ways raise:
        InvalidInput: why the file itself is not taken: `FILE_EMPTY`, `FILE_TOO_LARGE`,
            `UNSUPPORTED_FORMAT`.
        SheafError: storage failed; its own refusals of the request are a bug here.
    """

    def __init__(self, store: ObjectStore, limits: UploadSettings) -> None:
        self._store = store
        self._limits = limits

    async def put_whole(self, key: str, filename: str, content: bytes) -> StoredObject:
        """Stores a file that is in memory; a try that hangs leaves time for another."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._limits.put_timeout_s
        for tries in range(_TRIES):
            is_last = tries == _TRIES - 1
            left_s = deadline - loop.time()
            try:
                return await self._put(key, filename, content, left_s if is_last else left_s / 2)
            except SheafError as error:
                pause_s = backoff_s(tries, base_s=_BACKOFF_BASE_S, limit_s=_BACKOFF_LIMIT_S)
                if error.kind not in _RETRIED or is_last or loop.time() + pause_s >= deadline:
                    raise
                log.info("put is tried again", key=key, reason=error.reason, tries=tries + 1)
                await asyncio.sleep(pause_s)
        raise AssertionError  # the last try returns or raises

    async def put_stream(
        self, key: str, filename: str, content: AsyncIterator[bytes]
    ) -> StoredObject:
        """Stores a file while its content comes. What `content` raises passes unchanged."""
        return await self._put(key, filename, content, self._limits.timeout_s)

    async def _put(
        self, key: str, filename: str, content: bytes | AsyncIterable[bytes], timeout_s: float
    ) -> StoredObject:
        try:
            return await self._store.put(
                key,
                filename,
                content,
                accepted_content_types=ACCEPTED_CONTENT_TYPES,
                max_size_bytes=self._limits.max_file_bytes,
                timeout_s=timeout_s,
            )
        except SheafError as error:
            raise _of_file(error) from error


def _of_file(error: SheafError) -> SheafError:
    """What storage's error says of the file, or of the gateway's own request."""
    if isinstance(error, InvalidInput) and error.reason in _FILE_REASONS:
        reason, message = _FILE_REASONS[error.reason]
        evidence = {name: value for name, value in error.evidence.items() if name != "key"}
        return InvalidInput(reason, message, evidence=evidence)
    if error.retryable or error.reason == "FILE_TOO_LARGE":
        return error
    log.error("storage refused a put", reason=error.reason, message=error.message)
    return InternalError()
