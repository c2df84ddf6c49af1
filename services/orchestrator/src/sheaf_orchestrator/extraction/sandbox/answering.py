"""What the subprocess answers to one request, before it is framed. Pure but for the registry.

Whatever a document provokes ends as an answer here, ``Failed`` at worst, unless the subprocess
itself dies of it.
"""

import traceback
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from sheaf_orchestrator.extraction import markdown, types
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.identity import attachment_id
from sheaf_orchestrator.extraction.limits import MIB, Limits
from sheaf_orchestrator.extraction.options import OcrMode
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.recognised import encode_recognised
from sheaf_orchestrator.extraction.result import (
    AttachedFile,
    Attachment,
    Extracted,
    Result,
    ResultWarning,
    encode_result,
)
from sheaf_orchestrator.extraction.sandbox.protocol import (
    FILENAME_CHARACTERS,
    AnyRequest,
    FileHead,
    RecogniseRequest,
    Request,
    ThumbnailRequest,
)
from sheaf_orchestrator.extraction.wanted import only_wanted, ranges_text

_DRAWABLE = types.IMAGES | {types.PDF}


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """An answer without the figures of the work."""

    body: Sequence[bytes]
    """What follows the header, in parts."""
    result: Result | None = None
    """For an extraction only, like the next two."""
    ocr_pages: tuple[int, ...] = ()
    files: tuple[FileHead, ...] = ()


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """There is no answer, for a reason noticed inside."""

    reason: Reason
    message: str


def answer(
    registry: Any, limits: Limits, request: AnyRequest, read: Callable[[], bytearray]
) -> Answered | Refused:
    """Answer the request; ``read`` takes the document off the pipe. Never raises."""
    try:
        content = read()
        content_type: str = registry.detect(content, request.content_type)
        match request:
            case Request():
                return _extract(registry, limits, request, content, content_type)
            case RecogniseRequest():
                recognised = registry.recognise(
                    content, content_type, request.pages, request.options, limits
                )
                return Answered(body=[encode_recognised(recognised)])
            case ThumbnailRequest():
                picture: bytes = registry.thumbnail(
                    content, content_type, request.page, request.width_px, limits
                )
                return Answered(body=[picture])
    except ExtractionError as error:
        return Refused(reason=error.reason, message=error.message)
    except MemoryError:
        message = f"More than {limits.address_space_bytes // MIB} MiB were needed."
        return Refused(reason=Reason.MEMORY_LIMIT, message=message)
    except Exception as error:  # noqa: BLE001 # whatever a document provokes is an outcome
        traceback.print_exc()
        message = f"The extractor failed: {type(error).__name__}."
        return Refused(reason=Reason.EXTRACTOR_ERROR, message=message)


def _extract(
    registry: Any, limits: Limits, request: Request, content: bytearray, content_type: str
) -> Answered:
    extractor = registry.find_extractor(content_type)
    if extractor is None:
        message = f"Documents of type {content_type[:100]} cannot be read."
        raise ExtractionError(Reason.UNSUPPORTED_FORMAT, message)
    extracted: Extracted = extractor(content, request.options, limits)
    if ranges := request.options.pages:
        extracted = only_wanted(extracted, ranges)
    extracted = registry.finish(extracted, limits)
    listed, files, warnings = _attachments(request, extracted.attachments, limits)
    whole, starts = markdown.join_pages(extracted.markdown)
    result = Result(
        document_id=request.document_id,
        attempt=request.attempt,
        content_type=extracted.content_type or content_type,
        size_bytes=len(content),
        sha256=request.sha256,
        page_count=extracted.page_count,
        character_count=sum(page.characters for page in extracted.pages),
        partial=extracted.partial,
        metadata=extracted.metadata,
        pages=extracted.pages,
        outline=extracted.outline,
        warnings=extracted.warnings + warnings,
        unit=extracted.unit,
        markdown=whole,
        markdown_starts=starts,
        fields=extracted.fields,
        attachments=listed,
        pages_wanted=ranges_text(ranges) if ranges else msgspec.UNSET,
    )
    return Answered(
        body=[encode_result(result), *(each.content for each in files)],
        result=result,
        ocr_pages=_ocr_pages(request.options.ocr, content_type, extracted),
        files=tuple(
            FileHead(
                filename=each.filename[:FILENAME_CHARACTERS],
                content_type=each.content_type[:FILENAME_CHARACTERS] if each.content_type else None,
                size_bytes=len(each.content),
            )
            for each in files
        ),
    )


def _ocr_pages(mode: OcrMode, content_type: str, extracted: Extracted) -> tuple[int, ...]:
    """The pages to recognise: what the client asked for, else what the extractor says."""
    if mode is OcrMode.NEVER:
        return ()
    if mode is OcrMode.ALWAYS and content_type in _DRAWABLE:
        return tuple(page.number for page in extracted.pages)
    return tuple(extracted.ocr_pages)


def _attachments(
    request: Request, attached: Sequence[AttachedFile], limits: Limits
) -> tuple[list[Attachment], list[AttachedFile], list[ResultWarning]]:
    """The attachments as the result names them, those that become documents, and warnings."""
    listed: list[Attachment] = []
    files: list[AttachedFile] = []
    left_bytes = limits.attachment_bytes
    refusals: dict[str, str] = {}
    for each in attached:
        size, identity = len(each.content), None
        if not size:
            refusals["ATTACHMENT_EMPTY"] = "An attached file has no content."
        elif request.depth >= limits.attachment_depth:
            refusals["ATTACHMENT_DEPTH"] = (
                f"Attached files are not read: the document lies {request.depth} deep in others."
            )
        elif len(files) >= limits.attachments or size > left_bytes:
            refusals["ATTACHMENT_LIMIT"] = (
                "Some attached files are not read: there are too many, or they are too large."
            )
        else:
            identity = _identity(request, len(files), each.content)
            files.append(each)
            left_bytes -= size
        listed.append(
            Attachment(
                filename=each.filename,
                size_bytes=size,
                content_type=each.content_type,
                document_id=identity,
            )
        )
    warnings = [ResultWarning(code=code, message=message) for code, message in refusals.items()]
    return listed, files, warnings


def _identity(request: Request, index: int, content: bytes) -> str | None:
    """The id of an attached file; None where documents have no ids to derive it from.

    That is outside the service, where nothing becomes a document.
    """
    try:
        return attachment_id(request.document_id, index, sha256(content).hexdigest())
    except ValueError:
        return None
