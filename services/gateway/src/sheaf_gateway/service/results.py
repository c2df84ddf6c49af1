"""Unpacking results: zstd-compressed JSON of the schema `sheaf.result/1`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final, Literal

import msgspec
import zstandard

from sheaf_common.errors import DataLoss, FailedPrecondition
from sheaf_gateway.ports.objects import ObjectContent
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


class _Markdown(msgspec.Struct):
    """What `/markdown` needs of a result; those of the first pipelines have none."""

    schema: Literal["sheaf.result/1"]
    markdown: str | None = None


_decode_pages = msgspec.json.Decoder(_Pages).decode
_decode_markdown = msgspec.json.Decoder(_Markdown).decode

Taking = Callable[[bytes], bytes]
"""Takes what is wanted of a result out of its JSON; raises msgspec's errors."""


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
        return await self._taken(content, _text)

    async def markdown(self, content: ObjectContent) -> bytes:
        """The whole document as Markdown, in UTF-8.

        Raises:
            FailedPrecondition: `RESULT_TOO_LARGE`; `NO_MARKDOWN`, the result is older than that.
            DataLoss: `RESULT_INVALID`.
        """
        return await self._taken(content, _markdown)

    async def unpacked(self, content: ObjectContent) -> tuple[int, AsyncIterator[bytes]]:
        """The size of the JSON in bytes, and it in pieces; only the packed form is held whole.

        Raises:
            FailedPrecondition: `RESULT_TOO_LARGE`. DataLoss: `RESULT_INVALID`, also by a piece.
        """
        packed = await self._packed(content)
        return self._size(packed, self._limits.max_result_bytes), self._pieces(packed)

    @staticmethod
    async def _pieces(packed: bytes) -> AsyncIterator[bytes]:
        try:
            with zstandard.ZstdDecompressor().stream_reader(packed) as reader:
                while piece := reader.read(_PIECE_BYTES):
                    yield piece
        except zstandard.ZstdError as error:
            raise _invalid(error) from error

    async def _taken(self, content: ObjectContent, take: Taking) -> bytes:
        if content.stored.size_bytes <= _THREAD_BYTES:
            packed = await self._packed(content)
            if self._size(packed, self._limits.max_text_bytes) <= 32 * _THREAD_BYTES:
                return _out_of(packed, take)
            return await asyncio.to_thread(_out_of, packed, take)
        async with self._large:
            packed = await self._packed(content)
            self._size(packed, self._limits.max_text_bytes)
            return await asyncio.to_thread(_out_of, packed, take)

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


def _out_of(packed: bytes, take: Taking) -> bytes:
    try:
        return take(zstandard.ZstdDecompressor().decompress(packed))
    except (zstandard.ZstdError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _invalid(error) from error


def _text(unpacked: bytes) -> bytes:
    return "\f".join(page.text for page in _decode_pages(unpacked).pages).encode()


def _markdown(unpacked: bytes) -> bytes:
    markdown = _decode_markdown(unpacked).markdown
    if markdown is None:
        raise FailedPrecondition(
            "NO_MARKDOWN", "the result has no Markdown yet; reprocess the document to get it"
        )
    return markdown.encode()


def _invalid(error: Exception) -> DataLoss:
    return DataLoss("RESULT_INVALID", f"the stored result cannot be read: {error}")


def _too_large(size: int, limit: int) -> FailedPrecondition:
    return FailedPrecondition(
        "RESULT_TOO_LARGE",
        "the result is too large to be unpacked here; /result with Accept-Encoding: zstd "
        "serves it as it is stored",
        evidence={"size_bytes": str(size), "limit_bytes": str(limit)},
    )
