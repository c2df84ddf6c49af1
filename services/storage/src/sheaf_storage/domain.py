"""What storage speaks of: objects, keys, ranges, and the rules of a put. No I/O."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from sheaf_common.errors import AlreadyExists, InvalidInput, NotFound, OutOfRange

Bytes: TypeAlias = bytes | bytearray

KEY_PREFIX: Final = "documents/"
"""Every key begins so; nothing else in the bucket is touched."""

KEY_MAX_BYTES: Final = 1024
CHUNK_BYTES: Final = 256 * 1024
"""The most efficient size of a message of a stream (facts, gRPC)."""

SHA256_BYTES: Final = 32
_CONTROL: Final = "Cc"
_EVIDENCE_CHARACTERS: Final = 256


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object as stored; `sha256` has 32 bytes, none where the store did not record it.

    `version` is what the store calls this content, to tell it from what may replace it; empty
    where it is not known.
    """

    key: str
    size_bytes: int
    sha256: bytes
    content_type: str
    modified_at: datetime | None
    version: str = ""


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """A page of a listing, without hashes and content types; `more` says that keys follow."""

    objects: Sequence[ObjectInfo]
    more: bool


@dataclass(frozen=True, slots=True)
class PutOrder:
    """What a put asks for; the fields are those of the contract's PutObjectHeader."""

    key: str
    accepted_content_types: tuple[str, ...] = ()
    content_type: str = ""
    max_size_bytes: int = 0
    expected_sha256: bytes = b""
    filename: str = ""

    def check(self) -> None:
        """Refuses an order that no content can fulfil.

        Raises:
            InvalidInput: `KEY_INVALID`, or `STREAM_INVALID` for any other field.
        """
        check_key(self.key)
        if self.expected_sha256 and len(self.expected_sha256) != SHA256_BYTES:
            raise InvalidInput("STREAM_INVALID", "expected_sha256 does not have 32 bytes")
        if self.max_size_bytes < 0:
            raise InvalidInput("STREAM_INVALID", "max_size_bytes is negative")
        if self.content_type and not is_content_type(self.content_type):
            raise InvalidInput("STREAM_INVALID", "content_type is not a media type")

    def limit_bytes(self, service_limit_bytes: int) -> int:
        """The most bytes that the object may have."""
        return min(self.max_size_bytes or service_limit_bytes, service_limit_bytes)

    def check_size(self, size_bytes: int, service_limit_bytes: int) -> None:
        """Refuses an object of that size.

        Raises:
            InvalidInput: `OBJECT_EMPTY`, `OBJECT_TOO_LARGE`.
        """
        if size_bytes <= 0:
            raise InvalidInput("OBJECT_EMPTY", "the object has no content")
        self.check_not_larger(size_bytes, service_limit_bytes)

    def check_not_larger(self, size_bytes: int, service_limit_bytes: int) -> None:
        """Refuses an object that has so many bytes already.

        Raises:
            InvalidInput: `OBJECT_TOO_LARGE`.
        """
        limit = self.limit_bytes(service_limit_bytes)
        if size_bytes > limit:
            raise InvalidInput(
                "OBJECT_TOO_LARGE",
                f"the object has more than {limit} bytes",
                evidence={"limit": str(limit)},
            )

    def check_content_type(self, content_type: str) -> None:
        """Refuses a type that the order does not accept; `text/*` accepts a family.

        Raises:
            InvalidInput: `UNSUPPORTED_MEDIA_TYPE`.
        """
        family = content_type.partition("/")[0] + "/*"
        accepted = self.accepted_content_types
        if accepted and content_type not in accepted and family not in accepted:
            raise InvalidInput(
                "UNSUPPORTED_MEDIA_TYPE",
                f"the content is {content_type}, which is not accepted",
                evidence={"content_type": content_type},
            )

    def check_sha256(self, sha256: bytes) -> None:
        """Refuses content that is not what the caller meant to send.

        Raises:
            InvalidInput: `CHECKSUM_MISMATCH`.
        """
        if self.expected_sha256 and self.expected_sha256 != sha256:
            raise InvalidInput(
                "CHECKSUM_MISMATCH",
                "the content does not have the expected SHA-256",
                evidence={"expected": self.expected_sha256.hex(), "actual": sha256.hex()},
            )


