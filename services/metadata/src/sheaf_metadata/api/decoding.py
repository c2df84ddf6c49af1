"""From the contract's messages to the domain's nouns."""

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from sheaf.metadata.v1 import document_pb2, metadata_pb2
from sheaf_common import context
from sheaf_common.errors import InvalidInput
from sheaf_common.ids import parse_id
from sheaf_common.telemetry import tracing
from sheaf_metadata.domain.api_keys import ApiKey
from sheaf_metadata.domain.claims import ClaimLimits, DocumentAttempt
from sheaf_metadata.domain.control import Reprocessing
from sheaf_metadata.domain.documents import Lane, Priority, Status
from sheaf_metadata.domain.idempotency import KeyOutcome
from sheaf_metadata.domain.listing import ListFilter
from sheaf_metadata.domain.options import OcrMode, Options
from sheaf_metadata.domain.outcomes import (
    Completed,
    Failed,
    NeedsOcr,
    Outcome,
    Quarantined,
    ReleaseCause,
)
from sheaf_metadata.domain.pages import PageRange
from sheaf_metadata.domain.registration import NewBatch, NewDocument, ReusedResult

STATUSES: Final = MappingProxyType(
    {Status[name.removeprefix("DOCUMENT_STATUS_")]: number
     for name, number in document_pb2.DocumentStatus.items() if number}
)  # fmt: skip
LANES: Final = MappingProxyType(
    {Lane.TEXT: document_pb2.LANE_TEXT, Lane.OCR: document_pb2.LANE_OCR}
)
PRIORITIES: Final = MappingProxyType(
    {
        Priority.LOW: document_pb2.PRIORITY_LOW,
        Priority.NORMAL: document_pb2.PRIORITY_NORMAL,
        Priority.HIGH: document_pb2.PRIORITY_HIGH,
    }
)
OCR_MODES: Final = MappingProxyType(
    {
        OcrMode.AUTO: document_pb2.OCR_MODE_AUTO,
        OcrMode.ALWAYS: document_pb2.OCR_MODE_ALWAYS,
        OcrMode.NEVER: document_pb2.OCR_MODE_NEVER,
    }
)
_OCR_MODE_OF: Final = {
    document_pb2.OCR_MODE_UNSPECIFIED: OcrMode.AUTO,
    **{number: mode for mode, number in OCR_MODES.items()},
}
_STATUS_OF: Final = {number: status for status, number in STATUSES.items()}
_LANE_OF: Final = {number: lane for lane, number in LANES.items()}
_PRIORITY_OF: Final = {
    document_pb2.PRIORITY_UNSPECIFIED: Priority.NORMAL,
    **{number: priority for priority, number in PRIORITIES.items()},
}
_CAUSE_OF: Final = {
    metadata_pb2.RELEASE_CAUSE_NOT_STARTED: ReleaseCause.NOT_STARTED,
    metadata_pb2.RELEASE_CAUSE_WORKER_LOST: ReleaseCause.WORKER_LOST,
}


def new_batch(
    request: metadata_pb2.RegisterBatchRequest, idempotency: KeyOutcome | None
) -> NewBatch:
    """The batch to register, for the call's user and in its trace."""
    priority = _PRIORITY_OF.get(request.priority)
    if priority is None:
        raise _invalid("priority", "is not known")
    return NewBatch(
        batch_id=parse_id(request.batch_id, "batch_id"),
        user_id=context.current_user_id() or "",
        product=request.product,
        priority=priority,
        documents=tuple(
            NewDocument(
                document_id=parse_id(new.document_id, f"documents[{index}].document_id"),
                filename=new.filename,
                content_type=new.content_type,
                size_bytes=new.size_bytes,
                sha256=new.sha256,
                object_key=new.object_key,
                options=options(f"documents[{index}].options", new.options),
                sealed_password=new.sealed_password,
                reused=_reused(f"documents[{index}].reused", new),
            )
            for index, new in enumerate(request.documents)
        ),
        trace=tracing.current(),
        metadata_json=request.metadata_json,
        idempotency=idempotency,
    )


def _reused(place: str, new: metadata_pb2.NewDocument) -> ReusedResult | None:
    if not new.HasField("reused"):
        return None
    source_id = parse_id(new.reused.source_document_id, f"{place}.source_document_id")
    return ReusedResult(source_id, new.reused.source_result_key, new.reused.result_key)


def options(place: str, message: document_pb2.DocumentOptions) -> Options:
    """What is asked of a document; an absent message asks for nothing."""
    mode = _OCR_MODE_OF.get(message.ocr)
    if mode is None:
        raise _invalid(f"{place}.ocr", "is not known")
    pages = tuple(PageRange(each.first, each.last) for each in message.pages)
    return Options(message.words, mode, tuple(message.ocr_languages), pages)


