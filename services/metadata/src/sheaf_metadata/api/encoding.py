"""From the domain's nouns to the contract's messages."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from sheaf.metadata.v1 import document_pb2, metadata_pb2
from sheaf_metadata.api.decoding import LANES, OCR_MODES, PRIORITIES, STATUSES
from sheaf_metadata.domain.claims import ClaimedGroup
from sheaf_metadata.domain.documents import (
    Batch,
    BatchView,
    Document,
    DocumentReferences,
    LaneBacklog,
    Status,
    WorkflowView,
)
from sheaf_metadata.domain.fields import Fields
from sheaf_metadata.domain.options import Options
from sheaf_metadata.domain.outcomes import Disposition
from sheaf_metadata.domain.reusing import Reusable

DISPOSITIONS: Final = MappingProxyType(
    {
        Disposition.RECORDED: metadata_pb2.DISPOSITION_RECORDED,
        Disposition.ALREADY_RECORDED: metadata_pb2.DISPOSITION_ALREADY_RECORDED,
        Disposition.SUPERSEDED: metadata_pb2.DISPOSITION_SUPERSEDED,
    }
)


def timestamp(moment: datetime) -> Timestamp:
    """An aware time as a message."""
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def duration(seconds: float) -> Duration:
    """Seconds as a message."""
    message = Duration()
    message.FromTimedelta(timedelta(seconds=seconds))
    return message


def options(asked: Options) -> document_pb2.DocumentOptions:
    """What is asked of a document."""
    return document_pb2.DocumentOptions(
        words=asked.words,
        ocr=OCR_MODES[asked.ocr],
        ocr_languages=asked.ocr_languages,
        pages=[document_pb2.PageRange(first=each.first, last=each.last) for each in asked.pages],
    )


_WRITERS: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "document_id": str,
        "batch_id": str,
        "parent_id": str,
        "duplicate_of": str,
        "status": STATUSES.__getitem__,
        "lane": LANES.__getitem__,
        "priority": PRIORITIES.__getitem__,
        "uploaded_at": timestamp,
        "started_at": timestamp,
        "finished_at": timestamp,
        "options": options,
    }
)


def document(found: Document, fields: Fields) -> document_pb2.Document:
    """Those fields of a document."""
    values: dict[str, Any] = {}
    for field in fields:
        value = getattr(found, field)
        if value is not None:
            writer = _WRITERS.get(field)
            values[field] = value if writer is None else writer(value)
    return document_pb2.Document(**values)


def reusable(found: Reusable) -> metadata_pb2.ReusableResult:
    """A result that can be copied."""
    return metadata_pb2.ReusableResult(
        document_id=str(found.document_id),
        source_document_id=str(found.source_id),
        source_result_key=found.source_result_key,
    )


def batch(found: Batch, counts: Mapping[Status, int]) -> document_pb2.Batch:
    """A batch with how many documents are in each status."""
    return document_pb2.Batch(
        batch_id=str(found.batch_id),
        user_id=found.user_id,
        product=found.product,
        document_count=found.document_count,
        counts=_status_counts(counts),
        created_at=timestamp(found.created_at),
        finished_at=None if found.finished_at is None else timestamp(found.finished_at),
    )


def batch_view(found: BatchView, fields: Fields) -> metadata_pb2.GetBatchResponse:
    """A batch with those fields of its documents; what is written on them is said once.

    Each of thousands may have 4 KiB of it, all the same.
    """
    answer = metadata_pb2.GetBatchResponse(
        batch=batch(found.batch, found.counts),
        documents=[document(each, _without_metadata(fields)) for each in found.documents],
    )
    answer.batch.metadata_json = next((each.metadata_json for each in found.documents), "")
    return answer


def _without_metadata(fields: Fields) -> Fields:
    return tuple(field for field in fields if field != "metadata_json")


def workflow_view(found: WorkflowView, fields: Fields) -> metadata_pb2.GetWorkflowResponse:
    """A workflow with those fields of its documents."""
    return metadata_pb2.GetWorkflowResponse(
        workflow=document_pb2.Workflow(
            workflow_id=found.workflow_id,
            document_count=len(found.documents),
            counts=_status_counts(found.counts),
        ),
        documents=[document(each, fields) for each in found.documents],
    )


def _status_counts(counts: Mapping[Status, int]) -> list[document_pb2.StatusCount]:
    return [
        document_pb2.StatusCount(status=number, count=counts[status])
        for status, number in STATUSES.items()
        if counts.get(status)
    ]


def group(claimed: ClaimedGroup) -> metadata_pb2.ClaimedGroup:
    """A claimed group."""
    return metadata_pb2.ClaimedGroup(
        workflow_id=claimed.workflow_id,
        lane=LANES[claimed.lane],
        documents=[
            metadata_pb2.ClaimedDocument(
                document_id=str(each.document_id),
                attempt=each.attempt,
                dispatches=each.dispatches,
                object_key=each.object_key,
                content_type=each.content_type,
                size_bytes=each.size_bytes,
                sha256=each.sha256,
                filename=each.filename,
                options=options(each.options),
                has_password=each.has_password,
                depth=each.depth,
                traceparent="" if each.trace is None else str(each.trace),
            )
            for each in claimed.documents
        ],
    )


def lane_backlog(backlog: LaneBacklog) -> metadata_pb2.LaneBacklog:
    """What waits in a lane."""
    return metadata_pb2.LaneBacklog(
        lane=LANES[backlog.lane],
        queued_documents=backlog.queued_documents,
        oldest_age=duration(backlog.oldest_age_s),
        workflows_in_flight=backlog.workflows_in_flight,
        drained_per_second=backlog.drained_per_second,
    )


def references(found: DocumentReferences) -> metadata_pb2.DocumentReferences:
    """What a document refers to."""
    return metadata_pb2.DocumentReferences(
        document_id=str(found.document_id),
        status=STATUSES[found.status],
        object_key=found.object_key,
        result_key=found.result_key,
        workflow_id=found.workflow_id,
    )
