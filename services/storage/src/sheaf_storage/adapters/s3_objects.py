"""Objects as S3's answers describe them."""

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from sheaf_storage.domain import SHA256_BYTES, ByteRange, ObjectInfo
from sheaf_storage.ports import Description

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import (
        GetObjectOutputTypeDef,
        HeadObjectOutputTypeDef,
        ResponseMetadataTypeDef,
    )

_SHA256_KEY: Final = "sha256"
"""The object metadata that holds the hash, in hex."""


def metadata_of(description: Description) -> dict[str, str]:
    """The object metadata to record."""
    return {} if description.sha256 is None else {_SHA256_KEY: description.sha256.hex()}


def info_of(
    key: str, answer: "GetObjectOutputTypeDef | HeadObjectOutputTypeDef", size_bytes: int
) -> ObjectInfo:
    """The object that an answer to a get or a head describes."""
    return ObjectInfo(
        key=key,
        size_bytes=size_bytes,
        sha256=_sha256_in(answer["Metadata"]),
        content_type=answer.get("ContentType", ""),
        modified_at=answer["LastModified"].astimezone(UTC),
        version=answer["ETag"],
    )


def size_of(answer: "GetObjectOutputTypeDef") -> int:
    """The size of the whole object, also in an answer to a ranged get."""
    _, _, total = answer.get("ContentRange", "").rpartition("/")
    return int(total) if total.isdigit() else answer["ContentLength"]


def answered_at(metadata: "ResponseMetadataTypeDef") -> datetime | None:
    """When the store answered, by its own clock, to the second."""
    with contextlib.suppress(ValueError, TypeError):
        return parsedate_to_datetime(metadata["HTTPHeaders"].get("date", ""))
    return None


def range_header(wanted: ByteRange) -> str | None:
    """The Range header for a range; None for the whole object."""
    if wanted.is_whole:
        return None
    if wanted.offset < 0:
        return f"bytes={wanted.offset}"
    if wanted.length == 0:
        return f"bytes={wanted.offset}-"
    return f"bytes={wanted.offset}-{wanted.offset + wanted.length - 1}"


def _sha256_in(metadata: Mapping[str, str]) -> bytes:
    with contextlib.suppress(ValueError):
        recorded = bytes.fromhex(metadata.get(_SHA256_KEY, ""))
        return recorded if len(recorded) == SHA256_BYTES else b""
    return b""
