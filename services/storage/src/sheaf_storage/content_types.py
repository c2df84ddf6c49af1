"""The rules by which content becomes a content type. No I/O.

libmagic's answer is one voice among them: its guesses within the text family (CSV, source
code, …) are weak, and it neither reads the members of a zip far enough nor finds a PDF
header that does not stand first.
"""

import codecs
import io
import re
import struct
from collections.abc import Iterator
from typing import Final

from sheaf_storage.domain import Bytes

OCTETS: Final = "application/octet-stream"
PDF: Final = "application/pdf"
TEXT: Final = "text/plain"
MAIL: Final = "message/rfc822"
RTF: Final = "application/rtf"
ZIP: Final = "application/zip"
OLE: Final = "application/x-ole-storage"
HTML: Final = "text/html"

_TEXT_SAMPLE_BYTES: Final = 64 * 1024
_PDF_HEADER_WITHIN: Final = 1024
"""Readers accept a PDF whose header begins here. Source: ISO 32000-1, Annex H.3, note 13."""

_CONTROLS: Final = bytes(set(range(32)) - set(b"\t\n\r\f\b\x1b")) + b"\x7f"
_UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_MARKED_TEXT: Final = frozenset(
    {
        "application/json", "application/postscript", "application/x-ndjson", "image/svg+xml",
        "text/calendar", "text/html", "text/vcard", "text/xml",
    }
)  # fmt: skip
"""Textual types that libmagic knows by their marks; its other guesses are just text."""

_TEXT_BY_SUFFIX: Final = {
    ".csv": "text/csv",
    ".markdown": "text/markdown",
    ".md": "text/markdown",
    ".tsv": "text/tab-separated-values",
}

_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
_BY_FOLDER: Final = {
    b"word/": f"{_OFFICE}.wordprocessingml.document",
    b"xl/": f"{_OFFICE}.spreadsheetml.sheet",
    b"ppt/": f"{_OFFICE}.presentationml.presentation",
}
_BINARY_SHEET: Final = b"xl/workbook.bin", "application/vnd.ms-excel.sheet.binary.macroEnabled.12"
_LOCAL_HEADER: Final = struct.Struct("<4sHHHHHIIIHH")
_LOCAL_MARK: Final = b"PK\x03\x04"
_EMPTY_ZIP_MARK: Final = b"PK\x05\x06"
_HAS_DESCRIPTOR: Final = 0x08
_MEMBERS_LOOKED_AT: Final = 512
_MIMETYPE_MAX_BYTES: Final = 128

_OLE_MARK: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_KNOWN: Final = frozenset(
    {
        "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
        "application/vnd.ms-outlook",
    }
)  # fmt: skip
"""What libmagic tells apart of the containers of legacy Office; the rest it names variously."""
_PAGE_START: Final = re.compile(rb"\s*(?:<!doctype\s+html|<html)", re.IGNORECASE)
_WIDE_NUL_SHARE: Final = 0.3

_PDF_HEADER: Final = re.compile(rb"(?:^|[\r\n])%PDF-")
_PDF_OBJECT: Final = b" obj"
_MAIL_LINE: Final = re.compile(rb"([A-Za-z][A-Za-z0-9-]*):|[ \t]|From ")
_MAIL_SURE: Final = {b"message-id", b"mime-version", b"received", b"return-path"}
_MAIL_USUAL: Final = {b"from", b"to", b"date", b"subject"}
_TEXTUAL: Final = ("text/", "message/")
_SUFFIX: Final = re.compile(r"\.[a-z]+$")


def known_at_sight(content: Bytes) -> str | None:
    """The type of content that needs no libmagic: PDF, zip, RTF; None for all other."""
    if content.startswith(b"%PDF-"):
        return PDF
    if content.startswith((_LOCAL_MARK, _EMPTY_ZIP_MARK)):
        return _zip_type(content)
    if content.startswith(b"{\\rtf"):
        return RTF
    return None


