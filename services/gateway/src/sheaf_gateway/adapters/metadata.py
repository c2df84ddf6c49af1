"""Documents and API keys in the metadata service, over gRPC."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from sheaf.metadata.v1 import metadata_pb2, metadata_pb2_grpc
from sheaf_common.grpc.channel import Peer
from sheaf_gateway.adapters import messages
from sheaf_gateway.adapters.peers import peer_errors
from sheaf_gateway.domain.access import KeyOwner
from sheaf_gateway.domain.documents import Batch, Columns, Document, Workflow
from sheaf_gateway.domain.listing import DocumentPage, ListFilter
from sheaf_gateway.domain.registration import NewBatch, Registered
from sheaf_gateway.domain.replaying import Replay, Replayed
from sheaf_gateway.options import Options

_NAME: Final = "metadata"


class GrpcRecords:
    """The Records and KeyDirectory ports over a peer."""

    def __init__(self, peer: Peer, timeout_s: float) -> None:
        self._peer = peer
        self._timeout_s = timeout_s
        self._stub: metadata_pb2_grpc.MetadataServiceAsyncStub = (
            metadata_pb2_grpc.MetadataServiceStub(peer.channel)
        )

    async def register(self, batch: NewBatch, *, timeout_s: float) -> Registered:
        """See the port."""
        request = messages.registration(batch)
        with peer_errors(_NAME):
            answer = await self._peer.unary(self._stub.RegisterBatch, request, timeout_s=timeout_s)
        return Registered(
            tuple(messages.document(document) for document in answer.documents),
            tuple(messages.reusable(each) for each in answer.reusable),
        )

    async def document(self, document_id: UUID, columns: Columns, *, wait_s: float = 0) -> Document:
        """See the port."""
        request = metadata_pb2.GetDocumentRequest(
            document_id=str(document_id),
            read_mask=messages.mask(columns),
            wait=messages.duration(wait_s),
        )
        with peer_errors(_NAME):
            answer = await self._peer.unary(
                self._stub.GetDocument, request, timeout_s=self._timeout_s + wait_s
            )
        return messages.document(answer.document)

    async def batch(self, batch_id: UUID, columns: Columns, *, wait_s: float = 0) -> Batch:
        """See the port."""
        request = metadata_pb2.GetBatchRequest(
            batch_id=str(batch_id), read_mask=messages.mask(columns), wait=messages.duration(wait_s)
        )
        with peer_errors(_NAME):
            answer = await self._peer.unary(
                self._stub.GetBatch, request, timeout_s=self._timeout_s + wait_s
            )
        batch = answer.batch
        return Batch(
            batch_id=batch.batch_id,
            product=batch.product,
            counts=messages.counts(batch.counts),
            created_at=messages.time(batch.created_at),
            finished_at=messages.time(batch.finished_at),
            documents=tuple(
                replace(messages.document(document), metadata_json=batch.metadata_json)
                for document in answer.documents
            ),
        )

    async def workflow(self, workflow_id: str, columns: Columns) -> Workflow:
        """See the port."""
        request = metadata_pb2.GetWorkflowRequest(
            workflow_id=workflow_id, read_mask=messages.mask(columns)
        )
        with peer_errors(_NAME):
            answer = await self._peer.unary(
                self._stub.GetWorkflow, request, timeout_s=self._timeout_s
            )
        return Workflow(
            workflow_id=answer.workflow.workflow_id,
            counts=messages.counts(answer.workflow.counts),
            documents=tuple(messages.document(document) for document in answer.documents),
        )

    async def documents(
        self, wanted: ListFilter, columns: Columns, *, limit: int, cursor: str
    ) -> DocumentPage:
        """See the port."""
        request = metadata_pb2.ListDocumentsRequest(
            status=messages.status_number(wanted.status),
            product=wanted.product,
            batch_id="" if wanted.batch_id is None else str(wanted.batch_id),
            workflow_id=wanted.workflow_id,
            document_class=wanted.document_class,
            content_type=wanted.content_type,
            uploaded_from=messages.timestamp(wanted.uploaded_from),
            uploaded_before=messages.timestamp(wanted.uploaded_before),
            parent_id="" if wanted.parent_id is None else str(wanted.parent_id),
            page_size=limit,
            page_token=cursor,
            read_mask=messages.mask(columns),
        )
        with peer_errors(_NAME):
            answer = await self._peer.unary(
                self._stub.ListDocuments, request, timeout_s=self._timeout_s
            )
        return DocumentPage(
            tuple(messages.document(document) for document in answer.documents),
            answer.next_page_token,
        )

    async def cancel(self, document_id: UUID) -> Document:
        """See the port."""
        request = metadata_pb2.CancelDocumentRequest(document_id=str(document_id))
        with peer_errors(_NAME):
            answer = await self._peer.unary(
                self._stub.CancelDocument, request, timeout_s=self._timeout_s
            )
        return messages.document(answer.document)

    async def reprocess(
        self,
        document_id: UUID,
        options: Options | None,
        sealed_password: bytes,
        *,
        after_attempt: int,
    ) -> Document:
        """See the port."""
        request = metadata_pb2.ReprocessDocumentRequest(
            document_id=str(document_id),
            options=None if options is None else messages.options_message(options),
            sealed_password=sealed_password,
            after_attempt=after_attempt,
        )
        with peer_errors(_NAME):
            answer = await self._peer.unary(
                self._stub.ReprocessDocument, request, timeout_s=self._timeout_s
            )
        return messages.document(answer.document)

    async def delete(self, document_id: UUID) -> Sequence[str]:
        """See the port."""
        request = metadata_pb2.DeleteDocumentRequest(document_id=str(document_id))
        with peer_errors(_NAME):
            answer = await self._peer.unary(
                self._stub.DeleteDocument, request, timeout_s=self._timeout_s
            )
        return tuple(answer.document_ids)

    async def delete_batch(self, batch_id: UUID) -> Sequence[str]:
        """See the port."""
        request = metadata_pb2.DeleteBatchRequest(batch_id=str(batch_id))
        with peer_errors(_NAME):
            answer = await self._peer.unary(
                self._stub.DeleteBatch, request, timeout_s=self._timeout_s
            )
        return tuple(answer.document_ids)

    async def confirm_deleted(self, document_ids: Sequence[str], *, timeout_s: float) -> None:
        """See the port."""
        request = metadata_pb2.ConfirmDeletionsRequest(document_ids=document_ids)
        with peer_errors(_NAME):
            await self._peer.unary(self._stub.ConfirmDeletions, request, timeout_s=timeout_s)

    async def replay(self, wanted: Replay) -> Replayed:
        """See the port."""
        request = metadata_pb2.ReplayQuarantinedRequest(
            reason=wanted.reason, product=wanted.product, max_documents=wanted.limit
        )
        with peer_errors(_NAME):
            answer = await self._peer.unary(
                self._stub.ReplayQuarantined, request, timeout_s=self._timeout_s
            )
        return Replayed(tuple(answer.document_ids), answer.more)

    async def resolve(self, sha256: bytes) -> KeyOwner:
        """See the port."""
        with peer_errors(_NAME):
            answer = await self._peer.unary(
                self._stub.ResolveApiKey,
                metadata_pb2.ResolveApiKeyRequest(sha256=sha256),
                timeout_s=self._timeout_s,
            )
        expires_at = messages.time(answer.expires_at) if answer.HasField("expires_at") else None
        return KeyOwner(
            answer.user_id, frozenset(answer.scopes), expires_at, answer.rate_limit_per_s
        )
