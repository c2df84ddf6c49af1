"""The metadata service's messages as the gateway's nouns, and back."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from sheaf.metadata.v1 import document_pb2, metadata_pb2
from sheaf_gateway.domain.documents import Columns, Document, DocumentStatus
from sheaf_gateway.domain.registration import CopiedResult, NewBatch, Reusable
from sheaf_gateway.domain.uploads import AcceptedFile
from sheaf_gateway.idempotency import KeyOutcome
from sheaf_gateway.options import OcrMode, Options, Priority
from sheaf_gateway.pages import PageRange

_PATHS: Final = {"reason": "error_code", "reason_detail": "error_message"}
"""Columns that have another name there."""
_UNSPECIFIED: Final = document_pb2.DOCUMENT_STATUS_UNSPECIFIED
_STATUS: Final = {
    number: DocumentStatus(name.removeprefix("DOCUMENT_STATUS_").lower())
    for name, number in document_pb2.DocumentStatus.items()
    if number != _UNSPECIFIED
}
_STATUS_NUMBER: Final = {status: number for number, status in _STATUS.items()}
_PRIORITY: Final = {
    document_pb2.PRIORITY_LOW: Priority.LOW,
    document_pb2.PRIORITY_NORMAL: Priority.NORMAL,
    document_pb2.PRIORITY_HIGH: Priority.HIGH,
}
_PRIORITY_NUMBER: Final = {priority: number for number, priority in _PRIORITY.items()}
_OCR: Final = {
    document_pb2.OCR_MODE_AUTO: OcrMode.AUTO,
    document_pb2.OCR_MODE_ALWAYS: OcrMode.ALWAYS,
    document_pb2.OCR_MODE_NEVER: OcrMode.NEVER,
}
_OCR_NUMBER: Final = {mode: number for number, mode in _OCR.items()}


def status_number(status: DocumentStatus | None) -> document_pb2.DocumentStatus.ValueType:
    """A status; None means any."""
    return _UNSPECIFIED if status is None else _STATUS_NUMBER[status]


def status(number: document_pb2.DocumentStatus.ValueType) -> DocumentStatus | None:
    """A status; None for one that was not set."""
    return _STATUS[number] if number else None


def mask(columns: Columns) -> FieldMask:
    """The columns as metadata names them, and the id."""
    return FieldMask(paths=sorted(_PATHS.get(each, each) for each in columns | {"document_id"}))


def counts(items: Iterable[document_pb2.StatusCount]) -> dict[DocumentStatus, int]:
    """How many documents are in each status."""
    return {_STATUS[item.status]: item.count for item in items}


def registration(batch: NewBatch) -> metadata_pb2.RegisterBatchRequest:
    """A batch to be registered."""
    asked = options_message(batch.options)
    return metadata_pb2.RegisterBatchRequest(
        batch_id=str(batch.batch_id),
        product=batch.product,
        priority=_PRIORITY_NUMBER[batch.priority],
        documents=[_new_document(batch, file, asked) for file in batch.files],
        metadata_json=batch.metadata_json,
        idempotency=_key_outcome(batch.idempotency),
        find_reusable=batch.find_reusable,
    )


def _new_document(
    batch: NewBatch, file: AcceptedFile, asked: document_pb2.DocumentOptions
) -> metadata_pb2.NewDocument:
    return metadata_pb2.NewDocument(
        document_id=str(file.document_id),
        filename=file.filename,
        content_type=file.stored.content_type,
        size_bytes=file.stored.size_bytes,
        sha256=file.stored.sha256,
        object_key=file.stored.key,
        options=asked,
        sealed_password=batch.sealed_passwords.get(file.document_id, b""),
        reused=_reused(batch.copies.get(file.document_id)),
    )


def _reused(copied: CopiedResult | None) -> metadata_pb2.ReusedResult | None:
    if copied is None:
        return None
    return metadata_pb2.ReusedResult(
        source_document_id=str(copied.source_id),
        source_result_key=copied.source_result_key,
        result_key=copied.result_key,
    )


def reusable(message: metadata_pb2.ReusableResult) -> Reusable:
    """A result that can be copied."""
    return Reusable(
        UUID(message.document_id), UUID(message.source_document_id), message.source_result_key
    )


def _key_outcome(outcome: KeyOutcome | None) -> metadata_pb2.IdempotentOutcome | None:
    if outcome is None:
        return None
    return metadata_pb2.IdempotentOutcome(
        idempotency_key=outcome.held.key,
        holder_id=str(outcome.held.holder_id),
        fingerprint=outcome.fingerprint,
        answer=outcome.answer,
    )


def options_message(options: Options) -> document_pb2.DocumentOptions:
    """What is asked of an extraction."""
    return document_pb2.DocumentOptions(
        words=options.words,
        ocr=_OCR_NUMBER[options.ocr],
        ocr_languages=options.ocr_languages,
        pages=[document_pb2.PageRange(first=each.first, last=each.last) for each in options.pages],
    )


def document(message: document_pb2.Document) -> Document:
    """A document, or the columns of it that were read."""
    return Document(
        document_id=message.document_id,
        batch_id=message.batch_id,
        parent_id=message.parent_id,
        depth=message.depth,
        workflow_id=message.workflow_id,
        product=message.product,
        priority=_PRIORITY.get(message.priority, Priority.NORMAL),
        options=Options(
            message.options.words,
            _OCR.get(message.options.ocr, OcrMode.AUTO),
            tuple(message.options.ocr_languages),
            tuple(PageRange(each.first, each.last) for each in message.options.pages),
        ),
        metadata_json=message.metadata_json,
        filename=message.filename,
        status=status(message.status),
        attempt=message.attempt,
        content_type=message.content_type,
        size_bytes=message.size_bytes,
        sha256=message.sha256,
        object_key=message.object_key,
        result_key=message.result_key,
        page_count=message.page_count,
        character_count=message.character_count,
        pages_done=message.pages_done,
        pages_total=message.pages_total,
        document_class=message.document_class,
        partial=message.partial,
        duplicate_of=message.duplicate_of,
        reason=message.error_code,
        reason_detail=message.error_message,
        uploaded_at=time(message.uploaded_at),
        started_at=time(message.started_at),
        finished_at=time(message.finished_at),
    )


def time(stamp: Timestamp) -> datetime | None:
    """The time in UTC; None for one that was not set."""
    return stamp.ToDatetime(tzinfo=UTC) if stamp.seconds or stamp.nanos else None


def timestamp(moment: datetime | None) -> Timestamp | None:
    """A time as it is sent."""
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def duration(seconds: float) -> Duration | None:
    """Seconds as they are sent; none for 0."""
    if not seconds:
        return None
    length = Duration()
    length.FromMilliseconds(round(seconds * 1000))
    return length
