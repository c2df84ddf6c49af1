"""Calling another service: one channel for the process's life, deadlines on every call."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import grpc

from sheaf_common import context
from sheaf_common.context import REQUEST_ID_KEY, USER_ID_KEY
from sheaf_common.errors import Unavailable
from sheaf_common.grpc.errors import decode
from sheaf_common.grpc.flow import WINDOW_OPTIONS
from sheaf_common.grpc.settings import GrpcSettings
from sheaf_common.grpc.spans import client_span, propagated
from sheaf_common.telemetry.tracing import Span

_KEEPALIVE_MS: Final = 60_000
_RECONNECT_MIN_MS: Final = 100
_RECONNECT_MAX_MS: Final = 2_000

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")


class Peer:
    """A service that this process calls.

    Every call carries the current request's id and user and the shared token, and ends at
    the earlier of its own timeout and the request's deadline. Errors are raised as the
    `SheafError` that the peer sent.
    """

    def __init__(self, name: str, channel: grpc.aio.Channel, token: str | None) -> None:
        self.name = name
        self.channel = channel
        self._authorization = () if token is None else (("authorization", f"Bearer {token}"),)

    async def unary(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[RequestT, ResponseT],
        request: RequestT,
        *,
        timeout_s: float,
        wait_for_ready: bool = False,
    ) -> ResponseT:
        """One request, one answer. `wait_for_ready` waits for a connection, too.

        Raises:
            SheafError: what the peer answered, or `Unavailable`, `DeadlineExceeded`.
        """
        with client_span(self.name, method) as span:
            try:
                return await method(
                    request,
                    timeout=context.time_left_s(timeout_s),
                    metadata=self._metadata(span),
                    wait_for_ready=wait_for_ready,
                )
            except (grpc.aio.AioRpcError, asyncio.CancelledError) as error:
                meaning = self._meaning(error)
                if meaning is error:
                    raise
                raise meaning from error

    async def send_stream(
        self,
        method: grpc.aio.StreamUnaryMultiCallable[RequestT, ResponseT],
        requests: AsyncIterable[RequestT],
        *,
        timeout_s: float,
    ) -> ResponseT:
        """A stream of requests, one answer. If `requests` raises, the call is cancelled.

        Raises:
            SheafError: as `unary`; what `requests` raised passes unchanged.
        """
        with client_span(self.name, method) as span:
            return await self._send_stream(method, requests, timeout_s, span)

    async def _send_stream(
        self,
        method: grpc.aio.StreamUnaryMultiCallable[RequestT, ResponseT],
        requests: AsyncIterable[RequestT],
        timeout_s: float,
        span: Span,
    ) -> ResponseT:
        failure: list[BaseException] = []

        async def guarded() -> AsyncIterator[RequestT]:
            try:
                async for request in requests:
                    yield request
            except Exception as error:
                failure.append(error)
                call.cancel()
                raise

        limit_s = context.time_left_s(timeout_s)
        call = method(guarded(), timeout=limit_s, metadata=self._metadata(span))
        status = _FirstStatus(call)
        try:
            return await call
        except BaseException as error:
            meaning = failure[0] if failure else self._meaning(error, status)
            if meaning is error:
                raise
            raise meaning from error
        finally:
            call.cancel()

    async def receive_stream(
        self,
        method: grpc.aio.UnaryStreamMultiCallable[RequestT, ResponseT],
        request: RequestT,
        *,
        timeout_s: float,
    ) -> AsyncIterator[ResponseT]:
        """One request, a stream of answers; leaving the loop early cancels the call.

        Raises:
            SheafError: as `unary`, at the first or any later answer.
        """
        # Not entered: what the caller does between two answers is no part of the call.
        span = client_span(self.name, method)
        limit_s = context.time_left_s(timeout_s)
        call = method(request, timeout=limit_s, metadata=self._metadata(span))
        failure: BaseException | None = None
        try:
            async for response in call:
                yield response
        except grpc.aio.AioRpcError as error:
            failure = decode(error, self.name)
            raise failure from error
        finally:
            call.cancel()
            span.end(failure)

    def _meaning(self, error: BaseException, status: "_FirstStatus | None" = None) -> BaseException:
        """What a call's end means to its caller; the error itself where it means nothing else.

        A call that the channel gives up by itself ends as if its caller had been cancelled.
        """
        if isinstance(error, grpc.aio.AioRpcError):
            return decode(error if status is None else status.behind(error), self.name)
        if isinstance(error, asyncio.CancelledError) and not _is_cancelled():
            return Unavailable(
                "CALL_GIVEN_UP",
                f"{self.name}: the connection gave the call up",
                evidence={"peer": self.name},
            )
        return error

    def _metadata(self, span: Span) -> tuple[tuple[str, str], ...]:
        request = context.current()
        own = propagated(span.context)
        if request is not None:
            own = (*own, (REQUEST_ID_KEY, request.request_id))
            if request.user_id is not None:
                own = (*own, (USER_ID_KEY, request.user_id))
        return own + self._authorization


def _is_cancelled() -> bool:
    """Whether somebody asked this task to end."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


class _FirstStatus:
    """The status by which a peer ended a call while this process still wrote to it.

    grpc.aio overwrites it with "Internal error from Core" when the write that comes too late
    fails: https://github.com/grpc/grpc/issues/36066.
    """

    def __init__(self, call: "grpc.aio.StreamUnaryCall[Any, Any]") -> None:
        self._status: Any = None
        call.add_done_callback(self._note)

    def behind(self, error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
        """The peer's status if `error` has overwritten it, else `error`."""
        if self._status is None or error.code() is not grpc.StatusCode.INTERNAL:
            return error
        code = next(code for code in grpc.StatusCode if code.value[0] == self._status.code())
        if code in (grpc.StatusCode.OK, grpc.StatusCode.INTERNAL):
            return error
        trailing = grpc.aio.Metadata.from_tuple(self._status.trailing_metadata() or ())
        return grpc.aio.AioRpcError(
            code, error.initial_metadata(), trailing, details=self._status.details()
        )

    def _note(self, call: Any) -> None:
        self._status = call._cython_call._status  # noqa: SLF001 - told nowhere else in time


@asynccontextmanager
async def grpc_peer(name: str, address: str, settings: GrpcSettings) -> AsyncIterator[Peer]:
    """A peer at `address` (host:port, or a gRPC target) for as long as the block runs.

    Connecting happens in the background: a peer that is down fails its calls, not this.
    """
    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        *WINDOW_OPTIONS,
        ("grpc.initial_reconnect_backoff_ms", _RECONNECT_MIN_MS),
        ("grpc.min_reconnect_backoff_ms", _RECONNECT_MIN_MS),
        ("grpc.max_reconnect_backoff_ms", _RECONNECT_MAX_MS),
        ("grpc.lb_policy_name", "round_robin"),
        ("grpc.enable_retries", 0),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    if (tls := settings.tls_material()) is None:
        channel = grpc.aio.insecure_channel(address, options)
    else:
        credentials = grpc.ssl_channel_credentials(tls.ca, tls.private_key, tls.certificate)
        channel = grpc.aio.secure_channel(address, credentials, options)
    token = settings.token.get_secret_value() if settings.token else None
    try:
        yield Peer(name, channel, token)
    finally:
        await channel.close(grace=1.0)