def reprocessing(request: metadata_pb2.ReprocessDocumentRequest) -> Reprocessing:
    """The attempt that is asked for."""
    return Reprocessing(
        document_id=parse_id(request.document_id, "document_id"),
        options=options("options", request.options) if request.HasField("options") else None,
        sealed_password=request.sealed_password,
        after_attempt=request.after_attempt,
    )


def list_filter(request: metadata_pb2.ListDocumentsRequest) -> ListFilter:
    """What to list, of the call's user."""
    status = None
    if request.status:
        status = _STATUS_OF.get(request.status)
        if status is None:
            raise _invalid("status", "is not known")
    return ListFilter(
        user_id=context.current_user_id(),
        status=status,
        product=request.product,
        batch_id=parse_id(request.batch_id, "batch_id") if request.batch_id else None,
        workflow_id=request.workflow_id,
        document_class=request.document_class,
        content_type=request.content_type,
        uploaded_from=_time(request, "uploaded_from"),
        uploaded_before=_time(request, "uploaded_before"),
        parent_id=parse_id(request.parent_id, "parent_id") if request.parent_id else None,
    )


def claim_limits(request: metadata_pb2.ClaimDocumentsRequest) -> ClaimLimits:
    """The bounds of a claim."""
    lane = _LANE_OF.get(request.lane)
    if lane is None:
        raise _invalid("lane", "is not known")
    return ClaimLimits(
        lane=lane,
        max_workflows=request.max_workflows,
        max_documents=request.max_documents,
        max_bytes=request.max_bytes,
        max_work_s=seconds(request.max_work),
        linger_s=seconds(request.linger),
        lease_ttl_s=seconds(request.lease_ttl),
        pipeline_version=request.pipeline_version,
    )


def attempts(request: metadata_pb2.RenewLeaseRequest) -> list[DocumentAttempt]:
    """The documents whose lease is renewed. Progress of others than those is passed over."""
    progress = {each.document_id: (each.pages_done, each.pages_total) for each in request.progress}
    return [
        DocumentAttempt(
            parse_id(document.document_id, f"documents[{index}].document_id"),
            document.attempt,
            progress.get(document.document_id),
        )
        for index, document in enumerate(request.documents)
    ]


def outcome(index: int, message: metadata_pb2.Outcome) -> Outcome:
    """One outcome."""
    return Outcome(
        parse_id(message.document_id, f"outcomes[{index}].document_id"),
        message.attempt,
        _result(index, message),
        message.pipeline_version,
    )


def _result(
    index: int, message: metadata_pb2.Outcome
) -> Completed | Failed | Quarantined | NeedsOcr:
    match message.WhichOneof("outcome"):
        case "completed":
            done = message.completed
            return Completed(
                done.result_key,
                done.page_count,
                done.character_count,
                done.partial,
                done.document_class,
                done.content_type,
                _attachments(f"outcomes[{index}].attachments", done),
            )
        case "failed":
            return Failed(message.failed.reason, message.failed.message)
        case "quarantined":
            return Quarantined(message.quarantined.reason, message.quarantined.message)
        case "needs_ocr":
            return NeedsOcr()
        case _:
            raise _invalid(f"outcomes[{index}].outcome", "is missing")


def _attachments(place: str, done: metadata_pb2.Completed) -> tuple[NewDocument, ...]:
    return tuple(
        NewDocument(
            document_id=parse_id(new.document_id, f"{place}[{index}].document_id"),
            filename=new.filename,
            content_type=new.content_type,
            size_bytes=new.size_bytes,
            sha256=new.sha256,
            object_key=new.object_key,
        )
        for index, new in enumerate(done.attachments)
    )


def release_cause(request: metadata_pb2.ReleaseClaimRequest) -> ReleaseCause:
    """Why documents are released."""
    cause = _CAUSE_OF.get(request.cause)
    if cause is None:
        raise _invalid("cause", "is missing")
    return cause


def api_key(request: metadata_pb2.CreateApiKeyRequest) -> ApiKey:
    """The key to record."""
    return ApiKey(
        key_id=parse_id(request.key_id, "key_id"),
        user_id=request.user_id,
        name=request.name,
        prefix=request.prefix,
        sha256=request.sha256,
        scopes=tuple(request.scopes),
        expires_at=_time(request, "expires_at"),
        rate_limit_per_s=request.rate_limit_per_s,
    )


def seconds(duration: Duration) -> float:
    """A duration in seconds; an absent one is 0."""
    return duration.seconds + duration.nanos / 1e9


def _time(request: Message, field: str) -> datetime | None:
    """A time of a request; None if it is absent."""
    if not request.HasField(field):
        return None
    stamp: Timestamp = getattr(request, field)
    try:
        return stamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise _invalid(field, "is not a time") from None


def _invalid(field: str, problem: str) -> InvalidInput:
    return InvalidInput("FIELD_INVALID", f"{field} {problem}", evidence={"field": field})
