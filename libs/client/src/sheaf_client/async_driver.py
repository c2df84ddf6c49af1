"""Taking the steps of a flow, without blocking."""

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import httpx

from sheaf_client.errors import ConnectionFailed
from sheaf_client.steps import (
    Do,
    Emit,
    Exchange,
    Finished,
    Flow,
    Open,
    Pause,
    Read,
    Request,
    ResultT,
    Step,
)
from sheaf_client.wire import answer_of, arguments, translated


class AsyncDriver:
    """As `Driver`, within one event loop. What may block is called in a thread."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._stream: httpx.Response | None = None
        self._pieces: AsyncIterator[bytes] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close()

    async def run(self, flow: Flow[ResultT]) -> ResultT:
        """The result of a flow that emits nothing."""
        try:
            while isinstance(ended := await self._advance(flow), Emit):
                pass
        finally:
            flow.close()
        return ended.result

    async def iterate(self, flow: Flow[None]) -> AsyncIterator[Any]:
        """What a flow emits, each as soon as it is there."""
        try:
            while isinstance(step := await self._advance(flow), Emit):
                yield step.item
        finally:
            flow.close()

    async def _advance(self, flow: Flow[ResultT]) -> Emit[Any] | Finished[ResultT]:
        try:
            step = flow.send(None)
            while not isinstance(step, Emit):
                try:
                    outcome = await self._take(step)
                except Exception as error:  # noqa: BLE001 - raised in the flow, which decides
                    step = flow.throw(error)
                else:
                    step = flow.send(outcome)
        except StopIteration as end:
            return Finished(end.value)
        return step

    async def _take(self, step: Step) -> object:
        match step:
            case Exchange(request):
                content = request.form.pieces_async() if request.form else None
                with translated():
                    asked = self._http.request(**arguments(request), content=content)
                    return answer_of(await asked)
            case Open(request):
                return await self._open(request)
            case Read(timeout_s):
                return await self._read(timeout_s)
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Do(call):
                return await asyncio.to_thread(call)
            case Emit():
                raise AssertionError
        return None

    async def _open(self, request: Request) -> object:
        await self._close()
        with translated():
            prepared = self._http.build_request(**arguments(request))
            self._stream = await self._http.send(prepared, stream=True)
            self._pieces = self._stream.aiter_bytes()
            if self._stream.is_error:
                await self._stream.aread()
        return answer_of(self._stream)

    async def _read(self, timeout_s: float | None) -> bytes:
        if self._pieces is None:
            return b""
        try:
            with translated():
                async with asyncio.timeout(timeout_s):
                    return await anext(self._pieces, b"")
        except TimeoutError as error:
            raise ConnectionFailed(f"silent for {timeout_s:.1f} s") from error

    async def _close(self) -> None:
        self._pieces = None
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.aclose()
