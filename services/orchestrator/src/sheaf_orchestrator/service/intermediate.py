"""What lies in the store between the steps of a recognition, until the result is whole."""

import msgspec
import zstandard

from sheaf_common.errors import DataLoss
from sheaf_orchestrator.domain import Attachment
from sheaf_orchestrator.extraction.result import MAX_RESULT_BYTES

_encoder = msgspec.msgpack.Encoder()


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in a document before its pages were recognised."""

    result: bytes
    """As the sandbox encoded it."""
    content_type: str
    attachments: tuple[Attachment, ...]
    """Stored already."""


_decoder = msgspec.msgpack.Decoder(Base)


def encode_base(base: Base) -> bytes:
    """As it is stored."""
    return zstandard.ZstdCompressor(level=1).compress(_encoder.encode(base))


def decode_base(encoded: bytes) -> Base:
    """What `encode_base` encoded. Raises `DataLoss` for anything else."""
    try:
        size = zstandard.frame_content_size(encoded)
        if not 0 <= size <= MAX_RESULT_BYTES:
            raise DataLoss("INTERMEDIATE_BROKEN", f"an intermediate result of {size} bytes")
        return _decoder.decode(zstandard.ZstdDecompressor().decompress(encoded))
    except (zstandard.ZstdError, msgspec.MsgspecError) as error:
        raise DataLoss("INTERMEDIATE_BROKEN", f"no intermediate result: {error}") from error
