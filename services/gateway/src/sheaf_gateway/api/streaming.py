"""An answer whose body is streamed from storage."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final

from litestar.types import Receive, Scope, Send

from sheaf_gateway.api.body import until_gone

_STALL_S: Final = 60.0
"""How long a client may take nothing before it counts as gone."""


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers of an answer, once its body is open."""

    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OpenAnswer:
    """An answer that can be sent: the head, and the body's bytes."""

    head: Head
    chunks: AsyncIterator[bytes]


class RawAnswer(ABC):
    """An answer that sends itself, past Litestar's response classes."""

    @abstractmethod
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the answer."""


class StreamedAnswer(RawAnswer):
    """Opens the body, then sends head and body. What opening raises is still a problem+json.

    Ends early, and closes what it opened, when the client goes away or stops reading.
    """

    def __init__(self, opened: AbstractAsyncContextManager[OpenAnswer]) -> None:
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the answer."""
        del scope
        async with self._opened as answer:
            gone = asyncio.ensure_future(until_gone(receive))
            try:
                await send_head(send, answer.head)
                async for chunk in answer.chunks:
                    if gone.done():
                        return
                    async with asyncio.timeout(_STALL_S):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            finally:
                gone.cancel()


class EmptyAnswer(RawAnswer):
    """A head without a body: 304, or the answer to HEAD."""

    def __init__(self, head: Head) -> None:
        self._head = head

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the answer."""
        del scope, receive
        await send_head(send, self._head)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def send_head(send: Send, head: Head) -> None:
    """Sends status and headers."""
    headers = [(name.encode(), value.encode("latin-1")) for name, value in head.headers.items()]
    await send({"type": "http.response.start", "status": head.status, "headers": headers})
