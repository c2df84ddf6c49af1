"""What S3's refusals and silences mean to Sheaf.

Nothing of a refusal but its code and HTTP status is logged or told: on AWS the rest can
hold the access key and the string that was signed.
"""

from typing import Final

import structlog
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    SSLError,
    TokenRetrievalError,
)

from sheaf_common.errors import Conflict, InvalidInput, OutOfRange, SheafError, Unavailable
from sheaf_storage.domain import object_exists, object_not_found

log = structlog.get_logger()

_EVIDENCE: Final = {"dependency": "s3"}
_RETRY_AFTER_S: Final = 1.0
_COMPLETES: Final = "complete_multipart_upload"
_CREATES: Final = {"put_object", _COMPLETES}
_MISSING: Final = {"NoSuchKey", "NotFound", "404"}
_UPLOAD_GONE: Final = {"NoSuchUpload"}
_PARTS_INVALID: Final = {"InvalidPart", "InvalidPartOrder", "EntityTooSmall"}
_CONFLICTS: Final = {"ConditionalRequestConflict", "OperationAborted"}
_SLOW_DOWN: Final = {"SlowDown", "TooManyRequests", "RequestLimitExceeded", "ThrottlingException"}
_MISCONFIGURED: Final = {"NoSuchBucket", "PermanentRedirect", "AuthorizationHeaderMalformed"}
_CREDENTIALS: Final = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
    SSLError,
)
_HTTP_REDIRECTS: Final = {301, 307, 308}
_HTTP_FORBIDDEN: Final = {401, 403}
_HTTP_CONFLICT: Final = 409
_HTTP_PRECONDITION: Final = 412
_HTTP_RANGE: Final = 416
_HTTP_TOO_MANY: Final = 429
_HTTP_TIMEOUT: Final = 408
_HTTP_NOT_IMPLEMENTED: Final = 501
_HTTP_BUSY: Final = 503
_HTTP_SERVER: Final = 500


def translated(error: Exception, operation: str, key: str) -> Exception:
    """The `SheafError` that stands for a boto3 error; a bug stays what it is."""
    if isinstance(error, ClientError):
        return _of_answer(error, operation, key) or error
    if isinstance(error, _CREDENTIALS):
        return _misconfigured(operation, type(error).__name__)
    if isinstance(error, BotoCoreError) and not isinstance(error, ParamValidationError):
        return unavailable(f"{operation}: {type(error).__name__}")
    return error


def unavailable(what: str) -> Unavailable:
    """The store does not answer."""
    return Unavailable(
        "S3_UNAVAILABLE",
        f"the object store does not answer ({what})",
        evidence=_EVIDENCE,
        retry_after_s=_RETRY_AFTER_S,
    )


def is_upload_gone(error: BaseException | None) -> bool:
    """Whether S3 said that a multipart upload is not there."""
    return isinstance(error, ClientError) and _code_of(error)[0] in _UPLOAD_GONE


def is_other_version(error: ClientError) -> bool:
    """Whether S3 said that an object is not of the version that was named."""
    return _code_of(error)[1] == _HTTP_PRECONDITION


def _of_answer(error: ClientError, operation: str, key: str) -> SheafError | None:  # noqa: C901, PLR0911 - a table
    code, status = _code_of(error)
    if code in _MISCONFIGURED or status in _HTTP_REDIRECTS or status in _HTTP_FORBIDDEN:
        return _misconfigured(operation, code)
    if code in _MISSING:
        return object_not_found(key) if key else _misconfigured(operation, code)
    if code in _UPLOAD_GONE:
        return Conflict("UPLOAD_GONE", "the upload was aborted or completed meanwhile")
    if code in _PARTS_INVALID and operation == _COMPLETES:
        return InvalidInput(
            "PARTS_INVALID",
            f"the store does not have the parts as they are named ({code})",
            evidence={"code": code},
        )
    if status == _HTTP_PRECONDITION:
        return object_exists(key) if operation in _CREATES else _changed(key)
    if status == _HTTP_CONFLICT or code in _CONFLICTS:
        return _changed(key)
    if status == _HTTP_RANGE:
        return OutOfRange("RANGE_NOT_SATISFIABLE", "the range is outside the object")
    if code in _SLOW_DOWN or status in {_HTTP_TOO_MANY, _HTTP_BUSY}:
        return Unavailable(
            "S3_SLOW_DOWN",
            "the object store asks for fewer requests",
            evidence=_EVIDENCE,
            retry_after_s=_RETRY_AFTER_S,
        )
    if status == _HTTP_NOT_IMPLEMENTED:
        return _misconfigured(operation, code)
    if status >= _HTTP_SERVER or status == _HTTP_TIMEOUT or code == "RequestTimeout":
        return unavailable(f"{operation}: {code}")
    return None


def _code_of(error: ClientError) -> tuple[str, int]:
    details = error.response
    code = details.get("Error", {}).get("Code", "")
    return code, details.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _changed(key: str) -> Conflict:
    return Conflict("OBJECT_CHANGED", f"{key!r} changed meanwhile", evidence={"key": key})


def _misconfigured(operation: str, code: str) -> Unavailable:
    log.error(
        "S3 refuses this service: check bucket, region and credentials",
        operation=operation,
        code=code,
    )
    return Unavailable(
        "S3_MISCONFIGURED",
        f"the object store refuses this service ({operation}: {code})",
        evidence=_EVIDENCE,
    )
