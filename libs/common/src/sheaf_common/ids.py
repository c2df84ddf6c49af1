"""Ids: UUIDv7 (RFC 9562, section 5.7), which sort by the time at which they were made."""

from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from uuid_utils.compat import uuid7

from sheaf_common.errors import InvalidInput

_TIMESTAMP_SHIFT_BITS = 80
_UUID_VERSION = 7


def new_id() -> UUID:
    """A new id, greater than any that this process made before."""
    return uuid7()


def derived_id(parent: UUID, label: str) -> UUID:
    """An id that is the same each time: with the time of `parent`, the rest by a hash of both.

    A UUIDv7 whose random bits are those of SHA-256 over the parent's bytes and `label` (RFC 9562
    leaves them to the implementation), so it sorts beside its parent.
    """
    digest = int.from_bytes(sha256(parent.bytes + label.encode()).digest()[:10])
    bits = (parent.int >> _TIMESTAMP_SHIFT_BITS << _TIMESTAMP_SHIFT_BITS) | digest
    bits = bits & ~(0xF << 76) | _UUID_VERSION << 76
    return UUID(int=bits & ~(0x3 << 62) | 0x2 << 62)


def parse_id(text: str, name: str) -> UUID:
    """The id that `text` writes in the canonical form.

    Raises:
        InvalidInput: `ID_INVALID`, naming the field `name`.
    """
    try:
        parsed = UUID(text)
    except ValueError:
        parsed = None
    if parsed is None or str(parsed) != text.lower():
        raise InvalidInput(
            "ID_INVALID",
            f"{name} is not an id: {text[:64]!r}",
            evidence={"field": name, "value": text[:64]},
        )
    return parsed


def time_of(identifier: UUID) -> datetime:
    """When a UUIDv7 was made, to the millisecond, in UTC.

    Raises:
        InvalidInput: `ID_INVALID`, if it is not a UUIDv7 or its time is beyond the calendar.
    """
    if identifier.version != _UUID_VERSION:
        raise InvalidInput(
            "ID_INVALID", f"{identifier} is not a UUIDv7", evidence={"value": str(identifier)}
        )
    milliseconds = identifier.int >> _TIMESTAMP_SHIFT_BITS
    try:
        return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    except (OverflowError, ValueError):
        raise InvalidInput(
            "ID_INVALID", f"{identifier} has no valid time", evidence={"value": str(identifier)}
        ) from None
