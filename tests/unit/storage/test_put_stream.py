"""The order of a put's messages."""

from collections.abc import AsyncIterator

import pytest

from sheaf.storage.v1 import storage_pb2
from sheaf_common.errors import InvalidInput
from sheaf_storage.api.put_stream import data_of, first_message
from support.storage_fakes import messages_of


def message(data: bytes = b"", *, finish: bool = False) -> storage_pb2.PutObjectRequest:
    """A message without a header."""
    return storage_pb2.PutObjectRequest(data=data, finish=finish)


def begin(data: bytes = b"") -> storage_pb2.PutObjectRequest:
    """A message with one."""
    header = storage_pb2.PutObjectHeader(key="documents/a")
    return storage_pb2.PutObjectRequest(header=header, data=data)


async def received(messages: AsyncIterator[storage_pb2.PutObjectRequest]) -> bytes:
    """All data of a put of several messages."""
    first = await first_message(messages)
    return b"".join([data async for data in data_of(first, messages)])


async def test_data_arrives_in_order() -> None:
    """With the header, between, and with the finish."""
    messages = messages_of(begin(b"a"), message(b"b"), message(), message(b"c", finish=True))

    assert await received(messages) == b"abc"


@pytest.mark.parametrize(
    ("reason", "messages"),
    [
        ("STREAM_INVALID", []),
        ("STREAM_INVALID", [message(b"a")]),
        ("STREAM_INVALID", [begin(), begin(), message(finish=True)]),
        ("STREAM_INVALID", [begin(), message(finish=True), message(b"late")]),
        ("STREAM_INVALID", [begin(), message(finish=True), message(finish=True)]),
        ("STREAM_TRUNCATED", [begin(b"a")]),
        ("STREAM_TRUNCATED", [begin(b"a"), message(b"b")]),
    ],
)
async def test_any_other_order_is_refused(
    reason: str, messages: list[storage_pb2.PutObjectRequest]
) -> None:
    """By its reason, and before the last data is handed on."""
    with pytest.raises(InvalidInput) as refused:
        await received(messages_of(*messages))

    assert refused.value.reason == reason
