"""A document's parts put together: what it held itself, and its recognised pages. Blocks."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import structs

from sheaf_common.errors import DataLoss
from sheaf_orchestrator.domain import DocumentTask, Failed
from sheaf_orchestrator.extraction import (
    Limits,
    Options,
    Recognised,
    ResultFormatError,
    decode_recognised,
    decode_result,
    encode_result,
)
from sheaf_orchestrator.extraction.merging import merge
from sheaf_orchestrator.service.intermediate import decode_base
from sheaf_orchestrator.service.keeping import WholeResult


@dataclass(frozen=True, slots=True)
class Merger:
    """Puts documents together; to be called in a thread."""

    limits: Limits

    def merge(
        self, task: DocumentTask, base: bytes, parts: Sequence[bytes]
    ) -> WholeResult | Failed:
        """The whole document; or why there is nothing in it: no page could be read.

        Raises:
            DataLoss: a part is not what was put.
        """
        kept = decode_base(base)
        try:
            recognised = _with_engine([decode_recognised(part) for part in parts])
            result = decode_result(kept.result)
        except ResultFormatError as error:
            raise DataLoss("INTERMEDIATE_BROKEN", str(error)) from error
        options = Options(words=task.words, ocr=task.ocr, ocr_languages=task.ocr_languages)
        merged = merge(result, recognised, options, self.limits)
        if not merged.character_count and (failure := _failure_of_all(recognised)) is not None:
            return failure
        return WholeResult(
            result=encode_result(merged),
            page_count=merged.page_count,
            character_count=merged.character_count,
            partial=merged.partial,
            content_type=kept.content_type,
            attachments=kept.attachments,
        )


def _with_engine(recognised: Sequence[Recognised]) -> Sequence[Recognised]:
    """The parts; one of which no page was read, and so names no engine, takes that of another."""
    known = next((each.engine for each in recognised if each.engine), "")
    return [each if each.engine else structs.replace(each, engine=known) for each in recognised]


def _failure_of_all(recognised: Sequence[Recognised]) -> Failed | None:
    """The first page's reason, if no page at all could be read."""
    pages = [page for each in recognised for page in each.pages]
    if not pages or not all(page.failed for page in pages):
        return None
    for page in pages:
        for warning in page.warnings:
            return Failed(warning.code, warning.message)
    return Failed("EXTRACTOR_ERROR", "No page of the document could be read.")
