"""The outermost layer: every request gets an id, a log line, a measurement and an answer."""

import asyncio
import re
import time
from contextlib import nullcontext
from http import HTTPMethod
from typing import Any, Final, cast

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, ReceiveMessage, Scope, Send

from sheaf_common import context
from sheaf_common.context import RequestContext
from sheaf_common.telemetry import tracing
from sheaf_common.telemetry.tracing import NO_SPAN, Span
from sheaf_gateway import metrics
from sheaf_gateway.api.authentication import ADDED_HEADERS
from sheaf_gateway.api.problems import MEDIA_TYPE, problem_answer
from sheaf_gateway.service.places import RequestPlaces, parked

log = structlog.get_logger()

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._:\-]{1,64}")
QUIET_PATHS: Final = frozenset({"/livez", "/ht", "/metrics"})
"""What operators ask, each few seconds; no bound on requests keeps it from being answered."""
_METHODS: Final = frozenset(HTTPMethod)
"""Those that are named in metrics: what a client makes up is not."""
_LINGER_S: Final = 3.0
_SERVER_ERROR: Final = 500


class Edge:
    """Wraps the application.

    The client's `X-Request-ID` is taken over if it is sane. A request that is answered
    before its body has been read is read to its end for a moment, so that the client sees
    the answer rather than a broken connection; then the connection is closed. What operators
    ask is answered however many requests are in flight.
    """

    def __init__(self, app: ASGIApp, places: RequestPlaces) -> None:
        self._app = app
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != ScopeType.HTTP:
            return
        exchange = _Exchange(scope, receive, send)
        started = time.perf_counter()
        metrics.HTTP_IN_FLIGHT.inc()
        with context.bound(RequestContext(exchange.request_id)), _span(scope, exchange) as span:
            try:
                with nullcontext() if _is_quiet(scope) else self._places.place():
                    await self._app(scope, exchange.receive, exchange.send)
            except Exception as error:
                if exchange.status:
                    log.exception("answer was broken off", path=scope["path"])
                    raise
                await _send_problem(error, scope, exchange)
            finally:
                metrics.HTTP_IN_FLIGHT.dec()
                _describe(span, scope, exchange.status)
                _record(scope, exchange.status, time.perf_counter() - started)


class _Exchange:
    """One request and its answer as they pass."""

    def __init__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        self._scope = cast("dict[str, Any]", scope)
        self._receive = receive
        self._send = send
        self._lingers = False
        self.status = 0
        request_id = b""
        traceparents: list[bytes] = []
        self._body_left = False
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                request_id = value
            elif name == b"traceparent":
                traceparents.append(value)
            elif name == b"content-length":
                self._body_left = value != b"0"
            elif name == b"transfer-encoding":
                self._body_left = True
        sane = _REQUEST_ID.fullmatch(request_id) is not None
        self.request_id = request_id.decode() if sane else context.new_request_id()
        self.traceparent = traceparents[0].decode("latin-1") if len(traceparents) == 1 else ""

    async def receive(self) -> ReceiveMessage:
        message = await self._receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            self._body_left = False
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            added = self._scope.get("state", {}).get(ADDED_HEADERS, ())
            headers = [*message["headers"], *added, (b"x-request-id", self.request_id.encode())]
            if self._body_left:
                self._lingers = True
                headers.append((b"connection", b"close"))
            await self._send({**message, "headers": headers})
        elif self._lingers and message["type"] == "http.response.body" and not message["more_body"]:
            body = message.get("body", b"")
            await self._send({"type": "http.response.body", "body": body, "more_body": True})
            with parked():  # for seconds at most, and it is refused already
                await self._read_rest()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            await self._send(message)

    async def _read_rest(self) -> None:
        try:
            async with asyncio.timeout(_LINGER_S):
                while self._body_left:
                    await self.receive()
        except TimeoutError:
            log.debug("the rest of the body was not read")


async def _send_problem(error: Exception, scope: HTTPScope, exchange: _Exchange) -> None:
    answer = problem_answer(error, scope["path"])
    headers = {
        "content-type": MEDIA_TYPE,
        "content-length": str(len(answer.body)),
        **answer.headers,
    }
    await exchange.send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await exchange.send({"type": "http.response.body", "body": answer.body, "more_body": False})


def _is_quiet(scope: HTTPScope) -> bool:
    return scope["path"].rstrip("/") in QUIET_PATHS


def _span(scope: HTTPScope, exchange: _Exchange) -> Span:
    """The request's span, in the client's trace if it names one."""
    if not tracing.enabled() or _is_quiet(scope):
        return NO_SPAN
    # Named by its route once that is known: a path holds ids, and is a stranger's.
    return tracing.root(
        scope["method"],
        exchange.traceparent,
        {"http.request.method": scope["method"], "sheaf.request.id": exchange.request_id},
    )


def _describe(span: Span, scope: HTTPScope, status: int) -> None:
    if span is NO_SPAN:
        return
    route = scope.get("path_template") or "unmatched"
    span.name(f"{scope['method']} {route}")
    span.set("http.route", route)
    span.set("http.response.status_code", status)
    if user_id := scope.get("user"):
        span.set("user.id", str(user_id))
    if status >= _SERVER_ERROR:
        span.fail(str(status))


def _record(scope: HTTPScope, status: int, seconds: float) -> None:
    route = scope.get("path_template") or "unmatched"
    method = scope["method"] if scope["method"] in _METHODS else "other"
    metrics.HTTP_SECONDS.labels(route, method, str(status)).observe(seconds)
    level = log.debug if route in QUIET_PATHS and status < _SERVER_ERROR else log.info
    level(
        "request",
        method=scope["method"],
        path=scope["path"],
        status=status,
        ms=round(seconds * 1000, 1),
        user_id=scope.get("user"),
    )