@dataclass(frozen=True, slots=True)
class PutOutcome:
    """What is stored after a put; `created` is false if it was there already."""

    object: ObjectInfo
    created: bool


@dataclass(frozen=True, slots=True)
class PresignedRequest:
    """A request that whoever has it can send to the store, with exactly these headers."""

    method: str
    url: str
    headers: Mapping[str, str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A wanted range: a negative offset counts from the end, length 0 means to the end."""

    offset: int = 0
    length: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether it asks for the whole object."""
        return self.offset == 0 and self.length == 0

    def resolve(self, size_bytes: int) -> tuple[int, int]:
        """The first byte and the one after the last, in an object of that size.

        As in HTTP, a range that begins inside the object may end beyond it, and a suffix
        may be longer than it. Source: RFC 9110, section 14.1.2.

        Raises:
            OutOfRange: `RANGE_NOT_SATISFIABLE`.
        """
        start = self.offset if self.offset >= 0 else max(0, size_bytes + self.offset)
        if self.length < 0 or (start >= size_bytes and not self.is_whole):
            raise OutOfRange(
                "RANGE_NOT_SATISFIABLE",
                f"offset {self.offset}, length {self.length} of {size_bytes} bytes",
                evidence={"size_bytes": str(size_bytes)},
            )
        return start, min(size_bytes, start + self.length) if self.length else size_bytes


def check_key(key: str) -> None:
    """Refuses what is no key, or reaches outside the service's own.

    Raises:
        InvalidInput: `KEY_INVALID`.
    """
    if not key.startswith(KEY_PREFIX):
        raise _key_invalid(key, f"does not begin with {KEY_PREFIX}")
    if len(key.encode()) > KEY_MAX_BYTES:
        raise _key_invalid(key, f"is longer than {KEY_MAX_BYTES} bytes")
    if any(segment in {"", ".", ".."} for segment in key.split("/")):
        raise _key_invalid(key, "has an empty segment, '.' or '..'")
    _check_printable(key)


def check_prefix(prefix: str) -> None:
    """Refuses a listing outside the service's own keys.

    Raises:
        InvalidInput: `KEY_INVALID`.
    """
    if not prefix.startswith(KEY_PREFIX) or len(prefix.encode()) > KEY_MAX_BYTES:
        raise _key_invalid(prefix, f"is no prefix of keys that begin with {KEY_PREFIX}")
    _check_printable(prefix)


def object_not_found(key: str) -> NotFound:
    """No object has that key."""
    return NotFound("OBJECT_NOT_FOUND", f"no object {key!r}", evidence={"key": key})


def object_exists(key: str) -> AlreadyExists:
    """Another object has that key."""
    return AlreadyExists(
        "OBJECT_EXISTS", f"another object has the key {key!r}", evidence={"key": key}
    )


def is_content_type(text: str) -> bool:
    """Whether it can be a media type: two names, printable, not long."""
    kind, _, subtype = text.partition("/")
    return bool(kind and subtype) and len(text) < KEY_MAX_BYTES and text.isascii() \
        and text.isprintable()  # fmt: skip


def _check_printable(key: str) -> None:
    if any(unicodedata.category(character) == _CONTROL for character in key):
        raise _key_invalid(key, "has a control character")


def _key_invalid(key: str, problem: str) -> InvalidInput:
    shown = key[:_EVIDENCE_CHARACTERS]
    return InvalidInput("KEY_INVALID", f"the key {shown!r} {problem}", evidence={"key": shown})
