"""What clients may be given to send to the store themselves: the rules, no I/O."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from sheaf_common.errors import InvalidInput
from sheaf_storage.domain import SHA256_BYTES, PutOrder, check_key, is_content_type
from sheaf_storage.ports import PartRef, UploadRef

PARTS_MAX: Final = 1024
"""Of an upload; of the largest part that S3 takes they make the largest object."""

SINGLE_PUT_MAX_BYTES: Final = 5 * 2**30
"""The most that S3 takes in one put. Source: Amazon S3 User Guide, multipart upload limits."""

_PART_STEP_BYTES: Final = 2**20
_FILENAME_MAX_CHARACTERS: Final = 255
_ETAG_MAX_CHARACTERS: Final = 256
_UPLOAD_ID: Final = re.compile(r"(?!\.+$)[A-Za-z0-9._~=+-]{1,1024}")
"""S3's own are made of these; with a slash one could name a place outside its upload."""

_PARTED: Final = re.compile(r"[\x00-\x1f\x7f-\x9f/\\]")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9 !#$&'()+,.;=@^_`{}~\-\[\]]")


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a client says that it will put."""

    key: str
    content_type: str
    size_bytes: int
    sha256: bytes

    def check(self, limit_bytes: int) -> None:
        """Refuses what could not be put, or not confirmed.

        Raises:
            InvalidInput: `KEY_INVALID`, `CONTENT_TYPE_INVALID`, `SHA256_INVALID`,
                `OBJECT_EMPTY`, `OBJECT_TOO_LARGE`.
        """
        check_key(self.key)
        check_content_type(self.content_type)
        check_sha256(self.sha256)
        PutOrder(self.key).check_size(self.size_bytes, limit_bytes)


def check_content_type(content_type: str) -> None:
    """Refuses what is no media type.

    Raises:
        InvalidInput: `CONTENT_TYPE_INVALID`.
    """
    if not is_content_type(content_type):
        raise InvalidInput("CONTENT_TYPE_INVALID", "content_type is not a media type")


def check_sha256(sha256: bytes) -> None:
    """Refuses what is no SHA-256.

    Raises:
        InvalidInput: `SHA256_INVALID`.
    """
    if len(sha256) != SHA256_BYTES:
        raise InvalidInput("SHA256_INVALID", f"sha256 does not have {SHA256_BYTES} bytes")


def check_expiry(expires_in_s: float, limit_s: int) -> int:
    """The whole seconds that a request is to live.

    Raises:
        InvalidInput: `EXPIRY_INVALID`.
    """
    if not 1 <= expires_in_s <= limit_s:
        raise InvalidInput(
            "EXPIRY_INVALID",
            f"expires_in is not within 1 to {limit_s} seconds",
            evidence={"limit_s": str(limit_s)},
        )
    return int(expires_in_s)


def check_upload(upload: UploadRef) -> None:
    """Refuses what names no upload.

    Raises:
        InvalidInput: `KEY_INVALID`, `UPLOAD_ID_INVALID`.
    """
    check_key(upload.key)
    if not _UPLOAD_ID.fullmatch(upload.upload_id):
        raise InvalidInput("UPLOAD_ID_INVALID", "upload_id is not one of BeginUpload")


def check_parts(parts: Sequence[PartRef]) -> None:
    """Refuses a list of parts that no upload has.

    Raises:
        InvalidInput: `PARTS_INVALID`.
    """
    numbers = [part.number for part in parts]
    if not numbers or len(numbers) > PARTS_MAX or numbers != list(range(1, len(numbers) + 1)):
        raise InvalidInput(
            "PARTS_INVALID",
            f"the parts are not numbered from 1, one after the other, to at most {PARTS_MAX}",
            evidence={"limit": str(PARTS_MAX)},
        )
    for part in parts:
        fits = 0 < len(part.etag) <= _ETAG_MAX_CHARACTERS
        if not (fits and part.etag.isascii() and part.etag.isprintable()):
            raise InvalidInput(
                "PARTS_INVALID",
                f"the ETag of part {part.number} is none",
                evidence={"part": str(part.number)},
            )


def part_sizes(size_bytes: int, least_part_bytes: int) -> list[int]:
    """The sizes of the parts of an object: all the same but the last, at most `PARTS_MAX`."""
    part_bytes = -(-size_bytes // PARTS_MAX)
    if part_bytes <= least_part_bytes:
        part_bytes = least_part_bytes
    else:
        part_bytes = -(-part_bytes // _PART_STEP_BYTES) * _PART_STEP_BYTES
    whole, rest = divmod(size_bytes, part_bytes)
    return [part_bytes] * whole + ([rest] if rest else [])


def attachment(filename: str) -> str:
    """A Content-Disposition that cannot be misread (RFC 6266, RFC 8187).

    A name has no folders and no control characters; without one the client finds its own.
    """
    name = _PARTED.sub("_", filename[:_FILENAME_MAX_CHARACTERS])
    if not name:
        return "attachment"
    fallback = _UNSAFE.sub("_", name)
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(name, safe='')}"
