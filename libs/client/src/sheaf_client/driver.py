"""Taking the steps of a flow, blocking."""

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx

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


class Driver:
    """Drives flows over one connection pool, one after another; closes what they opened.

    A context manager, for one thread.
    """

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._stream: httpx.Response | None = None
        self._pieces: Iterator[bytes] = iter(())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def run(self, flow: Flow[ResultT]) -> ResultT:
        """The result of a flow that emits nothing."""
        try:
            while isinstance(ended := self._advance(flow), Emit):
                pass
        finally:
            flow.close()
        return ended.result

    def iterate(self, flow: Flow[None]) -> Iterator[Any]:
        """What a flow emits, each as soon as it is there."""
        try:
            while isinstance(step := self._advance(flow), Emit):
                yield step.item
        finally:
            flow.close()

    def _advance(self, flow: Flow[ResultT]) -> Emit[Any] | Finished[ResultT]:
        try:
            step = flow.send(None)
            while not isinstance(step, Emit):
                try:
                    outcome = self._take(step)
                except Exception as error:  # noqa: BLE001 - raised in the flow, which decides
                    step = flow.throw(error)
                else:
                    step = flow.send(outcome)
        except StopIteration as end:
            return Finished(end.value)
        return step

    def _take(self, step: Step) -> object:
        match step:
            case Exchange(request):
                content = request.form.pieces() if request.form else None
                with translated():
                    return answer_of(self._http.request(**arguments(request), content=content))
            case Open(request):
                return self._open(request)
            case Read():
                with translated():
                    return next(self._pieces, b"")
            case Pause(seconds):
                time.sleep(seconds)
            case Do(call):
                return call()
            case Emit():
                raise AssertionError
        return None

    def _open(self, request: Request) -> object:
        self._close()
        with translated():
            prepared = self._http.build_request(**arguments(request))
            self._stream = self._http.send(prepared, stream=True)
            self._pieces = self._stream.iter_bytes()
            if self._stream.is_error:
                self._stream.read()
        return answer_of(self._stream)

    def _close(self) -> None:
        self._pieces = iter(())
        if self._stream is not None:
            self._stream.close()
            self._stream = None
