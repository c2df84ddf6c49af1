"""What can go wrong, independent of any transport.

An error has a *kind* (what the caller can do about it), a stable *reason* (what happened,
for programs) and evidence (the values concerned). `KINDS` is the only place that maps a
kind to a gRPC code, an HTTP status and whether trying again can help; the table is that of
the design, section 4.

    SheafError
    ├── InvalidInput          the request can never succeed as it is
    ├── OutOfRange            a range outside the object
    ├── Unauthenticated       no or unknown credentials
    ├── PermissionDenied      known credentials that do not allow it
    ├── NotFound              not there, or someone else's
    ├── AlreadyExists         there already, and different
    ├── FailedPrecondition    not in the state that the call needs
    ├── Conflict              lost a race; try again
    ├── OverCapacity          a bound is reached; try again later
    ├── Unavailable           a dependency does not answer
    ├── DeadlineExceeded      it took too long
    ├── DataLoss              stored bytes do not match their hash
    └── InternalError         a bug; carries a fixed text only
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import ClassVar, Final

DOMAIN: Final = "sheaf"
"""The domain of every google.rpc.ErrorInfo that Sheaf sends."""

INTERNAL_MESSAGE: Final = "An internal error occurred."
"""All that a caller is told of a bug; the log has the rest under the request id."""


class ErrorKind(Enum):
    """What a caller can do about an error."""

    INVALID_INPUT = "invalid_input"
    OUT_OF_RANGE = "out_of_range"
    UNAUTHENTICATED = "unauthenticated"
    PERMISSION_DENIED = "permission_denied"
    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    FAILED_PRECONDITION = "failed_precondition"
    CONFLICT = "conflict"
    OVER_CAPACITY = "over_capacity"
    UNAVAILABLE = "unavailable"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    DATA_LOSS = "data_loss"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class KindMapping:
    """How a kind travels.

    `grpc_code` is the name of a grpc.StatusCode; `retryable` says whether the same call may
    succeed later, which is also what decides whether Temporal tries an activity again.
    """

    grpc_code: str
    http_status: int
    retryable: bool


KINDS: Final[Mapping[ErrorKind, KindMapping]] = MappingProxyType(
    {
        ErrorKind.INVALID_INPUT: KindMapping("INVALID_ARGUMENT", 400, retryable=False),
        ErrorKind.OUT_OF_RANGE: KindMapping("OUT_OF_RANGE", 416, retryable=False),
        ErrorKind.UNAUTHENTICATED: KindMapping("UNAUTHENTICATED", 401, retryable=False),
        ErrorKind.PERMISSION_DENIED: KindMapping("PERMISSION_DENIED", 403, retryable=False),
        ErrorKind.NOT_FOUND: KindMapping("NOT_FOUND", 404, retryable=False),
        ErrorKind.ALREADY_EXISTS: KindMapping("ALREADY_EXISTS", 409, retryable=False),
        ErrorKind.FAILED_PRECONDITION: KindMapping("FAILED_PRECONDITION", 409, retryable=False),
        ErrorKind.CONFLICT: KindMapping("ABORTED", 409, retryable=True),
        ErrorKind.OVER_CAPACITY: KindMapping("RESOURCE_EXHAUSTED", 429, retryable=True),
        ErrorKind.UNAVAILABLE: KindMapping("UNAVAILABLE", 503, retryable=True),
        ErrorKind.DEADLINE_EXCEEDED: KindMapping("DEADLINE_EXCEEDED", 504, retryable=True),
        ErrorKind.DATA_LOSS: KindMapping("DATA_LOSS", 500, retryable=False),
        ErrorKind.INTERNAL: KindMapping("INTERNAL", 500, retryable=True),
    },
)

HTTP_STATUS_BY_REASON: Final[Mapping[str, int]] = MappingProxyType(
    {
        "OBJECT_TOO_LARGE": 413,
        "FILE_TOO_LARGE": 413,
        "BODY_TOO_LARGE": 413,
        "TOO_MANY_FILES": 413,
        "BATCH_TOO_LARGE": 413,
        "UNSUPPORTED_MEDIA_TYPE": 415,
        "UNSUPPORTED_FORMAT": 415,
        "OBJECT_EMPTY": 422,
        "FILE_EMPTY": 422,
    },
)
"""Invalid input is 400 unless its reason says more precisely what was wrong."""


class SheafError(Exception):
    """An error with a kind, a reason and evidence.

    `reason` is a stable code in UPPER_SNAKE_CASE; `evidence` holds the values concerned as
    strings and is shown to the caller; `retry_after_s` is how many seconds a caller should
    wait before it tries again, where that is known.
    """

    kind: ClassVar[ErrorKind] = ErrorKind.INTERNAL

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        evidence: Mapping[str, str] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.evidence: Mapping[str, str] = evidence or {}
        self.retry_after_s = retry_after_s

    @property
    def http_status(self) -> int:
        """The HTTP status that stands for this error."""
        if self.kind is ErrorKind.INVALID_INPUT:
            return HTTP_STATUS_BY_REASON.get(self.reason, KINDS[self.kind].http_status)
        return KINDS[self.kind].http_status

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later."""
        return KINDS[self.kind].retryable

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


class InvalidInput(SheafError):
    """The request can never succeed as it is."""

    kind = ErrorKind.INVALID_INPUT


class OutOfRange(SheafError):
    """A range lies outside the object."""

    kind = ErrorKind.OUT_OF_RANGE


class Unauthenticated(SheafError):
    """No or unknown credentials."""

    kind = ErrorKind.UNAUTHENTICATED


class PermissionDenied(SheafError):
    """Known credentials that do not allow the call."""

    kind = ErrorKind.PERMISSION_DENIED


class NotFound(SheafError):
    """Not there, or someone else's."""

    kind = ErrorKind.NOT_FOUND


class AlreadyExists(SheafError):
    """There already, and different."""

    kind = ErrorKind.ALREADY_EXISTS


class FailedPrecondition(SheafError):
    """Not in the state that the call needs."""

    kind = ErrorKind.FAILED_PRECONDITION


class Conflict(SheafError):
    """Lost a race; the same call may win the next."""

    kind = ErrorKind.CONFLICT


class OverCapacity(SheafError):
    """A bound is reached; try again later."""

    kind = ErrorKind.OVER_CAPACITY


class Unavailable(SheafError):
    """A dependency does not answer."""

    kind = ErrorKind.UNAVAILABLE


class DeadlineExceeded(SheafError):
    """It took longer than the caller or a limit allows."""

    kind = ErrorKind.DEADLINE_EXCEEDED


class DataLoss(SheafError):
    """Stored bytes do not match their hash."""

    kind = ErrorKind.DATA_LOSS


class InternalError(SheafError):
    """A bug. Its text is fixed: what happened is in the log, under the request id."""

    kind = ErrorKind.INTERNAL

    def __init__(self, request_id: str | None = None) -> None:
        evidence = {"request_id": request_id} if request_id else {}
        super().__init__("INTERNAL", INTERNAL_MESSAGE, evidence=evidence)


ERROR_BY_KIND: Final[Mapping[ErrorKind, type[SheafError]]] = MappingProxyType(
    {
        error.kind: error
        for error in (
            InvalidInput,
            OutOfRange,
            Unauthenticated,
            PermissionDenied,
            NotFound,
            AlreadyExists,
            FailedPrecondition,
            Conflict,
            OverCapacity,
            Unavailable,
            DeadlineExceeded,
            DataLoss,
        )
    },
)
"""The class to raise for an error that arrived over a transport; a bug has its own."""
