"""What can go wrong.

SheafClientError
├── ConnectionFailed            no answer: nothing is known of what the server did
├── WaitTimeout                 what was waited for did not happen in time
├── AnswerInvalid               an answer that is none of this API
├── FileChanged                 a file became shorter while it was sent
├── ContentDiffers              what was downloaded is not what was uploaded
└── ProblemError                the server said no; carries its problem
    ├── AuthenticationError         401
    │   └── PermissionDeniedError   403: the key lacks a scope
    ├── NotFoundError               404: not there, or someone else's
    ├── ConflictError               409, for example NOT_READY or NO_RESULT
    ├── OverCapacityError           429; `retry_after_s`
    │   └── RateLimitedError        429 RATE_LIMITED: this key asks too often; `rate_limit`
    ├── InvalidRequestError         every other 4xx
    │   └── IdempotencyKeyReused    422: the key belongs to an upload of other content
    └── ServerError                 5xx
        └── UnavailableError        502, 503, 504: come back later

An OSError of a file that cannot be read or written stays one.
"""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from sheaf_client.limits import RateLimit, rate_limit_of, retry_after_s
from sheaf_client.models import Problem

_decoder = msgspec.json.Decoder(Problem)
_DETAIL_BYTES = 200


class SheafClientError(Exception):
    """The base of all."""


class ConnectionFailed(SheafClientError):
    """No answer came. `was_sent` is False where the request surely never left."""

    def __init__(self, message: str, *, was_sent: bool = True) -> None:
        super().__init__(message)
        self.was_sent = was_sent


class WaitTimeout(SheafClientError):
    """It did not happen in time."""


class AnswerInvalid(SheafClientError):
    """An answer that this API does not give: is the address that of Sheaf?"""


class FileChanged(SheafClientError):
    """A file became shorter while it was sent; nothing was uploaded."""


class ContentDiffers(SheafClientError):
    """The bytes that came are not those whose hash the server names."""


class ProblemError(SheafClientError):
    """The server said no.

    `retry_after_s` is None where it did not say when to come back; `request_id` is what its logs
    call the request, empty if it did not say; `rate_limit` is None where none was told.
    """

    def __init__(
        self,
        status: int,
        problem: Problem,
        retry_after_s: float | None,
        *,
        request_id: str = "",
        rate_limit: RateLimit | None = None,
    ) -> None:
        super().__init__(f"{status} {problem.code}: {problem.detail}")
        self.status = status
        self.problem = problem
        self.code = problem.code
        self.retry_after_s = retry_after_s
        self.request_id = request_id or problem.request_id
        self.rate_limit = rate_limit


class AuthenticationError(ProblemError):
    """The API key is missing, unknown, expired or revoked."""


class PermissionDeniedError(AuthenticationError):
    """The API key does not allow the call."""


class NotFoundError(ProblemError):
    """Not there, or someone else's."""


class ConflictError(ProblemError):
    """Not in the state that the call needs."""


class OverCapacityError(ProblemError):
    """A bound is reached; come back later."""


class RateLimitedError(OverCapacityError):
    """The key's own rate is used up; come back later."""


class InvalidRequestError(ProblemError):
    """The request can never succeed as it is."""


class IdempotencyKeyReused(InvalidRequestError):
    """The idempotency key was given to an upload with other files or fields."""


class ServerError(ProblemError):
    """The server or something behind it failed."""


class UnavailableError(ServerError):
    """Something that the server needs is down or too slow; come back later."""


_BY_CODE: dict[str, type[ProblemError]] = {
    "RATE_LIMITED": RateLimitedError,
    "IDEMPOTENCY_KEY_REUSED": IdempotencyKeyReused,
}
_BY_STATUS: dict[int, type[ProblemError]] = {
    HTTPStatus.UNAUTHORIZED: AuthenticationError,
    HTTPStatus.FORBIDDEN: PermissionDeniedError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.CONFLICT: ConflictError,
    HTTPStatus.TOO_MANY_REQUESTS: OverCapacityError,
    HTTPStatus.BAD_GATEWAY: UnavailableError,
    HTTPStatus.SERVICE_UNAVAILABLE: UnavailableError,
    HTTPStatus.GATEWAY_TIMEOUT: UnavailableError,
}


def problem_error(status: int, body: bytes, headers: Mapping[str, str]) -> ProblemError:
    """The error that an answer of 4xx or 5xx stands for, whoever sent it.

    The names of `headers` are in lower case.
    """
    try:
        problem = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        problem = Problem(status=status, detail=body[:_DETAIL_BYTES].decode(errors="replace"))
    is_server = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    fallback = ServerError if is_server else InvalidRequestError
    kind = _BY_CODE.get(problem.code) or _BY_STATUS.get(status, fallback)
    return kind(
        status,
        problem,
        retry_after_s(headers.get("retry-after")),
        request_id=headers.get("x-request-id", ""),
        rate_limit=rate_limit_of(headers),
    )
