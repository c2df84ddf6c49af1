"""The same use of both clients, over scripted answers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from inspect import isawaitable
from typing import Any, Final

import httpx

from sheaf_client import AsyncClient, Client

KINDS: Final = ("sync", "async")

Answer = httpx.Response | Exception


class Script:
    """Answers in turn; keeps what was asked, bodies included."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = iter(answers)
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []

    def _next(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.bodies.append(request.content)
        answer = next(self._answers)
        if isinstance(answer, httpx.Response) and answer.is_closed:  # so it can be given twice
            headers = {name: answer.headers[name] for name in answer.headers}
            return httpx.Response(answer.status_code, headers=headers, content=answer.content)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """For the synchronous client."""
        request.read()
        return self._next(request)

    async def take(self, request: httpx.Request) -> httpx.Response:
        """For the asynchronous client."""
        await request.aread()
        return self._next(request)

    def use(self, kind: str, use: Callable[[Any], Any], **options: Any) -> Any:
        """What one client makes of a use of it; of an iterator, a list of all items."""
        if kind == "sync":
            sync = httpx.MockTransport(self)
            with Client("http://x", "sk_key", transport=sync, **options) as sheaf:
                found = use(sheaf)
                return list(found) if isinstance(found, Iterator) else found

        async def asked() -> Any:
            transport = httpx.MockTransport(self.take)
            async with AsyncClient("http://x", "sk_key", transport=transport, **options) as sheaf:
                found = use(sheaf)
                if isinstance(found, AsyncIterator):
                    return [item async for item in found]
                return await found if isawaitable(found) else found

        with asyncio.Runner() as runner:
            return runner.run(asked())


class Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that comes in pieces; one that is an error is raised instead."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece
