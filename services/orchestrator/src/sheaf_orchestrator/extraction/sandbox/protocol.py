"""What parent and subprocess say to each other.

A frame is a prefix (``!IQ``: bytes of the header, bytes of the body), a msgpack header and a
raw body. The subprocess opens with ``Hello``; then each ``Request`` (body: the document) is
answered by one ``Done`` (body: the encoded result) or ``Failed`` (no body). End of file tells
the subprocess to exit.
"""

from struct import Struct
from typing import Final

import msgspec

from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.reasons import Reason

PREFIX: Final = Struct("!IQ")
MAX_HEADER_BYTES: Final = 64 * 1024


class Request(msgspec.Struct, frozen=True, kw_only=True, tag="request"):
    """A document to extract; its bytes travel beside it."""

    document_id: str
    attempt: int
    content_type: str
    """Media type; parameters are ignored."""
    sha256: str | None = None
    """Hex digest of the content when known; passed through to the result, not checked."""
    options: Options = Options()


class Extraction(msgspec.Struct, frozen=True, kw_only=True):
    """A document's outcome when it has a result."""

    result: bytes
    """As ``encode_result`` made it; ``decode_result`` reads it."""
    page_count: int
    character_count: int
    partial: bool
    cpu_ms: float
    """CPU time of the subprocess for this document, reading and answering included."""
    rss_bytes: int
    """Resident memory of the subprocess after the document."""


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag="hello"):
    """The subprocess is ready: confined, libraries loaded."""

    isolation: str
    """``netns``: no network; ``none``: the kernel refused, network is reachable."""
    versions: dict[str, str]
    rss_bytes: int
    counted_peak_bytes: int
    """What the kernel counts as its peak memory so far, that of the parent at the fork included."""


class Done(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    """The body is the encoded result."""

    page_count: int
    character_count: int
    partial: bool
    cpu_ms: float
    rss_bytes: int


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """The document has no result, for a reason noticed inside."""

    reason: Reason
    message: str
    cpu_ms: float
    rss_bytes: int


Reply = Hello | Done | Failed

encode_header = msgspec.msgpack.Encoder().encode
decode_request = msgspec.msgpack.Decoder(Request).decode
decode_reply = msgspec.msgpack.Decoder(Reply).decode


def frame(header: msgspec.Struct, body_bytes: int) -> bytes:
    """Prefix and header; the body, of ``body_bytes``, is to follow."""
    encoded = encode_header(header)
    return PREFIX.pack(len(encoded), body_bytes) + encoded
