"""A boto3 session whose clients spend less on each small operation.

Measured at 3 KB over plain http, CPU of the client: a put 1.35 -> 1.2 ms, a get 1.4 -> 1.3 ms.
All of it goes through what botocore offers for that: a parser of its factory and an event.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import boto3.session
import botocore.session
from botocore.utils import parse_timestamp

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SENT_AT_ONCE_BYTES: Final = 64 * 1024
"""A body up to this follows its headers at once: it fits the sockets' buffers, so a refusal can be
read also when nobody reads the body. A larger one waits for `100 Continue`."""


def s3_session(access_key_id: str | None, secret_access_key: str | None) -> boto3.session.Session:
    """A new session; without a key it has the environment's AWS identity."""
    session = botocore.session.Session()
    session.get_component("response_parser_factory").set_parser_defaults(
        timestamp_parser=parsed_timestamp
    )
    return boto3.session.Session(
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        botocore_session=session,
    )


def send_small_bodies_at_once(client: "S3Client") -> None:
    """Makes the client's small puts one exchange: no waiting between headers and body."""
    client.meta.events.register_first("before-call.s3.PutObject", _as_bytes)


def parsed_timestamp(text: str) -> datetime:
    """A time as S3 writes it, aware of its zone. botocore's own reading takes 0.1 ms of a get.

    Raises:
        ValueError: it is no time.
    """
    if text.endswith(" GMT"):
        return parsedate_to_datetime(text).astimezone(UTC)
    parsed: datetime = parse_timestamp(text)
    return parsed


def _as_bytes(params: dict[str, Any], **_event: object) -> None:
    # botocore asks for `100 Continue` for every body that is a file, and makes a file of bytes.
    body = params.get("body")
    if isinstance(body, BytesIO) and body.getbuffer().nbytes <= SENT_AT_ONCE_BYTES:
        params["body"] = body.getvalue()
