"""What parent and subprocess say to each other.

A frame is a prefix (``!IQ``: bytes of the header, bytes of the body), a msgpack header and a
raw body. The subprocess opens with ``Hello``; then each request (body: the document) is answered
by one ``Failed`` (no body) or by its own answer: ``Request`` by ``Done`` (body: the encoded
result, then the attached files one after the other), ``RecogniseRequest`` and
``ThumbnailRequest`` by ``Drawn`` (body: what was asked for). End of file tells the subprocess to
exit.
"""

from struct import Struct
from typing import Final

import msgspec

from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import AttachedFile

PREFIX: Final = Struct("!IQ")
MAX_HEADER_BYTES: Final = 512 * 1024
"""A reply names up to ``limits.pages`` pages and ``limits.attachments`` files of at most
``FILENAME_CHARACTERS``."""
FILENAME_CHARACTERS: Final = 255


class Request(msgspec.Struct, frozen=True, kw_only=True, tag="request"):
    """A document to extract; its bytes travel beside it."""

    document_id: str
    attempt: int
    content_type: str
    """Media type as declared; the content decides. Parameters are ignored."""
    sha256: str | None = None
    """Hex digest of the content when known; passed through to the result, not checked."""
    options: Options = Options()
    depth: int = 0
    """How deep the document lies in others; from ``limits.attachment_depth`` on the files inside
    it are only named."""


class RecogniseRequest(msgspec.Struct, frozen=True, kw_only=True, tag="recognise"):
    """Pages of a document to read by character recognition."""

    document_id: str
    content_type: str
    pages: tuple[int, ...]
    """Counted from 1, ascending."""
    options: Options = Options()


class ThumbnailRequest(msgspec.Struct, frozen=True, kw_only=True, tag="thumbnail"):
    """A page of a document to draw."""

    document_id: str
    content_type: str
    page: int
    """Counted from 1."""
    width_px: int


AnyRequest = Request | RecogniseRequest | ThumbnailRequest


class Extraction(msgspec.Struct, frozen=True, kw_only=True):
    """A document's outcome when it has a result."""

    result: bytes
    """As ``encode_result`` made it; ``decode_result`` reads it."""
    page_count: int
    character_count: int
    partial: bool
    content_type: str
    """What the document was read as."""
    ocr_pages: tuple[int, ...] = ()
    """Pages to recognise, ascending: those without usable text, or those that were asked for."""
    attachments: tuple[AttachedFile, ...] = ()
    """Files that become documents, in the order of the result's attachments that have an id."""
    cpu_ms: float
    """CPU time of the subprocess for this document, reading and answering included."""
    rss_bytes: int
    """Resident memory of the subprocess after the document."""


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag="hello"):
    """The subprocess is ready: confined, libraries loaded."""

    isolation: str
    """``netns``: no network; ``none``: the kernel refused, network is reachable."""
    priority: str
    """``normal``; ``low``: as niceness asks; ``normal group``: the system weighs groups of
    processes, and this one's could not be lowered, so its niceness has no effect on others."""
    versions: dict[str, str]
    rss_bytes: int
    counted_peak_bytes: int
    """What the kernel counts as its peak memory so far, that of the parent at the fork included."""


class FileHead(msgspec.Struct, frozen=True, kw_only=True):
    """An attached file whose bytes are in the body."""

    filename: str
    content_type: str | None
    size_bytes: int


class Done(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    """The body is the encoded result of ``result_bytes``, then each attached file."""

    page_count: int
    character_count: int
    partial: bool
    content_type: str
    result_bytes: int
    ocr_pages: tuple[int, ...] = ()
    attachments: tuple[FileHead, ...] = ()
    cpu_ms: float
    rss_bytes: int


class Drawn(msgspec.Struct, frozen=True, kw_only=True, tag="drawn"):
    """The body is what pages were drawn for: ``Recognised`` in msgpack, or a picture in WebP."""

    cpu_ms: float
    rss_bytes: int


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """The document has no result, for a reason noticed inside."""

    reason: Reason
    message: str
    cpu_ms: float
    rss_bytes: int


Answer = Done | Drawn | Failed
Reply = Hello | Answer

encode_header = msgspec.msgpack.Encoder().encode
_request_decoder: "msgspec.msgpack.Decoder[AnyRequest]" = msgspec.msgpack.Decoder(AnyRequest)
_reply_decoder: "msgspec.msgpack.Decoder[Reply]" = msgspec.msgpack.Decoder(Reply)
decode_request = _request_decoder.decode
decode_reply = _reply_decoder.decode


def frame(header: msgspec.Struct, body_bytes: int) -> bytes:
    """Prefix and header; the body, of ``body_bytes``, is to follow."""
    encoded = encode_header(header)
    return PREFIX.pack(len(encoded), body_bytes) + encoded
