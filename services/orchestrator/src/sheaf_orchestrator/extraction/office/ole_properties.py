"""The summary of a binary Office file ([MS-OLEPS]): read here, since a count in it may lie."""

import codecs
import struct
from datetime import UTC, datetime, timedelta
from typing import Final

from sheaf_orchestrator.extraction.cleaning import clean_text
from sheaf_orchestrator.extraction.result import Metadata

SUMMARY: Final = "\x05SummaryInformation"
_CODE_PAGE, _TITLE, _SUBJECT, _AUTHOR, _KEYWORDS, _CREATED, _SAVED, _PROGRAM = (
    1, 2, 3, 4, 5, 12, 13, 18,
)  # fmt: skip
_SHORT, _BYTES, _WIDE, _TIME = 2, 30, 31, 64
_MAX_PROPERTIES: Final = 64
_MAX_CHARACTERS: Final = 4_096
_ENCODINGS: Final = {1200: "utf-16-le", 65001: "utf-8", 10000: "mac-roman"}
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)
_FIRST_YEAR: Final = 1900


def read_summary(data: bytes) -> Metadata:
    """What the document says about itself; what cannot be read is null."""
    try:
        values = _values(data)
    except struct.error:
        values = {}
    page = values.get(_CODE_PAGE, b"")
    encoding = _encoding(int.from_bytes(page, "little") if isinstance(page, bytes) else 0)

    def text(identity: int) -> str | None:
        value = values.get(identity, "")
        if isinstance(value, bytes):
            value = value.decode(encoding, "replace")
        plain = clean_text(value[:_MAX_CHARACTERS].partition("\0")[0])
        return plain.replace("\u00ad", "").strip() or None

    return Metadata(
        title=text(_TITLE),
        author=text(_AUTHOR),
        subject=text(_SUBJECT),
        keywords=text(_KEYWORDS),
        creator=text(_PROGRAM),
        created_at=text(_CREATED),
        modified_at=text(_SAVED),
    )


def _values(data: bytes) -> dict[int, bytes | str]:
    """Bytes of texts in the file's code page, texts of the rest."""
    (start,) = struct.unpack_from("<I", data, 44)
    (count,) = struct.unpack_from("<I", data, start + 4)
    values: dict[int, bytes | str] = {}
    for index in range(min(count, _MAX_PROPERTIES)):
        identity, offset = struct.unpack_from("<II", data, start + 8 + 8 * index)
        at = start + offset
        (kind,) = struct.unpack_from("<I", data, at)
        if kind == _SHORT:
            values[identity] = data[at + 4 : at + 6]
        elif kind in {_BYTES, _WIDE}:
            (size,) = struct.unpack_from("<I", data, at + 4)
            size = min(size, _MAX_CHARACTERS) * (1 if kind == _BYTES else 2)
            value = data[at + 8 : at + 8 + size]
            values[identity] = value if kind == _BYTES else value.decode("utf-16-le", "replace")
        elif kind == _TIME:
            values[identity] = _moment(*struct.unpack_from("<Q", data, at + 4))
    return values


def _encoding(page: int) -> str:
    name = _ENCODINGS.get(page, f"cp{page}")
    try:
        codecs.lookup(name)
    except LookupError:
        return "cp1252"
    return name


def _moment(ticks: int) -> str:
    """A count of 100 ns since 1601 as ISO 8601 in UTC; empty when it is not set."""
    try:
        moment = _EPOCH + timedelta(seconds=ticks // 10_000_000)
    except OverflowError:
        return ""
    return moment.isoformat().replace("+00:00", "Z") if moment.year >= _FIRST_YEAR else ""
