"""The HTTP headers that need rules: ranges, validators, disposition, encodings."""

import re
from hashlib import sha256
from typing import Final
from urllib.parse import quote

from sheaf_common.errors import OutOfRange

_RANGE: Final = re.compile(r"bytes=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.ASCII | re.IGNORECASE)
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9 !#$&'()+,.;=@^_`{}~\-\[\]]")
_ZSTD: Final = re.compile(r"(?:^|,)\s*zstd\s*(?:;\s*q\s*=\s*([0-9.]+)\s*)?(?=,|$)", re.IGNORECASE)


def requested_range(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """The first byte and the number of bytes that a Range header asks for (RFC 9110, 14.2).

    None asks for the whole: no header, another unit, several ranges or broken syntax.

    Raises:
        OutOfRange: `RANGE_NOT_SATISFIABLE`.
    """
    match = None if header is None else _RANGE.fullmatch(header.strip())
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first_text, last_text = match.groups()
    if first_text == "":
        length = min(int(last_text), size_bytes)
        first, last = size_bytes - length, size_bytes - 1
    else:
        first = int(first_text)
        last = min(int(last_text), size_bytes - 1) if last_text else size_bytes - 1
        if last_text and int(last_text) < first:
            return None
    if first > last:
        raise OutOfRange(
            "RANGE_NOT_SATISFIABLE",
            f"the range lies outside the {size_bytes} bytes of the content",
            evidence={"size_bytes": str(size_bytes), "range": (header or "")[:64]},
        )
    return first, last - first + 1


def etag_matches(header: str | None, etag: str) -> bool:
    """Whether an If-None-Match header names `etag` (RFC 9110, 13.1.2)."""
    if header is None:
        return False
    given = [item.strip().removeprefix("W/") for item in header.split(",")]
    return "*" in given or etag.removeprefix("W/") in given


def result_etag(result_key: str, form: str, *, weak: bool = False) -> str:
    """The validator of a result in one of its forms: under its key there is never another.

    A weak one is of what is made of the result anew each time.
    """
    tag = f'"{sha256(result_key.encode()).hexdigest()[:32]}-{form}"'
    return f"W/{tag}" if weak else tag


def attachment(filename: str) -> str:
    """A Content-Disposition that cannot be misread (RFC 6266, RFC 8187)."""
    fallback = _UNSAFE.sub("_", filename) or "document"
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(filename, safe='')}"


def accepts_zstd(header: str | None) -> bool:
    """Whether an Accept-Encoding header takes zstd."""
    match = None if header is None else _ZSTD.search(header)
    if match is None:
        return False
    return match.group(1) is None or match.group(1).strip("0.") != ""
