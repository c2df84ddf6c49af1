"""Which document a zip container is: by what it declares in its members, read from its front."""

import re
import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from sheaf_orchestrator.extraction import types

MAGIC: Final = b"PK\x03\x04"
MAGIC_EMPTY: Final = b"PK\x05\x06"

_LOCAL_HEADER: Final = struct.Struct("<4sHHHHHIIIHH")
_HAS_DESCRIPTOR: Final = 0x08
_DEFLATED: Final = 8
_MEMBERS_LOOKED_AT: Final = 1_024
_MAX_PART_BYTES: Final = 1024 * 1024
_MIMETYPE_BYTES: Final = 128

_MAIN_PARTS: Final = (
    (re.compile(rb"ms-excel\.sheet\.binary"), "a binary workbook (XLSB)"),
    (
        re.compile(
            rb"(?:wordprocessingml|ms-word)\.(?:document|template)(?:\.macroEnabled(?:Template)?)?"
            rb"\.main\+xml"
        ),
        types.DOCX,
    ),
    (
        re.compile(
            rb"(?:spreadsheetml|ms-excel)\.(?:sheet|template)(?:\.macroEnabled)?\.main\+xml"
        ),
        types.XLSX,
    ),
    (
        re.compile(
            rb"(?:presentationml|ms-powerpoint)\.(?:presentation|slideshow|template)"
            rb"(?:\.macroEnabled)?\.main\+xml"
        ),
        types.PPTX,
    ),
)
"""As [Content_Types].xml names the main part of a document, a template or one with macros."""
_ODF: Final = {
    b"application/vnd.oasis.opendocument.text": types.ODT,
    b"application/vnd.oasis.opendocument.spreadsheet": types.ODS,
    b"application/vnd.oasis.opendocument.presentation": types.ODP,
}
_OTHER: Final = {
    b"application/epub+zip": "an EPUB book",
    b"application/vnd.oasis.opendocument.graphics": "an OpenDocument drawing",
    b"application/vnd.oasis.opendocument.formula": "an OpenDocument formula",
    b"application/vnd.oasis.opendocument.chart": "an OpenDocument chart",
}
_BY_NAME: Final = {
    b"word/document.xml": types.DOCX,
    b"xl/workbook.xml": types.XLSX,
    b"ppt/presentation.xml": types.PPTX,
}
_NAMES: Final = {
    b"META-INF/MANIFEST.MF": "a Java archive",
    b"AndroidManifest.xml": "an Android package",
    b"Index/Document.iwa": "an Apple iWork document",
    b"FixedDocSeq.fdseq": "an XPS document",
}


class _Member(NamedTuple):
    name: bytes
    begin: int
    deflated: bool


def zip_kind(content: bytes | bytearray) -> str:
    """A content type (it has a slash), or the name of what it is instead, with its article."""
    guess: str | None = None
    for member in _members(content):
        if member.name == b"mimetype":
            declared = bytes(content[member.begin : member.begin + _MIMETYPE_BYTES])
            for known in (_ODF, _OTHER):
                for media_type, kind in known.items():
                    if re.match(re.escape(media_type) + rb"(?:-template|-master)?(?!-)", declared):
                        return kind
        elif member.name == b"[Content_Types].xml":
            part = _read(content, member)
            for pattern, kind in _MAIN_PARTS:
                if pattern.search(part):
                    return kind
        elif guess is None:
            guess = _BY_NAME.get(member.name) or _NAMES.get(member.name)
    return guess or "a ZIP archive"


def _read(content: bytes | bytearray, member: _Member) -> bytes:
    view = memoryview(content)[member.begin : member.begin + _MAX_PART_BYTES]
    if not member.deflated:
        return bytes(view)
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(view, _MAX_PART_BYTES)
    except zlib.error:
        return b""  # the names of the members decide; the reader will say what is damaged


def _members(content: bytes | bytearray) -> Iterator[_Member]:
    """The first members in the order of the file, which a damaged directory does not hide."""
    position = 0
    for _ in range(_MEMBERS_LOOKED_AT):
        if position < 0 or position + _LOCAL_HEADER.size > len(content):
            return
        fields = _LOCAL_HEADER.unpack_from(content, position)
        if fields[0] != MAGIC:
            return
        flags, method, packed_bytes = fields[2], fields[3], fields[7]
        name_begin = position + _LOCAL_HEADER.size
        begin = name_begin + fields[9] + fields[10]
        yield _Member(
            bytes(content[name_begin : name_begin + fields[9]]), begin, method == _DEFLATED
        )
        size_is_unknown = flags & _HAS_DESCRIPTOR and packed_bytes == 0
        position = content.find(MAGIC, begin) if size_is_unknown else begin + packed_bytes
