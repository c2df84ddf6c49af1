"""Documents and API keys in the metadata service, over gRPC."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from sheaf.metadata.v1 import document_pb2, metadata_pb2, metadata_pb2_grpc
from sheaf_common.grpc.channel import Peer
from sheaf_gateway.adapters.peers import peer_errors
from sheaf_gateway.domain import (
    AcceptedFile,
    Batch,
    Columns,
    Document,
    DocumentPage,
    DocumentStatus,
    KeyOwner,
    ListFilter,
    Workflow,
)

_NAME: Final = "metadata"
_PATHS: Final = {"reason": "error_code", "reason_detail": "error_message"}
"""Columns that have another name there."""
_UNSPECIFIED: Final = document_pb2.DOCUMENT_STATUS_UNSPECIFIED
_PREFIX: Final = "DOCUMENT_STATUS_"
_STATUS: Final = {
    number: DocumentStatus(name.removeprefix(_PREFIX).lower())
    for name, number in document_pb2.DocumentStatus.items()
    if number != _UNSPECIFIED
}
_STATUS_NUMBER: Final = {status: number for number, status in _STATUS.items()}


class GrpcRecords:
    """The Records and KeyDirectory ports over a peer."""

    def __init__(self, peer: Peer, timeout_s: float) -> None:
        self._peer = peer
        self._timeout_s = timeout_s
        self._stub: metadata_pb2_grpc.MetadataServiceAsyncStub = (
            metadata_pb2_grpc.MetadataServiceStub(peer.channel)
        )

    async def register(
        self, batch_id: UUID, product: str, files: Sequence[AcceptedFile], *, timeout_s: float
    ) -> tuple[Document, ...]:
        """See the port."""
        request = metadata_pb2.RegisterBatchRequest(
            batch_id=str(batch_id),
            product=product,
            documents=[
                metadata_pb2.NewDocument(
                    document_id=str(file.document_id),
                    filename=file.filename,
                    content_type=file.stored.content_type,
                    size_bytes=file.stored.size_bytes,
                    sha256=file.stored.sha256,
                    object_key=file.stored.key,
                )
                for file in files
            ],
        )
        with peer_errors(_NAME):
            answer = await self._peer.unary(self._stub.RegisterBatch, request, timeout_s=timeout_s)
        return tuple(_document(document) for document in answer.documents)

    async def document(self, document_id: UUID, columns: Columns, *, wait_s: float = 0) -> Document:
        """See the port."""
        request = metadata_pb2.GetDocumentRequest(
            document_id=str(document_id), read_mask=_mask(columns), wait=_duration(wait_s)
        )
        with peer_errors(_NAME):
            answer = await self._peer.unary(
                self._stub.GetDocument, request, timeout_s=self._timeout_s + wait_s
            )
        return _document(answer.document)

    async def batch(self, batch_id: UUID, columns: Columns, *, wait_s: float = 0) -> Batch:
        """See the port."""
        request = metadata_pb2.GetBatchRequest(
            batch_id=str(batch_id), read_mask=_mask(columns), wait=_duration(wait_s)
        )
        with peer_errors(_NAME):
            answer = await self._peer.unary(
                self._stub.GetBatch, request, timeout_s=self._timeout_s + wait_s
            )
        batch = answer.batch
        return Batch(
            batch_id=batch.batch_id,
            product=batch.product,
            counts=_counts(batch.counts),
            created_at=_time(batch.created_at),
            finished_at=_time(batch.finished_at),
            documents=tuple(_document(document) for document in answer.documents),
        )

    async def workflow(self, workflow_id: str, columns: Columns) -> Workflow:
        """See the port."""
        request = metadata_pb2.GetWorkflowRequest(workflow_id=workflow_id, read_mask=_mask(columns))
        with peer_errors(_NAME):
            answer = await self._peer.unary(
                self._stub.GetWorkflow, request, timeout_s=self._timeout_s
            )
        return Workflow(
            workflow_id=answer.workflow.workflow_id,
            counts=_counts(answer.workflow.counts),
            documents=tuple(_document(document) for document in answer.documents),
        )

    async def documents(
        self, wanted: ListFilter, columns: Columns, *, limit: int, cursor: str
    ) -> DocumentPage:
        """See the port."""
        request = metadata_pb2.ListDocumentsRequest(
            status=_UNSPECIFIED if wanted.status is None else _STATUS_NUMBER[wanted.status],
            product=wanted.product,
            batch_id="" if wanted.batch_id is None else str(wanted.batch_id),
            workflow_id=wanted.workflow_id,
            document_class=wanted.document_class,
            content_type=wanted.content_type,
            uploaded_from=_timestamp(wanted.uploaded_from),
            uploaded_before=_timestamp(wanted.uploaded_before),
            page_size=limit,
            page_token=cursor,
            read_mask=_mask(columns),
        )
        with peer_errors(_NAME):
            answer = await self._peer.unary(
                self._stub.ListDocuments, request, timeout_s=self._timeout_s
            )
        return DocumentPage(
            tuple(_document(document) for document in answer.documents), answer.next_page_token
        )

    async def resolve(self, sha256: bytes) -> KeyOwner:
        """See the port."""
        with peer_errors(_NAME):
            answer = await self._peer.unary(
                self._stub.ResolveApiKey,
                metadata_pb2.ResolveApiKeyRequest(sha256=sha256),
                timeout_s=self._timeout_s,
            )
        expires_at = _time(answer.expires_at) if answer.HasField("expires_at") else None
        return KeyOwner(answer.user_id, frozenset(answer.scopes), expires_at)


def _mask(columns: Columns) -> FieldMask:
    """The columns as metadata names them, and the id."""
    return FieldMask(paths=sorted(_PATHS.get(each, each) for each in columns | {"document_id"}))


def _counts(counts: Iterable[document_pb2.StatusCount]) -> dict[DocumentStatus, int]:
    return {_STATUS[item.status]: item.count for item in counts}


def _document(message: document_pb2.Document) -> Document:
    return Document(
        document_id=message.document_id,
        batch_id=message.batch_id,
        workflow_id=message.workflow_id,
        product=message.product,
        filename=message.filename,
        status=_STATUS[message.status] if message.status else None,
        attempt=message.attempt,
        content_type=message.content_type,
        size_bytes=message.size_bytes,
        sha256=message.sha256,
        object_key=message.object_key,
        result_key=message.result_key,
        page_count=message.page_count,
        character_count=message.character_count,
        document_class=message.document_class,
        partial=message.partial,
        reason=message.error_code,
        reason_detail=message.error_message,
        uploaded_at=_time(message.uploaded_at),
        started_at=_time(message.started_at),
        finished_at=_time(message.finished_at),
    )


def _time(stamp: Timestamp) -> datetime | None:
    """The time in UTC; None for one that was not set."""
    return stamp.ToDatetime(tzinfo=UTC) if stamp.seconds or stamp.nanos else None


def _timestamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def _duration(seconds: float) -> Duration | None:
    if not seconds:
        return None
    duration = Duration()
    duration.FromMilliseconds(round(seconds * 1000))
    return duration
