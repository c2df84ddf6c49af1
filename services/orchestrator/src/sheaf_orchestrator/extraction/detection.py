"""What a file is, by its content; its name or what a client declares only breaks ties of text.

A rule of storage decides at intake; this one decides again where the document is read, because
what is stored may have come another way, and because the sandbox can look further.
"""

import re
from typing import Final

from sheaf_orchestrator.extraction import ole, signatures, types, zips
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.text.decoding import peek

_PDF_HEADER: Final = re.compile(rb"(?:^|[\r\n])%PDF-")
_PDF_WITHIN_BYTES: Final = 1_024
"""Readers accept a PDF whose header begins here. Source: ISO 32000-1, Annex H.3, note 13."""
_RTF: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s{0,64}\{\\rtf")
_SAMPLE_BYTES: Final = 64 * 1024
_MARKUP_CHARACTERS: Final = 1_024

_BY_ROOT_NAME: Final = (
    ("worddocument", types.DOC),
    ("workbook", types.XLS),
    ("book", types.XLS),
    ("powerpoint document", types.PPT),
    ("__properties_version1.0", types.MSG),
)
_OLE_NAMES: Final = {
    "visiodocument": "a Visio drawing",
    "quill": "a Publisher document",
    "pp40": "a PowerPoint 4 presentation",
    "!_stringpool": "an installer (MSI)",
}

_MAIL_LINE: Final = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,76})[ \t]*:|[ \t]|>?From ")
_MAIL_SURE: Final = frozenset({"message-id", "mime-version", "received", "return-path"})
_MAIL_USUAL: Final = frozenset({"from", "to", "date", "subject"})
_MAIL_TYPED: Final = "content-type"

_PAGE: Final = re.compile(rb"\s*(?:<!doctype\s+html|<html)", re.IGNORECASE)
_PROLOGUE: Final = re.compile(r"\s*(?:<\?xml\b[^>]*>\s*)?(?:<!--.*?-->\s*)*", re.DOTALL)
_HTML_START: Final = re.compile(r"<!doctype\s+html\b|<(?:html|head|body)\b", re.IGNORECASE)
_HTML_TAG: Final = re.compile(
    r"<(?:html|head|body|title|meta|link|script|style|table|tbody|tr|td|div|span|p|br|hr|h[1-6]"
    r"|a|img|ul|ol|li|font|center|b|i|form|section|article|pre|blockquote)(?=[\s/>])",
    re.IGNORECASE,
)
_SVG_START: Final = re.compile(r"(?:<!doctype\s+svg\b[^>]*>\s*)?<(?:svg:)?svg\b", re.IGNORECASE)
_NAMED_TEXTS: Final = frozenset({types.CSV, types.TSV, types.MARKDOWN})
_NAMELESS: Final = frozenset({"", types.TEXT, "application/octet-stream"})


def detect(content: bytes | bytearray, declared: str) -> str:
    """The content type, one of ``types``; ``declared`` tells CSV, Markdown and text apart.

    Raises ExtractionError: EMPTY, UNSUPPORTED_FORMAT (with the name of what it is), DAMAGED (a
    container that cannot be opened).
    """
    if not content:
        raise ExtractionError(Reason.EMPTY, "The file has no bytes.")
    head = bytes(content[: signatures.LOOKED_AT_BYTES])
    known = _type_at_sight(content, head)
    if known is not None:
        return known
    declared = declared.partition(";")[0].strip().lower()
    sample = peek(content, _SAMPLE_BYTES)
    if sample is not None and is_mail(sample, declared=declared == types.EML):
        return types.EML
    if _has_late_pdf(content):
        return types.PDF
    name = signatures.foreign_name(head)
    if name is not None and not (sample and sample.isascii() and not head.startswith(b"%!PS")):
        return _unsupported(name)
    return _page_or_nothing(head, declared) if sample is None else _text_type(sample, declared)


def _type_at_sight(content: bytes | bytearray, head: bytes) -> str | None:
    """The type of what its first bytes tell."""
    if head.startswith(b"%PDF-"):
        return types.PDF
    if head.startswith((zips.MAGIC, zips.MAGIC_EMPTY)):
        kind = zips.zip_kind(content)
        return kind if "/" in kind else _unsupported(kind)
    if head.startswith(ole.MAGIC):
        return _ole_type(content)
    return types.RTF if _RTF.match(head) else signatures.image_type(head)


def _page_or_nothing(head: bytes, declared: str) -> str:
    """What is no text may be a page with control characters, which browsers leave out."""
    if _PAGE.match(head):
        return types.HTML
    shown = declared[:100] if declared not in _NAMELESS and "/" in declared else ""
    return _unsupported(f"of type {shown}" if shown else "of a binary format")


def is_mail(sample: str, *, declared: bool) -> bool:
    """Whether a text begins with the header of a message. Source: RFC 5322, section 2.2.

    A letter may begin with "From:" and "Subject:", too: then ``declared`` decides.
    """
    names: set[str] = set()
    for line in sample.lstrip("\r\n").split("\n"):
        if not line.strip():
            break  # the header's end
        field = _MAIL_LINE.match(line)
        if field is None:
            if names & _MAIL_SURE and declared:
                break  # a header that somebody broke
            return False
        names.add((field[1] or "").lower())
    usual = len(names & _MAIL_USUAL)
    sure = bool(names & _MAIL_SURE) or (_MAIL_TYPED in names and usual > 1)
    return (sure and usual > 0) or (declared and usual > 1)


def _text_type(sample: str, declared: str) -> str:
    prologue = _PROLOGUE.match(sample)
    start = prologue.end() if prologue else 0
    if _HTML_START.match(sample, start):
        return types.HTML
    if _SVG_START.match(sample, start):
        return _unsupported("an SVG picture")
    is_xml = sample.lstrip().startswith("<?xml")
    if declared in _NAMED_TEXTS:
        return declared
    tag = None if is_xml else _HTML_TAG.search(sample, start, start + _MARKUP_CHARACTERS)
    if tag is not None and (declared == types.HTML or tag.start() == start):
        return types.HTML
    if declared in _NAMELESS and not sample.lstrip().startswith(("<", "{", "[")):
        # Loaded late: most texts are declared or no tables.
        from sheaf_orchestrator.extraction.tabular.dialects import clear_delimiter  # noqa: PLC0415

        delimiter = clear_delimiter(sample)
        if delimiter is not None:
            return types.TSV if delimiter == "\t" else types.CSV
    return types.TEXT


def _ole_type(content: bytes | bytearray) -> str:
    names = ole.root_names(content)
    for name, content_type in _BY_ROOT_NAME:
        if name in names:
            return content_type
    if "encryptedpackage" in names:
        return types.LOCKED
    known = (name for root, name in _OLE_NAMES.items() if root in names)
    return _unsupported(next(known, "an OLE container of an unknown kind"))


def _has_late_pdf(content: bytes | bytearray) -> bool:
    """Whether a PDF begins within the first bytes, and is more than a mention of one."""
    header = _PDF_HEADER.search(content, 0, _PDF_WITHIN_BYTES)
    return header is not None and content.find(b" obj", header.end()) >= 0


def _unsupported(name: str) -> str:
    raise ExtractionError(
        Reason.UNSUPPORTED_FORMAT, f"The file is {name}; this format is not read."
    )
