"""The result object: what Sheaf found in a document, as stored and as served.

It is JSON, compressed with zstd. The schema's name is its first field; a field may be added
within a version (readers ignore what they do not know), anything else needs a new version.
"""

from typing import Any, Literal

import msgspec
import zstandard

SCHEMA = "sheaf.result/1"
MAX_RESULT_BYTES = 1024 * 1024 * 1024
"""Most bytes that a result may have when decompressed."""

_LEVEL = 3
_encoder = msgspec.json.Encoder()


class ResultFormatError(ValueError):
    """The bytes are no result of a version known here, or exceed the size asked for."""


class ResultWarning(msgspec.Struct, frozen=True):
    """Something that a reader of the result should know."""

    code: str
    """Stable and machine-readable, e.g. ``PAGE_FAILED``, ``OUTPUT_LIMIT``."""
    message: str
    """One sentence for a person."""
    page: int | None = None
    """The page concerned, counted from 1; null when it is the whole document."""


Box = tuple[float, float, float, float]
"""Left, top, right, bottom in points (1/72 inch), from the top left of the page as displayed."""


class Word(msgspec.Struct, frozen=True):
    """One word where it stands."""

    text: str
    """The word, without the space around it."""
    box: Box
    """Where it stands: left, top, right, bottom in points, from the top left of the page."""
    confidence: float | None = None
    """0 to 1 where the word was recognised; null where the file itself holds it."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table, as its cells."""

    rows: list[list[str]]
    """Cells of each row, as many in every row; a cell that spans several repeats nothing."""
    header_rows: int = 0
    """How many of the first rows are headings."""
    name: str | None = None
    """As the document names it."""
    box: Box | None = None
    """Null where the table's place is not known."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A hyperlink; it leads to ``url`` or to ``page``."""

    url: str | None = None
    """The address it leads to; null when it leads to a page."""
    page: int | None = None
    """The page it leads to, counted from 1."""
    text: str | None = None
    """The text that carries it."""
    box: Box | None = None
    """Where it stands, as a word's; null where that is not known."""


class Annotation(msgspec.Struct, frozen=True, kw_only=True):
    """A note that somebody left on a page: a comment, a highlight, speaker's notes."""

    kind: str
    """E.g. ``comment``, ``highlight``, ``notes``."""
    text: str
    """What the note says."""
    author: str | None = None
    """Who left it, as the document says."""
    box: Box | None = None
    """Where it stands, as a word's; null where that is not known."""


