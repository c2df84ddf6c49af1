"""Spans of S3 operations, with what only botocore knows of them: how often it tried, the size."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sheaf_common.telemetry import tracing
from sheaf_common.telemetry.tracing import NO_SPAN, Kind, Span

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

_UNTRACED: Final = frozenset({"read_body"})
"""Further chunks of an object that is being read: a large one has thousands."""


class _Answers(threading.local):
    """The last answer that this thread's client had."""

    last: dict[str, Any] | None = None


_answers: Final = _Answers()


def report_answers(client: "S3Client") -> None:
    """Makes a new client tell of its answers; for processes that trace."""

    def answered(parsed: dict[str, Any], **_others: object) -> None:
        _answers.last = parsed

    client.meta.events.register("after-call.s3", answered)


def operation_span(operation: str, bucket: str, size_bytes: int | None) -> Span:
    """The span of one operation, retries included. No key: it is a child of what names it."""
    if tracing.current() is None or operation in _UNTRACED:
        return NO_SPAN
    attributes: dict[str, tracing.Value] = {
        "rpc.system.name": "aws-api",
        "rpc.method": f"S3/{operation}",
    }
    if bucket:
        attributes["aws.s3.bucket"] = bucket
    if size_bytes is not None:
        attributes["sheaf.size_bytes"] = size_bytes
    return tracing.span(f"s3 {operation}", Kind.CLIENT, attributes)


def observed(span: Span, work: "Callable[[S3Client], T]") -> "Callable[[S3Client], T]":
    """`work` for a thread; what its last answer says goes to the span."""
    if span is NO_SPAN:
        return work

    def observe(client: "S3Client") -> T:
        _answers.last = None
        try:
            return work(client)
        finally:
            if (answer := _answers.last) is not None:
                _describe(span, answer)

    return observe


def _describe(span: Span, answer: dict[str, Any]) -> None:
    about = answer.get("ResponseMetadata", {})
    span.set("sheaf.retries", int(about.get("RetryAttempts", 0)))
    span.set("http.response.status_code", int(about.get("HTTPStatusCode", 0)))
    if isinstance(size_bytes := answer.get("ContentLength"), int):
        span.set("sheaf.size_bytes", size_bytes)
