"""What clients write: names, labels and times, checked."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from sheaf_common.errors import InvalidInput

FILENAME_MAX_CHARACTERS: Final = 255
PRODUCT_MAX_CHARACTERS: Final = 64

_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_RFC_3339: Final = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})[Tt](?P<minute>\d{2}:\d{2}):(?P<second>\d{2})"
    r"(?P<rest>(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2}))"
)
_PRODUCT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}|")


def clean_filename(raw: str | None) -> str:
    """The name to record: the last component of what the client sent (RFC 7578, section 4.2).

    Raises:
        InvalidInput: `FILENAME_MISSING` or `FILENAME_INVALID`.
    """
    name = "" if raw is None else raw.replace("\\", "/").rsplit("/", 1)[-1].strip()
    if not name:
        raise InvalidInput("FILENAME_MISSING", "the file has no name")
    if name in {".", ".."} or _UNPRINTABLE.search(name):
        raise InvalidInput("FILENAME_INVALID", "the file's name has characters that no name has")
    if len(name) > FILENAME_MAX_CHARACTERS:
        raise InvalidInput(
            "FILENAME_INVALID",
            f"the file's name is longer than {FILENAME_MAX_CHARACTERS} characters",
            evidence={"limit": str(FILENAME_MAX_CHARACTERS), "actual": str(len(name))},
        )
    return name


def shown_filename(raw: str | None) -> str:
    """A name that can be shown though it may not be valid."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", raw or "")[:FILENAME_MAX_CHARACTERS]


def checked_product(text: str) -> str:
    """The product label that a client gave; may be empty.

    Raises:
        InvalidInput: `PRODUCT_INVALID`.
    """
    label = text.strip()
    if _PRODUCT.fullmatch(label) is None:
        raise InvalidInput(
            "PRODUCT_INVALID",
            f"product must be at most {PRODUCT_MAX_CHARACTERS} letters, digits and . _ : / -",
            evidence={"field": "product", "limit": str(PRODUCT_MAX_CHARACTERS)},
        )
    return label


def checked_time(text: str | None, field: str) -> datetime | None:
    """A time that a client gave as RFC 3339 has it, in UTC; None if it gave none.

    A leap second counts as the second after it.

    Raises:
        InvalidInput: `FIELD_INVALID`: it is none, has no offset, or lies beyond the calendar.
    """
    if text is None:
        return None
    try:
        if (parts := _RFC_3339.fullmatch(text)) is not None:
            leap = timedelta(seconds=parts["second"] == "60")
            second = "59" if leap else parts["second"]
            moment = datetime.fromisoformat(
                f"{parts['date']}T{parts['minute']}:{second}{parts['rest'].upper()}"
            )
            return moment.astimezone(UTC) + leap
    except (OverflowError, ValueError):
        pass
    raise InvalidInput(
        "FIELD_INVALID",
        f"{field} must be a time of RFC 3339 with its offset, such as 2026-01-02T03:04:05Z",
        evidence={"field": field},
    )
