"""What an answer of a subprocess holds; nothing in it is believed before it is checked.

Each function raises ChannelClosed for an answer that is none to its request: the subprocess does
not speak the protocol.
"""

from sheaf_orchestrator.extraction.recognised import Recognised, decode_recognised
from sheaf_orchestrator.extraction.result import AttachedFile, ResultFormatError
from sheaf_orchestrator.extraction.sandbox.channel import ChannelClosed
from sheaf_orchestrator.extraction.sandbox.protocol import Answer, Done, Drawn, Extraction


def extraction_of(answer: Answer, body: bytes) -> Extraction:
    """The answer to ``Request``."""
    if not isinstance(answer, Done):
        raise ChannelClosed("not an answer to an extraction")
    begin, files = answer.result_bytes, []
    for head in answer.attachments:
        content = body[begin : begin + head.size_bytes]
        files.append(
            AttachedFile(filename=head.filename, content=content, content_type=head.content_type)
        )
        begin += head.size_bytes
    if begin != len(body) or min((head.size_bytes for head in answer.attachments), default=0) < 0:
        raise ChannelClosed("sizes that do not fit the body")
    return Extraction(
        result=body[: answer.result_bytes],
        page_count=answer.page_count,
        character_count=answer.character_count,
        partial=answer.partial,
        content_type=answer.content_type,
        ocr_pages=answer.ocr_pages,
        attachments=tuple(files),
        cpu_ms=answer.cpu_ms,
        rss_bytes=answer.rss_bytes,
    )


def recognised_of(answer: Answer, body: bytes) -> Recognised:
    """The answer to ``RecogniseRequest``."""
    if not isinstance(answer, Drawn):
        raise ChannelClosed("not an answer to a recognition")
    try:
        return decode_recognised(body)
    except ResultFormatError as error:
        raise ChannelClosed(str(error)) from error


def picture_of(answer: Answer, body: bytes) -> bytes:
    """The answer to ``ThumbnailRequest``."""
    if not isinstance(answer, Drawn):
        raise ChannelClosed("not an answer to a drawing")
    return body
