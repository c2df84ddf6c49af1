"""What S3's answers and silences become."""

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    ResponseStreamingError,
    SSLError,
)

from sheaf_common.errors import SheafError
from sheaf_storage.adapters.s3_errors import translated

KEY = "documents/a"
URL = "http://s3.example"


def answer(status: int, code: str) -> ClientError:
    """An error that S3 answered."""
    details = {
        "Error": {"Code": code, "Message": "AKIASECRET", "AWSAccessKeyId": "AKIASECRET"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(details, "Operation")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "operation", "expected"),
    [
        (answer(404, "NoSuchKey"), "get_object", "NOT_FOUND OBJECT_NOT_FOUND"),
        (answer(404, "404"), "head_object", "NOT_FOUND OBJECT_NOT_FOUND"),
        (answer(404, "NoSuchBucket"), "put_object", "UNAVAILABLE S3_MISCONFIGURED"),
        (answer(403, "AccessDenied"), "put_object", "UNAVAILABLE S3_MISCONFIGURED"),
        (answer(403, "403"), "head_object", "UNAVAILABLE S3_MISCONFIGURED"),
        (answer(403, "SignatureDoesNotMatch"), "put_object", "UNAVAILABLE S3_MISCONFIGURED"),
        (answer(301, "PermanentRedirect"), "get_object", "UNAVAILABLE S3_MISCONFIGURED"),
        (answer(501, "NotImplemented"), "put_object", "UNAVAILABLE S3_MISCONFIGURED"),
        (answer(503, "SlowDown"), "put_object", "UNAVAILABLE S3_SLOW_DOWN"),
        (answer(503, "ServiceUnavailable"), "put_object", "UNAVAILABLE S3_SLOW_DOWN"),
        (answer(429, "TooManyRequests"), "put_object", "UNAVAILABLE S3_SLOW_DOWN"),
        (answer(500, "InternalError"), "put_object", "UNAVAILABLE S3_UNAVAILABLE"),
        (answer(400, "RequestTimeout"), "put_object", "UNAVAILABLE S3_UNAVAILABLE"),
        (answer(412, "PreconditionFailed"), "put_object", "ALREADY_EXISTS OBJECT_EXISTS"),
        (
            answer(412, "PreconditionFailed"),
            "complete_multipart_upload",
            "ALREADY_EXISTS OBJECT_EXISTS",
        ),
        (answer(412, "PreconditionFailed"), "get_object", "CONFLICT OBJECT_CHANGED"),
        (answer(409, "ConditionalRequestConflict"), "put_object", "CONFLICT OBJECT_CHANGED"),
        (answer(416, "InvalidRange"), "get_object", "OUT_OF_RANGE RANGE_NOT_SATISFIABLE"),
        (answer(404, "NoSuchUpload"), "upload_part", "CONFLICT UPLOAD_GONE"),
        (
            answer(400, "InvalidPart"),
            "complete_multipart_upload",
            "INVALID_INPUT PARTS_INVALID",
        ),
        (
            answer(400, "EntityTooSmall"),
            "complete_multipart_upload",
            "INVALID_INPUT PARTS_INVALID",
        ),
        (EndpointConnectionError(endpoint_url=URL), "put_object", "UNAVAILABLE S3_UNAVAILABLE"),
        (ConnectTimeoutError(endpoint_url=URL), "put_object", "UNAVAILABLE S3_UNAVAILABLE"),
        (ReadTimeoutError(endpoint_url=URL), "put_object", "UNAVAILABLE S3_UNAVAILABLE"),
        (ResponseStreamingError(error="reset"), "read_body", "UNAVAILABLE S3_UNAVAILABLE"),
        (
            SSLError(endpoint_url=URL, error=OSError("x")),
            "put_object",
            "UNAVAILABLE S3_MISCONFIGURED",
        ),
        (NoCredentialsError(), "put_object", "UNAVAILABLE S3_MISCONFIGURED"),
    ],
)
def test_an_error_is_what_the_caller_can_do_about_it(
    error: Exception, operation: str, expected: str
) -> None:
    """Kind and reason, and nothing of what S3 echoes of the credentials."""
    known = translated(error, operation, KEY)

    assert isinstance(known, SheafError)
    assert f"{known.kind.name} {known.reason}" == expected
    assert "AKIASECRET" not in f"{known} {dict(known.evidence)}"


@pytest.mark.parametrize(
    "error", [answer(400, "InvalidPart"), ParamValidationError(report="x"), KeyError("x")]
)
def test_a_bug_stays_one(error: BotoCoreError) -> None:
    """What no operator and no caller can do anything about is not dressed up."""
    assert translated(error, "put_object", KEY) is error