class FormField(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a form with its value, which stands in the page's text as well."""

    name: str
    """Its full name, as the form has it."""
    kind: str
    """``text``, ``checkbox``, ``radio``, ``choice`` or ``signature``."""
    value: str | None
    """As shown; the name of the chosen state of a checkbox or radio button; null if not filled."""
    page: int | None = None
    """The page it stands on, counted from 1; null where that is not known."""


class Page(msgspec.Struct, frozen=True):
    """One page, sheet, slide or part, in the document's order; ``Result.unit`` says which."""

    number: int
    """Its number in the document, from 1; ascending, and without gaps but for pages that were not
    wanted."""
    width: float | None
    """Points (1/72 inch) as displayed, rotation applied; null where pages have no size."""
    height: float | None
    """As ``width``."""
    rotation: int
    """Degrees clockwise that the file asks viewers to turn the page, or by which a picture had
    to be turned to be read: 0, 90, 180 or 270."""
    text: str
    """Unicode text in reading order, lines ended by ``\\n``; no NUL, no lone surrogate."""
    characters: int
    """Code points in ``text``."""
    name: str | None = None
    """The name of a sheet, the title of a slide, the subject of a mail."""
    ocr: bool = False
    """Whether the text was recognised from the page's picture."""
    confidence: float | None = None
    """Of the recognition, 0 to 1; null when ``ocr`` is false or nothing was read."""
    words: list[Word] | None = None
    """The words in reading order, when they were asked for and the format has pages."""
    tables: list[Table] = []
    """The tables that were found; their text is part of ``text``."""
    links: list[Link] = []
    """The hyperlinks, in order."""
    annotations: list[Annotation] = []
    """Comments, highlights and notes; their text is no part of ``text``."""


class OutlineEntry(msgspec.Struct, frozen=True):
    """One line of the document's own table of contents."""

    title: str
    """The line as the document has it."""
    level: int
    """Depth, 0 for the outermost."""
    page: int | None
    """The page it leads to, counted from 1; null when it leads elsewhere."""


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What the document says about itself; unchecked, null when absent or unreadable."""

    title: str | None = None
    """The title; of a mail its subject."""
    author: str | None = None
    """Who wrote it; of a mail its sender."""
    subject: str | None = None
    """What it is about, or a summary."""
    keywords: str | None = None
    """Keywords as they are written, mostly parted by commas."""
    creator: str | None = None
    """The program in which the document was written."""
    producer: str | None = None
    """The program that made the file."""
    created_at: str | None = None
    """ISO 8601 in UTC (``…Z``); without the Z when the file names no time zone."""
    modified_at: str | None = None
    """As ``created_at``."""
    language: str | None = None
    """BCP 47 tag as declared, e.g. ``de-DE``; else as detected from the text, e.g. ``de``."""
    encoding: str | None = None
    """Character encoding that a text was read with, as a lower-case IANA-like name."""
    encrypted: bool = False
    """Whether the file is encrypted (and could be opened all the same)."""
    format_version: str | None = None
    """Version of the file format, e.g. ``1.7`` of a PDF."""


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file inside the document."""

    filename: str
    """Its name without folders; made up where the document has none."""
    size_bytes: int
    """Its size, unpacked."""
    content_type: str | None = None
    """As the document declares it."""
    document_id: str | None = None
    """The document that it became; null when it was not read on its own (a warning says why)."""


class AttachedFile(msgspec.Struct, kw_only=True):
    """A file inside the document, with its bytes; these are never part of the result."""

    filename: str
    content: bytes
    content_type: str | None = None
    """As the document declares it."""


Unit = Literal["page", "sheet", "slide", "part"]


class Extracted(msgspec.Struct, kw_only=True):
    """What an extractor hands back; the worker adds what it knows and makes a ``Result``."""

    page_count: int
    pages: list[Page]
    metadata: Metadata
    content_type: str | None = None
    """What was inside, where the file was only a lock around it; None: what was detected."""
    unit: Unit = "page"
    markdown: list[str] = []
    """The Markdown of each of ``pages``; joined by blank lines in the result."""
    outline: list[OutlineEntry] = []
    fields: list[FormField] = []
    attachments: list[AttachedFile] = []
    warnings: list[ResultWarning] = []
    partial: bool = False
    ocr_pages: list[int] = []
    """Pages that lack usable text and should be recognised, ascending, counted from 1."""


class Result(msgspec.Struct, frozen=True, kw_only=True, tag_field="schema", tag=SCHEMA):
    """The whole result of one attempt on one document."""

    document_id: str
    """The document's id, a UUID."""
    attempt: int
    """Counted from 1; a reprocessed document has more than one."""
    content_type: str
    """Media type that the document was read as."""
    size_bytes: int
    """Size of the original."""
    sha256: str | None
    """Hex digest of the original, as given by the caller; null when not given."""
    page_count: int
    """Pages of the document. More than ``pages`` holds only when ``partial``, or when not all
    were wanted."""
    character_count: int
    """Sum of ``pages[].characters``."""
    partial: bool
    """Whether something is missing; ``warnings`` tell what."""
    metadata: Metadata
    """What the document says about itself."""
    pages: list[Page]
    """Its pages, sheets, slides or parts in order; those that were wanted, if not all were."""
    outline: list[OutlineEntry]
    """Flat, in document order; empty when the document has none."""
    warnings: list[ResultWarning]
    """What a reader should know, in the order in which it was met."""
    unit: Unit = "page"
    """What ``pages`` are."""
    markdown: str = ""
    """The whole document as Markdown, with headings and tables."""
    markdown_starts: list[int] = []
    """Where the Markdown of each of ``pages`` begins in ``markdown``, in code points."""
    fields: list[FormField] = []
    """The fields of the document's form, filled or not."""
    attachments: list[Attachment] = []
    """Files inside the document; those with an id are documents of their own."""
    pages_wanted: str | msgspec.UnsetType = msgspec.UNSET
    """The pages that were asked for, such as ``1-3,7,10-``; absent when all were."""
    ocr_engine: str | None = None
    """Name and version of the engine that recognised pages; null when none did."""


_decoder = msgspec.json.Decoder(Result)


def encode_result(result: Result) -> bytes:
    """The result as stored: zstd-compressed JSON. Blocks for about 5 ms a MB of text."""
    return zstandard.ZstdCompressor(level=_LEVEL).compress(_encoder.encode(result))


def decode_result(encoded: bytes, *, max_bytes: int = MAX_RESULT_BYTES) -> Result:
    """The result that ``encode_result`` encoded.

    Never allocates more than ``max_bytes`` for the decompressed text. Raises
    ResultFormatError for anything that is not a whole result of this version.
    """
    try:
        size = zstandard.frame_content_size(encoded)
        if not 0 <= size <= max_bytes:
            raise ResultFormatError(f"the result is over {max_bytes} bytes or of unknown size")
        return _decoder.decode(zstandard.ZstdDecompressor().decompress(encoded))
    except (zstandard.ZstdError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ResultFormatError(f"not a {SCHEMA}: {error}") from error


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a result, for publication."""
    return msgspec.json.schema(Result)
