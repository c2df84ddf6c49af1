"""multipart/form-data as a stream of events (RFC 7578). No I/O: bytes in, events out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from multipart import (  # type: ignore[import-untyped]  # ships no types
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from sheaf_common.errors import InvalidInput

_BOUNDARY_MAX_CHARACTERS: Final = 200
_PART_HEADER_BYTES: Final = 4096
_PART_HEADERS: Final = 8
_ANY_BYTES: Final = "latin-1"
"""A character for each byte: the parser gives up on headers that it cannot decode."""
_UNDECODED: Final = "surrogateescape"
_PLAIN: Final = frozenset({"", "7bit", "8bit", "binary"})
_FILE_FIELDS: Final = frozenset({"file", "files"})
_EXTENDED_FILENAME: Final = re.compile(r";\s*filename\*\s*=\s*utf-8''([^;\s]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PartStart:
    """A part begins. `filename` is as sent, None where there was none.

    Bytes of either name that are not UTF-8 are lone surrogates here, which no valid name has: so
    a file with such a name is rejected, and not the files beside it.
    """

    name: str
    filename: str | None

    @property
    def is_file(self) -> bool:
        """Whether the part is a file rather than a text field."""
        return self.filename is not None or self.name in _FILE_FIELDS


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The part that began last is complete."""


FormEvent = PartStart | bytes | PartEnd
_END: Final = PartEnd()


def boundary_of(content_type: str) -> str:
    """The boundary that a Content-Type header names.

    Raises:
        InvalidInput: `UNSUPPORTED_MEDIA_TYPE` if it is another type, `BOUNDARY_MISSING`.
    """
    media_type, options = parse_options_header(content_type)
    if media_type != "multipart/form-data":
        raise InvalidInput(
            "UNSUPPORTED_MEDIA_TYPE",
            "the body must be multipart/form-data",
            evidence={"content_type": content_type[:128], "accepted": "multipart/form-data"},
        )
    boundary = str(options.get("boundary", ""))
    if not 0 < len(boundary) <= _BOUNDARY_MAX_CHARACTERS:
        raise InvalidInput("BOUNDARY_MISSING", "the Content-Type header has no usable boundary")
    return boundary


class FormParser:
    """Parses one body. The events do not depend on how the body is cut into chunks.

    Pieces of content come as they are found; adjacent ones may be joined. A body may have
    a preamble and an epilogue (RFC 2046), which are skipped.
    """

    def __init__(self, boundary: str) -> None:
        self._parser = PushMultipartParser(
            boundary,
            max_header_size=_PART_HEADER_BYTES,
            max_header_count=_PART_HEADERS,
            header_charset=_ANY_BYTES,
        )

    def feed(self, chunk: bytes) -> Iterator[FormEvent]:
        """The events of the next bytes; must be consumed before the next call.

        Raises:
            InvalidInput: `MULTIPART_INVALID`.
        """
        try:
            for event in self._parser.parse(chunk):
                if event is None:
                    yield _END
                elif isinstance(event, MultipartSegment):
                    _check_plain(event)
                    yield PartStart(_decoded(event.name or ""), _filename(event))
                else:
                    yield bytes(event)
        except MultipartError as error:
            raise _invalid(error) from error

    def finish(self) -> None:
        """Says that no more bytes come.

        Raises:
            InvalidInput: `MULTIPART_INVALID` if the body is not complete.
        """
        try:
            self._parser.close()
        except MultipartError as error:
            raise _invalid(error) from error


def _check_plain(segment: MultipartSegment) -> None:
    """What is encoded would be stored as it is, in place of what was meant."""
    encoding = segment.header("Content-Transfer-Encoding", "") or ""
    if encoding.strip().lower() not in _PLAIN:
        raise InvalidInput(
            "MULTIPART_INVALID",
            "a part has a Content-Transfer-Encoding, which parts of forms do not have"
            " (RFC 7578, section 4.7)",
        )


def _filename(segment: MultipartSegment) -> str | None:
    """The part's filename; some clients send it only in the form of RFC 5987."""
    if segment.filename is not None:
        return _decoded(segment.filename)
    found = _EXTENDED_FILENAME.search(segment.header("Content-Disposition", "") or "")
    return unquote(found.group(1), errors=_UNDECODED) if found else None


def _decoded(name: str) -> str:
    """What the bytes mean that the parser read as characters."""
    return name.encode(_ANY_BYTES).decode(errors=_UNDECODED)


def _invalid(error: MultipartError) -> InvalidInput:
    cause = "a part's header is too long" if isinstance(error, ParserLimitReached) else error
    return InvalidInput("MULTIPART_INVALID", f"the multipart body is broken: {cause}")
