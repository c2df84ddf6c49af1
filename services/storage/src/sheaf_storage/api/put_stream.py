"""The messages of a put as the contract orders them: header first, then data, then finish."""

from collections.abc import AsyncGenerator, AsyncIterator

from sheaf.storage.v1 import storage_pb2
from sheaf_common.errors import InvalidInput
from sheaf_storage.domain import PutOrder

Messages = AsyncIterator[storage_pb2.PutObjectRequest]


async def first_message(messages: Messages) -> storage_pb2.PutObjectRequest:
    """The first message, which has the header.

    Raises:
        InvalidInput: `STREAM_INVALID`, it has none, or there is no message.
    """
    first = await anext(messages, None)
    if first is None or not first.HasField("header"):
        raise InvalidInput("STREAM_INVALID", "the first message has no header")
    return first


async def data_of(first: storage_pb2.PutObjectRequest, messages: Messages) -> AsyncGenerator[bytes]:
    """The data of the first message and all that follow, up to and with the last.

    Raises:
        InvalidInput: `STREAM_INVALID`, a second header or a message after the last;
            `STREAM_TRUNCATED`, the stream ended without finish.
    """
    yield first.data
    async for message in messages:
        if message.HasField("header"):
            raise InvalidInput("STREAM_INVALID", "a message after the first has a header")
        if message.finish:
            await expect_end(messages)
            yield message.data
            return
        yield message.data
    raise InvalidInput("STREAM_TRUNCATED", "the stream ended without finish")


async def expect_end(messages: Messages) -> None:
    """Returns at the end of the stream.

    Raises:
        InvalidInput: `STREAM_INVALID`, a message follows the last.
    """
    if await anext(messages, None) is not None:
        raise InvalidInput("STREAM_INVALID", "a message follows the one that finishes")


def order_of(header: storage_pb2.PutObjectHeader) -> PutOrder:
    """What the header asks for."""
    return PutOrder(
        key=header.key,
        accepted_content_types=tuple(header.accepted_content_types),
        content_type=header.content_type,
        max_size_bytes=header.max_size_bytes,
        expected_sha256=header.expected_sha256,
        filename=header.filename,
    )
