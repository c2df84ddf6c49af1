"""The one server interceptor: who calls, for how long, and what its errors become.

For every call it authenticates the caller, binds the request's id, user, deadline and trace,
bounds the call's time, maps errors by the one table, and logs and measures the outcome. An
exception that is no `SheafError` is a bug: it is logged with its trace, and the caller gets
a fixed text and the request id.
"""

import asyncio
import hmac
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, Final, NoReturn, Self

import grpc
import structlog

from sheaf_common import context
from sheaf_common.context import REQUEST_ID_KEY, USER_ID_KEY, RequestContext
from sheaf_common.errors import DeadlineExceeded, InternalError, SheafError, Unauthenticated
from sheaf_common.grpc.errors import STATUS_DETAILS_KEY, encode_details, status_code
from sheaf_common.grpc.spans import server_span
from sheaf_common.telemetry import catalogue
from sheaf_common.telemetry.tracing import Span

log = structlog.get_logger()

_SECONDS: Final = catalogue.GRPC_SERVER_SECONDS.histogram()
_IN_FLIGHT: Final = catalogue.GRPC_SERVER_IN_FLIGHT.gauge()
_OPEN_PREFIXES: Final = ("/grpc.health.v1.Health/", "/grpc.reflection.")
_REQUEST_ID_LIMIT: Final = 64

_Context = grpc.aio.ServicerContext[Any, Any]
_UnaryHandler = Callable[[Any, _Context], Awaitable[Any]]
_StreamHandler = Callable[[Any, _Context], AsyncGenerator[Any]]


class SheafServerInterceptor(grpc.aio.ServerInterceptor):
    """See the module. `token` is the shared secret, None where mTLS alone is the proof."""

    def __init__(self, *, token: str | None, max_call_s: float) -> None:
        self._authorization = None if token is None else f"Bearer {token}".encode()
        self._max_call_s = max_call_s

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], "Awaitable[grpc.RpcMethodHandler[Any, Any] | None]"
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """Wraps the method's handler."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(_OPEN_PREFIXES):
            return handler
        metadata = {
            key: value
            for key, value in handler_call_details.invocation_metadata
            if isinstance(value, str)
        }
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(
                self._unary(method, metadata, handler.unary_unary),
                handler.request_deserializer,
                handler.response_serializer,
            )
        if handler.stream_unary is not None:
            return grpc.stream_unary_rpc_method_handler(
                self._unary(method, metadata, handler.stream_unary),
                handler.request_deserializer,
                handler.response_serializer,
            )
        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(
                self._stream(method, metadata, handler.unary_stream),
                handler.request_deserializer,
                handler.response_serializer,
            )
        return grpc.stream_stream_rpc_method_handler(
            self._stream(method, metadata, handler.stream_stream),
            handler.request_deserializer,
            handler.response_serializer,
        )

    def _unary(self, method: str, metadata: Mapping[str, str], handler: Any) -> Any:
        async def handle(request: Any, call: _Context) -> Any:
            with (
                _Measured(method) as measured,
                context.bound(self._request(metadata, call)) as bound,
                server_span(method, metadata) as span,
            ):
                try:
                    self._authenticate(metadata)
                    async with asyncio.timeout(bound.remaining_s()):
                        answer = await handler(request, call)
                except Exception as error:  # noqa: BLE001 - the one place that maps every error
                    await self._abort(measured, call, error, span)
                measured.code = "OK"
            return answer

        return handle

    def _stream(self, method: str, metadata: Mapping[str, str], handler: Any) -> Any:
        # Not a generator: a caller that leaves would end it in a task of its own, later, and
        # with it what the handler holds.
        async def handle(request: Any, call: _Context) -> None:
            with (
                _Measured(method) as measured,
                context.bound(self._request(metadata, call)) as bound,
                server_span(method, metadata) as span,
            ):
                try:
                    self._authenticate(metadata)
                    async with (
                        asyncio.timeout(bound.remaining_s()),
                        aclosing(handler(request, call)) as answers,
                    ):
                        async for answer in answers:
                            await call.write(answer)
                except grpc.aio.InternalError as error:  # of a write: the caller has left
                    raise asyncio.CancelledError from error
                except Exception as error:  # noqa: BLE001 - the one place that maps every error
                    await self._abort(measured, call, error, span)
                measured.code = "OK"

        return handle

    def _request(self, metadata: Mapping[str, str], call: _Context) -> RequestContext:
        remaining_s: float | None = call.time_remaining()
        limit_s = self._max_call_s if remaining_s is None else min(remaining_s, self._max_call_s)
        request_id = metadata.get(REQUEST_ID_KEY, "")[:_REQUEST_ID_LIMIT]
        return RequestContext(
            request_id=request_id or context.new_request_id(),
            user_id=metadata.get(USER_ID_KEY),
            deadline=time.monotonic() + max(0.0, limit_s),
        )

    def _authenticate(self, metadata: Mapping[str, str]) -> None:
        if self._authorization is None:
            return
        presented = metadata.get("authorization", "").encode()
        if not hmac.compare_digest(presented, self._authorization):
            raise Unauthenticated("CALLER_UNKNOWN", "the call has no valid service token")

    async def _abort(
        self, measured: "_Measured", call: _Context, error: Exception, span: Span
    ) -> NoReturn:
        mapped = _mapped(error)
        code, method = status_code(mapped), measured.method
        measured.code = code.name
        span.set("rpc.response.status_code", code.name)
        span.fail(mapped.reason)
        if isinstance(mapped, InternalError):
            log.error("call failed by a bug", method=method, exc_info=error)
        elif mapped.retryable:
            log.warning("call failed", method=method, code=code.name, reason=mapped.reason)
        else:
            log.info("call refused", method=method, code=code.name, reason=mapped.reason)
        trailing = ((STATUS_DETAILS_KEY, encode_details(mapped)),)
        try:
            await call.abort(code, mapped.message, trailing)
        except grpc.aio.InternalError:  # the caller has left
            raise asyncio.CancelledError from error
        raise AssertionError  # abort never returns


def _mapped(error: Exception) -> SheafError:
    if isinstance(error, SheafError):
        return error
    if isinstance(error, TimeoutError):
        return DeadlineExceeded("CALL_TIMEOUT", "the call took longer than its deadline")
    request = context.current()
    return InternalError(None if request is None else request.request_id)


class _Measured:
    """One call of a method: in flight for the block, then counted under the code it got.

    A call whose caller has left or given up gets none, and counts as cancelled. The methods are
    those that the server has, since no other has a handler.
    """

    __slots__ = ("_started", "code", "method")

    def __init__(self, method: str) -> None:
        self.method = method
        self.code = "CANCELLED"

    def __enter__(self) -> Self:
        _IN_FLIGHT.inc()
        self._started = time.perf_counter()
        return self

    def __exit__(self, *_error: object) -> None:
        _IN_FLIGHT.dec()
        _SECONDS.labels(self.method, self.code).observe(time.perf_counter() - self._started)
