"""The intake and the references, over the metadata service's gRPC API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration

from sheaf.metadata.v1 import document_pb2, metadata_pb2, metadata_pb2_grpc
from sheaf_common.grpc.channel import Peer
from sheaf_orchestrator.domain import (
    PIPELINE_VERSION,
    Attachment,
    Completed,
    Disposition,
    DocumentReferences,
    DocumentTask,
    Failed,
    Group,
    GroupLimits,
    Lane,
    LaneBacklog,
    NeedsOcr,
    Outcome,
    Progress,
    Quarantined,
    ReleaseCause,
)
from sheaf_orchestrator.extraction import OcrMode

_CALL_S: Final = 5.0
_SWEEP_CALL_S: Final = 30.0
_EVENTS_A_CALL: Final = 5000

_LANES: Final = {Lane.TEXT: document_pb2.LANE_TEXT, Lane.OCR: document_pb2.LANE_OCR}
_LANE_OF: Final = {value: lane for lane, value in _LANES.items()}
_OCR_MODES: Final = {
    document_pb2.OCR_MODE_ALWAYS: OcrMode.ALWAYS,
    document_pb2.OCR_MODE_NEVER: OcrMode.NEVER,
}
_CAUSES: Final = {
    ReleaseCause.NOT_STARTED: metadata_pb2.RELEASE_CAUSE_NOT_STARTED,
    ReleaseCause.WORKER_LOST: metadata_pb2.RELEASE_CAUSE_WORKER_LOST,
}
_DISPOSITIONS: Final = {
    metadata_pb2.DISPOSITION_RECORDED: Disposition.RECORDED,
    metadata_pb2.DISPOSITION_ALREADY_RECORDED: Disposition.ALREADY_RECORDED,
    metadata_pb2.DISPOSITION_SUPERSEDED: Disposition.SUPERSEDED,
}
_TERMINAL: Final = frozenset(
    {
        document_pb2.DOCUMENT_STATUS_COMPLETED,
        document_pb2.DOCUMENT_STATUS_FAILED,
        document_pb2.DOCUMENT_STATUS_QUARANTINED,
        document_pb2.DOCUMENT_STATUS_CANCELLED,
    }
)


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromTimedelta(timedelta(seconds=seconds))
    return duration


@dataclass(frozen=True, slots=True)
class MetadataIntake:
    """`Intake` over gRPC; `lease_ttl_s` is how long a lease lasts unless renewed."""

    peer: Peer
    stub: "metadata_pb2_grpc.MetadataServiceAsyncStub"
    lease_ttl_s: float

    async def claim(self, lane: Lane, limits: GroupLimits, *, wait_s: float) -> Group | None:
        """See `Intake`."""
        answer = await self.peer.unary(
            self.stub.ClaimDocuments,
            metadata_pb2.ClaimDocumentsRequest(
                lane=_LANES[lane],
                max_workflows=limits.max_workflows,
                max_documents=limits.max_documents,
                max_bytes=limits.max_bytes,
                max_work=_duration(limits.max_work_s),
                linger=_duration(limits.linger_s),
                lease_ttl=_duration(self.lease_ttl_s),
                wait=_duration(wait_s),
                pipeline_version=PIPELINE_VERSION,
            ),
            timeout_s=wait_s + _CALL_S,
        )
        return _group(answer.group) if answer.HasField("group") else None

    async def renew(
        self,
        workflow_id: str,
        tasks: Sequence[DocumentTask],
        progress: Sequence[Progress] = (),
    ) -> frozenset[str]:
        """See `Intake`."""
        answer = await self.peer.unary(
            self.stub.RenewLease,
            metadata_pb2.RenewLeaseRequest(
                workflow_id=workflow_id,
                documents=[
                    metadata_pb2.DocumentAttempt(document_id=task.document_id, attempt=task.attempt)
                    for task in tasks
                ],
                lease_ttl=_duration(self.lease_ttl_s),
                progress=[
                    metadata_pb2.DocumentProgress(
                        document_id=each.document_id,
                        pages_done=each.pages_done,
                        pages_total=each.pages_total,
                    )
                    for each in progress
                ],
            ),
            timeout_s=_CALL_S,
        )
        return frozenset(answer.lost_document_ids)

    async def expired(self, *, limit: int) -> Sequence[Group]:
        """See `Intake`."""
        answer = await self.peer.unary(
            self.stub.ListExpiredLeases,
            metadata_pb2.ListExpiredLeasesRequest(max_workflows=limit),
            timeout_s=_CALL_S,
        )
        return [_group(group) for group in answer.groups]

    async def record(
        self, workflow_id: str, outcomes: Sequence[Outcome]
    ) -> Mapping[str, Disposition]:
        """See `Intake`."""
        answer = await self.peer.unary(
            self.stub.RecordOutcomes,
            metadata_pb2.RecordOutcomesRequest(
                workflow_id=workflow_id, outcomes=[_outcome(outcome) for outcome in outcomes]
            ),
            timeout_s=_CALL_S,
        )
        return {item.document_id: _DISPOSITIONS[item.disposition] for item in answer.dispositions}

    async def release(
        self, workflow_id: str, document_ids: Sequence[str], cause: ReleaseCause
    ) -> None:
        """See `Intake`."""
        await self.peer.unary(
            self.stub.ReleaseClaim,
            metadata_pb2.ReleaseClaimRequest(
                workflow_id=workflow_id, document_ids=document_ids, cause=_CAUSES[cause]
            ),
            timeout_s=_CALL_S,
        )


@dataclass(frozen=True, slots=True)
class MetadataPasswords:
    """`SealedPasswords` over gRPC."""

    peer: Peer
    stub: "metadata_pb2_grpc.MetadataServiceAsyncStub"

    async def of(self, workflow_id: str, document_id: str) -> bytes | None:
        """See `SealedPasswords`."""
        answer = await self.peer.unary(
            self.stub.GetPasswords,
            metadata_pb2.GetPasswordsRequest(workflow_id=workflow_id, document_ids=[document_id]),
            timeout_s=_CALL_S,
        )
        for password in answer.passwords:
            if password.document_id == document_id:
                return password.sealed
        return None


@dataclass(frozen=True, slots=True)
class MetadataReferences:
    """`References` over gRPC."""

    peer: Peer
    stub: "metadata_pb2_grpc.MetadataServiceAsyncStub"

    async def of(self, document_ids: Sequence[str]) -> Mapping[str, DocumentReferences]:
        """See `References`."""
        answer = await self.peer.unary(
            self.stub.ListReferences,
            metadata_pb2.ListReferencesRequest(document_ids=document_ids),
            timeout_s=_SWEEP_CALL_S,
        )
        return {
            row.document_id: DocumentReferences(
                document_id=row.document_id,
                terminal=row.status in _TERMINAL,
                keys=frozenset(filter(None, (row.object_key, row.result_key))),
            )
            for row in answer.documents
        }

    async def prune_events(self, *, min_age_s: float) -> int:
        """See `References`."""
        answer = await self.peer.unary(
            self.stub.PruneEvents,
            metadata_pb2.PruneEventsRequest(
                min_age=_duration(min_age_s), max_events=_EVENTS_A_CALL
            ),
            timeout_s=_SWEEP_CALL_S,
        )
        return answer.deleted


@dataclass(frozen=True, slots=True)
class MetadataDeletions:
    """`DueDeletions` over gRPC."""

    peer: Peer
    stub: "metadata_pb2_grpc.MetadataServiceAsyncStub"

    async def due(self, limit: int) -> Sequence[str]:
        """See `DueDeletions`."""
        request = metadata_pb2.ListDeletionsRequest(max_documents=limit)
        answer = await self.peer.unary(self.stub.ListDeletions, request, timeout_s=_CALL_S)
        return tuple(answer.document_ids)

    async def confirm(self, document_ids: Sequence[str]) -> None:
        """See `DueDeletions`."""
        request = metadata_pb2.ConfirmDeletionsRequest(document_ids=document_ids)
        await self.peer.unary(self.stub.ConfirmDeletions, request, timeout_s=_CALL_S)


@dataclass(frozen=True, slots=True)
class MetadataBacklog:
    """`IntakeBacklog` over gRPC."""

    peer: Peer
    stub: "metadata_pb2_grpc.MetadataServiceAsyncStub"

    async def lanes(self) -> Sequence[LaneBacklog]:
        """See `IntakeBacklog`."""
        answer = await self.peer.unary(
            self.stub.GetBacklog, metadata_pb2.GetBacklogRequest(), timeout_s=_CALL_S
        )
        return [
            LaneBacklog(
                lane=_LANE_OF[lane.lane],
                queued_documents=lane.queued_documents,
                oldest_age_s=lane.oldest_age.ToTimedelta().total_seconds(),
                workflows_in_flight=lane.workflows_in_flight,
            )
            for lane in answer.lanes
        ]


def _group(group: metadata_pb2.ClaimedGroup) -> Group:
    return Group(
        workflow_id=group.workflow_id,
        lane=_LANE_OF[group.lane],
        documents=tuple(
            DocumentTask(
                document_id=document.document_id,
                attempt=document.attempt,
                dispatches=document.dispatches,
                object_key=document.object_key,
                content_type=document.content_type,
                size_bytes=document.size_bytes,
                sha256=document.sha256.hex(),
                filename=document.filename,
                words=document.options.words,
                ocr=_OCR_MODES.get(document.options.ocr, OcrMode.AUTO),
                ocr_languages=tuple(document.options.ocr_languages),
                has_password=document.has_password,
                depth=document.depth,
                traceparent=document.traceparent,
                pages=tuple((each.first, each.last) for each in document.options.pages),
            )
            for document in group.documents
        ),
    )


def _outcome(outcome: Outcome) -> metadata_pb2.Outcome:
    message = metadata_pb2.Outcome(
        document_id=outcome.document_id,
        attempt=outcome.attempt,
        pipeline_version=PIPELINE_VERSION,
    )
    match outcome.result:
        case Completed() as done:
            message.completed.result_key = done.result_key
            message.completed.page_count = done.page_count
            message.completed.character_count = done.character_count
            message.completed.partial = done.partial
            message.completed.content_type = done.content_type
            message.completed.attachments.extend(map(_attachment, done.attachments))
        case Failed(reason, text):
            message.failed.reason = reason
            message.failed.message = text
        case Quarantined(reason, text):
            message.quarantined.reason = reason
            message.quarantined.message = text
        case NeedsOcr():
            message.needs_ocr.SetInParent()
    return message


def _attachment(attachment: Attachment) -> metadata_pb2.Attachment:
    return metadata_pb2.Attachment(
        document_id=attachment.document_id,
        filename=attachment.filename,
        content_type=attachment.content_type,
        size_bytes=attachment.size_bytes,
        sha256=bytes.fromhex(attachment.sha256),
        object_key=attachment.object_key,
    )
