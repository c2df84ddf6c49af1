"""Every error as application/problem+json (RFC 9457)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from sheaf_common import context
from sheaf_common.errors import ErrorKind, InternalError, SheafError
from sheaf_gateway.domain.uploads import RejectedFile
from sheaf_gateway.service.intake import EveryFileRejected
from sheaf_gateway.service.waiting import CallerGone

log = structlog.get_logger()

MEDIA_TYPE: Final = "application/problem+json"
STATUS_CALLER_GONE: Final = 499
"""Logged, never read: the client has closed the connection."""

_STATUS_BY_REASON: Final = {
    "UPLOAD_TIMEOUT": 408,
    "UPLOAD_IDLE": 408,
    "METADATA_INVALID": 422,
    "OPTION_INVALID": 422,
    "FIELD_REPEATED": 422,
    "FIELD_IS_FILE": 422,
    "BODY_INVALID": 422,
    "PASSWORDS_NOT_ACCEPTED": 422,
    "IDEMPOTENCY_KEY_REUSED": 422,
}
_CODE_BY_STATUS: Final = {
    400: "BAD_REQUEST",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "BODY_TOO_LARGE",
    431: "HEAD_TOO_LARGE",
    503: "TOO_MANY_CONNECTIONS",
}
_RETRY_KINDS: Final = frozenset({ErrorKind.OVER_CAPACITY, ErrorKind.UNAVAILABLE})
_CHALLENGE: Final = 'Bearer realm="sheaf"'
_SERVER_ERROR: Final = 500


class Problem(msgspec.Struct, omit_defaults=True):
    """What went wrong (RFC 9457). Values concerned stand beside these members."""

    type: str
    """urn:sheaf:problem: and the code in lower case."""
    title: str
    """The code for people; the same whenever it occurs."""
    status: int
    """The HTTP status."""
    detail: str
    """What happened this time."""
    code: str
    """What happened, for programs; stable."""
    instance: str = ""
    """The path of the request."""
    request_id: str = ""
    """Under this id it is in the logs."""
    errors: list[dict[str, Any]] = []
    """Each cause, where there are several."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A problem ready to be sent."""

    status: int
    headers: dict[str, str]
    body: bytes


def file_problem(rejected: RejectedFile) -> dict[str, Any]:
    """A rejected file's entry in an answer about several files."""
    error = rejected.error
    problem = _members(_status(error), error.reason, error.message, error.evidence)
    return {"filename": rejected.filename, "status": "rejected", "problem": problem}


def problem_answer(error: Exception, instance: str) -> Answer:
    """What a client is told of any exception; what it is not told is logged here."""
    if isinstance(error, EveryFileRejected):
        first = error.rejected[0].error
        return _answer(first, instance, [file_problem(item) for item in error.rejected])
    if isinstance(error, SheafError):
        if isinstance(error, InternalError):
            log.error("request failed by a bug", exc_info=error)
        return _answer(error, instance)
    if isinstance(error, HTTPException) and error.status_code < _SERVER_ERROR:
        return _http_answer(error, instance)
    log.error("request failed by a bug", exc_info=error)
    return _answer(InternalError(), instance)


def plain_problem(status: int, detail: str) -> Answer:
    """A problem for a request that cannot be understood as HTTP."""
    members = _members(status, _CODE_BY_STATUS[status], detail, {})
    return Answer(status, {}, msgspec.json.encode(members))


def exception_handlers() -> ExceptionHandlersMap:
    """Litestar's table: our own errors, its HTTP errors, and everything else."""
    return {
        SheafError: _handle,
        EveryFileRejected: _handle,
        HTTPException: _handle,
        CallerGone: _handle_gone,
        Exception: _handle,
    }


def _handle(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    answer = problem_answer(error, request.scope["path"])
    return Response(
        answer.body, status_code=answer.status, headers=answer.headers, media_type=MEDIA_TYPE
    )


def _handle_gone(_request: Request[Any, Any, Any], _error: Exception) -> Response[bytes]:
    return Response(b"", status_code=STATUS_CALLER_GONE)


def _answer(error: SheafError, instance: str, errors: Sequence[Mapping[str, Any]] = ()) -> Answer:
    status = _status(error)
    members = _members(status, error.reason, error.message, error.evidence, instance)
    if errors:
        members["errors"] = errors
    return Answer(status, _headers(error, status), msgspec.json.encode(members))


def _http_answer(error: HTTPException, instance: str) -> Answer:
    """What Litestar itself refused: no such path, method or parameter."""
    headers = dict(error.headers or {})
    status = error.status_code
    if isinstance(error, ValidationException):
        members = _members(
            status, "PARAMETER_INVALID", "a parameter of the request is wrong", {}, instance
        )
        members["errors"] = [
            {
                "parameter": str(item.get("key", "")),
                "source": str(item.get("source", "")),
                "message": str(item.get("message", "")),
            }
            for item in (error.extra or [])
            if isinstance(item, dict)
        ]
    else:
        code = _CODE_BY_STATUS.get(status, HTTPStatus(status).name)
        members = _members(status, code, error.detail, {}, instance)
    return Answer(status, headers, msgspec.json.encode(members))


def _members(
    status: int, code: str, detail: str, evidence: Mapping[str, str], instance: str = ""
) -> dict[str, Any]:
    members: dict[str, Any] = {
        "type": f"urn:sheaf:problem:{code.lower().replace('_', '-')}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
    }
    if instance:
        members["instance"] = instance
        request = context.current()
        if request is not None:
            members["request_id"] = request.request_id
    for name, value in evidence.items():
        members.setdefault(name, value)
    return members


def _status(error: SheafError) -> int:
    return _STATUS_BY_REASON.get(error.reason, error.http_status)


def _headers(error: SheafError, status: int) -> dict[str, str]:
    headers: dict[str, str] = {}
    if error.retry_after_s is not None or error.kind in _RETRY_KINDS:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after_s or 1)))
    if status == HTTPStatus.UNAUTHORIZED:
        invalid = "" if error.reason == "API_KEY_MISSING" else ', error="invalid_token"'
        headers["www-authenticate"] = _CHALLENGE + invalid
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and "size_bytes" in error.evidence:
        headers["content-range"] = f"bytes */{error.evidence['size_bytes']}"
    return headers
