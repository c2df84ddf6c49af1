"""What optical character recognition gives: pages, kept apart until all of them are there."""

import msgspec
import zstandard

from sheaf_orchestrator.extraction.result import (
    MAX_RESULT_BYTES,
    ResultFormatError,
    ResultWarning,
    Word,
)

_LEVEL = 3
_encoder = msgspec.msgpack.Encoder()


class RecognisedPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page as an engine read it."""

    number: int
    """Counted from 1."""
    width: float | None
    """Points as displayed; null where the page's size is unknown (it was not read)."""
    height: float | None
    text: str
    """In reading order, lines ended by ``\\n``."""
    confidence: float | None
    """Mean over the characters, 0 to 1; null when nothing was read."""
    rotation: int = 0
    """Degrees clockwise by which the picture had to be turned to be read upright."""
    words: list[Word] = []
    """Always recorded; the result keeps them when they were asked for."""
    markdown: str = ""
    failed: bool = False
    """Whether the page could not be read; ``warnings`` tell why."""
    warnings: list[ResultWarning] = []


class Recognised(msgspec.Struct, frozen=True, kw_only=True):
    """The pages of one request, in ascending number."""

    engine: str
    """Name and version of the engine, e.g. ``faster-paddle 1.0.4 tiny``."""
    pages: list[RecognisedPage]


_decoder = msgspec.msgpack.Decoder(Recognised)


def encode_recognised(recognised: Recognised) -> bytes:
    """Compressed msgpack, as it is put beside the result until the document is whole."""
    return zstandard.ZstdCompressor(level=_LEVEL).compress(_encoder.encode(recognised))


def decode_recognised(encoded: bytes, *, max_bytes: int = MAX_RESULT_BYTES) -> Recognised:
    """What ``encode_recognised`` encoded. Raises ResultFormatError for anything else."""
    try:
        size = zstandard.frame_content_size(encoded)
        if not 0 <= size <= max_bytes:
            raise ResultFormatError(f"over {max_bytes} bytes or of unknown size")
        return _decoder.decode(zstandard.ZstdDecompressor().decompress(encoded))
    except (zstandard.ZstdError, msgspec.MsgspecError) as error:
        raise ResultFormatError(f"not recognised pages: {error}") from error