def decide(content: Bytes, filename: str, guess: str) -> str:
    """The type of content that is not known at sight, given libmagic's guess."""
    if content.startswith(_OLE_MARK):
        return guess if guess in _OLE_KNOWN else OLE
    suffix = match.group() if (match := _SUFFIX.search(filename.lower())) else ""
    sample = bytes(content[:_TEXT_SAMPLE_BYTES])
    text = _as_text(sample)
    if _is_mail(text or sample, named_so=suffix == ".eml"):
        return MAIL
    if _has_late_pdf_header(content):
        return PDF
    if not text and _PAGE_START.match(sample):
        return HTML  # with control characters, which browsers leave out
    if not text and guess.startswith(_TEXTUAL):
        # Text in some other charset; libmagic overlooks a few zero bytes.
        text = b"" if b"\0" in sample else sample
        guess = guess if text else OCTETS
    if text:
        return guess if guess in _MARKED_TEXT else _TEXT_BY_SUFFIX.get(suffix, TEXT)
    return guess


def _as_text(sample: bytes) -> bytes:
    """The beginning of a text as UTF-8; nothing if it is neither UTF-8 nor UTF-16.

    A text has no control characters.
    """
    encoding = "utf-16" if sample.startswith(_UTF16_MARKS) else _unmarked(sample)
    try:
        # Not final: the sample may end within a character.
        text = codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return b""
    plain = sample if encoding == "utf-8" else text.encode(errors="replace")
    return plain if len(plain.translate(None, _CONTROLS)) == len(plain) else b""


def _unmarked(sample: bytes) -> str:
    """UTF-16 has zero bytes in every other place and hardly any elsewhere; else it is UTF-8."""
    units = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd >= _WIDE_NUL_SHARE * units > 1 and even <= odd // 10:
        return "utf-16-le"
    if even >= _WIDE_NUL_SHARE * units > 1 and odd <= even // 10:
        return "utf-16-be"
    return "utf-8"


def _is_mail(sample: bytes, *, named_so: bool) -> bool:
    """Whether it begins with the header of a message. Source: RFC 5322, section 2.2.

    A letter may begin with "From:" and "Subject:", too: then the file's name decides.
    """
    names: set[bytes] = set()
    for line in io.BytesIO(sample):
        if not line.strip() or not line.endswith(b"\n"):
            break  # the header's end, or the sample's
        field = _MAIL_LINE.match(line)
        if field is None:
            return False
        names.add((field.group(1) or b"").lower())
    usual = len(names & _MAIL_USUAL)
    return bool(names & _MAIL_SURE and usual) or (named_so and usual > 1)


def _has_late_pdf_header(content: Bytes) -> bool:
    """Whether a PDF begins within the first 1,024 bytes, and is more than a mention of one."""
    header = _PDF_HEADER.search(content, 0, _PDF_HEADER_WITHIN)
    return header is not None and content.find(_PDF_OBJECT, header.end()) >= 0


def _zip_type(content: Bytes) -> str:
    """The type of a zip by the names of its members; an EPUB or ODF says it in its first."""
    found: str | None = None
    for name, begin in _members(content):
        if name == b"mimetype":
            declared = bytes(content[begin : begin + _MIMETYPE_MAX_BYTES]).split(b"PK")[0]
            if declared.startswith((b"application/vnd.oasis.", b"application/epub+zip")):
                return declared.decode("ascii", errors="replace").strip()
        if name == _BINARY_SHEET[0]:
            return _BINARY_SHEET[1]
        if found is None:
            folder, slash, _ = name.partition(b"/")
            found = _BY_FOLDER.get(folder + slash)
    return found or ZIP


def _members(content: Bytes) -> Iterator[tuple[bytes, int]]:
    """The names of the first members, and where the content of each begins."""
    position = 0
    for _ in range(_MEMBERS_LOOKED_AT):
        if position < 0 or position + _LOCAL_HEADER.size > len(content):
            return
        fields = _LOCAL_HEADER.unpack_from(content, position)
        if fields[0] != _LOCAL_MARK:
            return
        flags, packed_bytes, name_bytes, extra_bytes = fields[2], fields[7], fields[9], fields[10]
        name_begin = position + _LOCAL_HEADER.size
        begin = name_begin + name_bytes + extra_bytes
        yield bytes(content[name_begin : name_begin + name_bytes]), begin
        size_is_unknown = flags & _HAS_DESCRIPTOR and packed_bytes == 0
        position = content.find(_LOCAL_MARK, begin) if size_is_unknown else begin + packed_bytes
