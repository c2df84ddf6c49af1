"""What can go wrong.

SheafClientError
├── ConnectionFailed        no answer: nothing is known of what the server did
├── WaitTimeout             what was waited for did not happen in time
└── ProblemError            the server said no; carries its problem
    ├── AuthenticationError     401, 403
    ├── NotFoundError           404: not there, or someone else's
    ├── ConflictError           409, for example NOT_READY or NO_RESULT
    ├── OverCapacityError       429; `retry_after_s`
    ├── InvalidRequestError     every other 4xx
    └── ServerError             5xx
"""

from http import HTTPStatus

import msgspec

from sheaf_client.models import Problem

_decoder = msgspec.json.Decoder(Problem)


class SheafClientError(Exception):
    """The base of all."""


class ConnectionFailed(SheafClientError):
    """No answer came."""


class WaitTimeout(SheafClientError):
    """It did not happen in time."""


class ProblemError(SheafClientError):
    """The server said no. `retry_after_s` is None where it did not say when to come back."""

    def __init__(self, status: int, problem: Problem, retry_after_s: float | None) -> None:
        super().__init__(f"{status} {problem.code}: {problem.detail}")
        self.status = status
        self.problem = problem
        self.code = problem.code
        self.retry_after_s = retry_after_s


class AuthenticationError(ProblemError):
    """The API key is missing, unknown or does not allow the call."""


class NotFoundError(ProblemError):
    """Not there, or someone else's."""


class ConflictError(ProblemError):
    """Not in the state that the call needs."""


class OverCapacityError(ProblemError):
    """A bound is reached; come back later."""


class InvalidRequestError(ProblemError):
    """The request can never succeed as it is."""


class ServerError(ProblemError):
    """The server or something behind it failed."""


_BY_STATUS: dict[int, type[ProblemError]] = {
    HTTPStatus.UNAUTHORIZED: AuthenticationError,
    HTTPStatus.FORBIDDEN: AuthenticationError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.CONFLICT: ConflictError,
    HTTPStatus.TOO_MANY_REQUESTS: OverCapacityError,
}


def problem_error(status: int, body: bytes, retry_after: str | None) -> ProblemError:
    """The error that an answer of 4xx or 5xx stands for, whoever sent it."""
    try:
        problem = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        problem = Problem(status=status, detail=body[:200].decode(errors="replace"))
    fallback = ServerError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else InvalidRequestError
    seconds = float(retry_after) if retry_after and retry_after.isdigit() else None
    return _BY_STATUS.get(status, fallback)(status, problem, seconds)
