"""Unpacking results: zstd-compressed JSON of the schema `sheaf.result/1`."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final, Literal

import msgspec
import zstandard

from sheaf_common.errors import DataLoss, FailedPrecondition
from sheaf_gateway.ports import ObjectContent
from sheaf_gateway.settings import ResultSettings

_PIECE_BYTES: Final = 256 * 1024
_THREAD_BYTES: Final = 64 * 1024
"""Stored results over this are unpacked in a thread: smaller ones take under 2 ms."""

_LARGE_AT_ONCE: Final = 2


class _Page(msgspec.Struct):
    text: str


class _Pages(msgspec.Struct):
    """What `/text` needs of a result; other fields are ignored, as the schema allows."""

    schema: Literal["sheaf.result/1"]
    pages: list[_Page]


_decoder = msgspec.json.Decoder(_Pages)


class ResultReader:
    """Unpacks results within bounds of memory."""

    def __init__(self, limits: ResultSettings) -> None:
        self._limits = limits
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)

    async def text(self, content: ObjectContent) -> bytes:
        """The text of all pages as UTF-8, joined by form feeds.

        Raises:
            FailedPrecondition: `RESULT_TOO_LARGE`. DataLoss: `RESULT_INVALID`.
        """
        if content.stored.size_bytes <= _THREAD_BYTES:
            packed = await self._packed(content)
            if self._size(packed, self._limits.max_text_bytes) <= 32 * _THREAD_BYTES:
                return _text(packed)
            return await asyncio.to_thread(_text, packed)
        async with self._large:
            packed = await self._packed(content)
            self._size(packed, self._limits.max_text_bytes)
            return await asyncio.to_thread(_text, packed)

    async def unpacked(self, content: ObjectContent) -> AsyncIterator[bytes]:
        """The JSON, in pieces of bounded size; only the packed form is held whole.

        Raises:
            FailedPrecondition: `RESULT_TOO_LARGE`. DataLoss: `RESULT_INVALID`.
        """
        packed = await self._packed(content)
        self._size(packed, self._limits.max_result_bytes)
        try:
            with zstandard.ZstdDecompressor().stream_reader(packed) as reader:
                while piece := reader.read(_PIECE_BYTES):
                    yield piece
        except zstandard.ZstdError as error:
            raise _invalid(error) from error

    async def _packed(self, content: ObjectContent) -> bytes:
        if content.stored.size_bytes > self._limits.max_stored_bytes:
            raise _too_large(content.stored.size_bytes, self._limits.max_stored_bytes)
        return b"".join([chunk async for chunk in content.chunks])

    @staticmethod
    def _size(packed: bytes, limit: int) -> int:
        try:
            size = zstandard.frame_content_size(packed)
        except zstandard.ZstdError as error:
            raise _invalid(error) from error
        if not 0 <= size <= limit:
            raise _too_large(size, limit)
        return size


def _text(packed: bytes) -> bytes:
    try:
        result = _decoder.decode(zstandard.ZstdDecompressor().decompress(packed))
    except (zstandard.ZstdError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _invalid(error) from error
    return "\f".join(page.text for page in result.pages).encode()


def _invalid(error: Exception) -> DataLoss:
    return DataLoss("RESULT_INVALID", f"the stored result cannot be read: {error}")


def _too_large(size: int, limit: int) -> FailedPrecondition:
    return FailedPrecondition(
        "RESULT_TOO_LARGE",
        "the result is too large to be unpacked here; /result with Accept-Encoding: zstd "
        "serves it as it is stored",
        evidence={"size_bytes": str(size), "limit_bytes": str(limit)},
    )
