"""`sheaf.metadata.v1` over gRPC: translate, delegate, nothing else."""

from dataclasses import dataclass
from typing import Any, Final

import grpc

from sheaf.metadata.v1 import metadata_pb2, metadata_pb2_grpc
from sheaf_common.ids import parse_id
from sheaf_metadata.api import decoding, encoding, idempotency
from sheaf_metadata.api.deletions import DeletionMethods
from sheaf_metadata.api.events import EventMethods
from sheaf_metadata.api.keys import KeyMethods
from sheaf_metadata.domain.claims import MAX_WAIT_S
from sheaf_metadata.domain.documents import counts_of
from sheaf_metadata.domain.fields import ALL_FIELDS, fields_of
from sheaf_metadata.domain.idempotency import KeyAnswered
from sheaf_metadata.service.api_keys import KeyRing
from sheaf_metadata.service.backlog import WatchBacklog
from sheaf_metadata.service.batches import ReadBatches
from sheaf_metadata.service.claims import ClaimDocuments, KeepLeases
from sheaf_metadata.service.control import ControlDocuments
from sheaf_metadata.service.following import FollowEvents
from sheaf_metadata.service.outcomes import EndClaims
from sheaf_metadata.service.reading import ReadDocuments
from sheaf_metadata.service.registration import RegisterBatch
from sheaf_metadata.service.sweeping import KeepHouse

SERVICE_NAME: Final = metadata_pb2.DESCRIPTOR.services_by_name["MetadataService"].full_name

_Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True)
class MetadataServicer(
    idempotency.IdempotencyServicer,
    DeletionMethods,
    EventMethods,
    KeyMethods,
    metadata_pb2_grpc.MetadataServiceServicer,
):
    """See the .proto, for every method."""

    register_batch: RegisterBatch
    reading: ReadDocuments
    batches: ReadBatches
    claim: ClaimDocuments
    leases: KeepLeases
    ending: EndClaims
    control: ControlDocuments
    house: KeepHouse
    backlog: WatchBacklog
    keys: KeyRing
    following: FollowEvents

    def register(self, server: grpc.aio.Server) -> str:
        """Adds this servicer to a server; returns the service's full name."""
        metadata_pb2_grpc.add_MetadataServiceServicer_to_server(self, server)
        return SERVICE_NAME

    async def RegisterBatch(
        self, request: metadata_pb2.RegisterBatchRequest, _context: _Context
    ) -> metadata_pb2.RegisterBatchResponse:
        """See the .proto."""
        new = decoding.new_batch(request, idempotency.outcome(request))
        if request.find_reusable and (found := await self.register_batch.reusable(new)):
            return metadata_pb2.RegisterBatchResponse(reusable=map(encoding.reusable, found))
        try:
            batch, documents = await self.register_batch(new)
        except KeyAnswered as answered:
            return metadata_pb2.RegisterBatchResponse.FromString(answered.registered)
        return metadata_pb2.RegisterBatchResponse(
            batch=encoding.batch(batch, counts_of(documents)),
            documents=[encoding.document(each, ALL_FIELDS) for each in documents],
        )

    async def GetDocument(
        self, request: metadata_pb2.GetDocumentRequest, _context: _Context
    ) -> metadata_pb2.GetDocumentResponse:
        """See the .proto."""
        fields = fields_of(request.read_mask.paths)
        found = await self.reading.document(
            parse_id(request.document_id, "document_id"), fields, _wait_s(request)
        )
        return metadata_pb2.GetDocumentResponse(document=encoding.document(found, fields))

    async def GetBatch(
        self, request: metadata_pb2.GetBatchRequest, _context: _Context
    ) -> metadata_pb2.GetBatchResponse:
        """See the .proto."""
        fields = fields_of(request.read_mask.paths)
        found = await self.batches(parse_id(request.batch_id, "batch_id"), fields, _wait_s(request))
        return encoding.batch_view(found, fields)

    async def GetWorkflow(
        self, request: metadata_pb2.GetWorkflowRequest, _context: _Context
    ) -> metadata_pb2.GetWorkflowResponse:
        """See the .proto."""
        fields = fields_of(request.read_mask.paths)
        found = await self.reading.workflow(request.workflow_id, fields)
        return encoding.workflow_view(found, fields)

    async def ListDocuments(
        self, request: metadata_pb2.ListDocumentsRequest, _context: _Context
    ) -> metadata_pb2.ListDocumentsResponse:
        """See the .proto."""
        fields = fields_of(request.read_mask.paths)
        found, next_page_token = await self.reading.page(
            decoding.list_filter(request), fields, request.page_size, request.page_token
        )
        return metadata_pb2.ListDocumentsResponse(
            documents=[encoding.document(each, fields) for each in found],
            next_page_token=next_page_token,
        )

    async def ClaimDocuments(
        self, request: metadata_pb2.ClaimDocumentsRequest, _context: _Context
    ) -> metadata_pb2.ClaimDocumentsResponse:
        """See the .proto."""
        claimed = await self.claim(decoding.claim_limits(request), _wait_s(request))
        group = None if claimed is None else encoding.group(claimed)
        return metadata_pb2.ClaimDocumentsResponse(group=group)

    async def RenewLease(
        self, request: metadata_pb2.RenewLeaseRequest, _context: _Context
    ) -> metadata_pb2.RenewLeaseResponse:
        """See the .proto."""
        lost = await self.leases.renew(
            request.workflow_id, decoding.attempts(request), decoding.seconds(request.lease_ttl)
        )
        return metadata_pb2.RenewLeaseResponse(lost_document_ids=map(str, lost))

    async def ListExpiredLeases(
        self, request: metadata_pb2.ListExpiredLeasesRequest, _context: _Context
    ) -> metadata_pb2.ListExpiredLeasesResponse:
        """See the .proto."""
        groups = await self.leases.expired(request.max_workflows)
        return metadata_pb2.ListExpiredLeasesResponse(groups=map(encoding.group, groups))

    async def RecordOutcomes(
        self, request: metadata_pb2.RecordOutcomesRequest, _context: _Context
    ) -> metadata_pb2.RecordOutcomesResponse:
        """See the .proto."""
        outcomes = [decoding.outcome(index, each) for index, each in enumerate(request.outcomes)]
        dispositions = await self.ending.record(request.workflow_id, outcomes)
        return metadata_pb2.RecordOutcomesResponse(
            dispositions=[
                metadata_pb2.OutcomeDisposition(
                    document_id=str(outcome.document_id),
                    disposition=encoding.DISPOSITIONS[disposition],
                )
                for outcome, disposition in zip(outcomes, dispositions, strict=True)
            ]
        )

    async def ReleaseClaim(
        self, request: metadata_pb2.ReleaseClaimRequest, _context: _Context
    ) -> metadata_pb2.ReleaseClaimResponse:
        """See the .proto."""
        ids = [parse_id(each, "document_ids") for each in request.document_ids]
        released = await self.ending.release(
            request.workflow_id, ids, decoding.release_cause(request)
        )
        return metadata_pb2.ReleaseClaimResponse(
            requeued_document_ids=map(str, released.requeued),
            quarantined_document_ids=map(str, released.quarantined),
        )

    async def GetPasswords(
        self, request: metadata_pb2.GetPasswordsRequest, _context: _Context
    ) -> metadata_pb2.GetPasswordsResponse:
        """See the .proto."""
        ids = [parse_id(each, "document_ids") for each in request.document_ids]
        found = await self.leases.passwords(request.workflow_id, ids)
        return metadata_pb2.GetPasswordsResponse(
            passwords=[
                metadata_pb2.SealedPassword(document_id=str(document_id), sealed=sealed)
                for document_id, sealed in found.items()
            ]
        )

    async def CancelDocument(
        self, request: metadata_pb2.CancelDocumentRequest, _context: _Context
    ) -> metadata_pb2.CancelDocumentResponse:
        """See the .proto."""
        found = await self.control.cancel(parse_id(request.document_id, "document_id"))
        return metadata_pb2.CancelDocumentResponse(document=encoding.document(found, ALL_FIELDS))

    async def ReprocessDocument(
        self, request: metadata_pb2.ReprocessDocumentRequest, _context: _Context
    ) -> metadata_pb2.ReprocessDocumentResponse:
        """See the .proto."""
        found = await self.control.reprocess(decoding.reprocessing(request))
        return metadata_pb2.ReprocessDocumentResponse(document=encoding.document(found, ALL_FIELDS))

    async def ReplayQuarantined(
        self, request: metadata_pb2.ReplayQuarantinedRequest, _context: _Context
    ) -> metadata_pb2.ReplayQuarantinedResponse:
        """See the .proto."""
        replayed, more = await self.control.replay(
            request.reason, request.product, request.max_documents
        )
        return metadata_pb2.ReplayQuarantinedResponse(document_ids=map(str, replayed), more=more)

    async def GetBacklog(
        self, _request: metadata_pb2.GetBacklogRequest, _context: _Context
    ) -> metadata_pb2.GetBacklogResponse:
        """See the .proto."""
        lanes = await self.backlog.recent()
        return metadata_pb2.GetBacklogResponse(lanes=map(encoding.lane_backlog, lanes))

    async def ListReferences(
        self, request: metadata_pb2.ListReferencesRequest, _context: _Context
    ) -> metadata_pb2.ListReferencesResponse:
        """See the .proto."""
        ids = [parse_id(each, "document_ids") for each in request.document_ids]
        found = await self.house.references(ids)
        return metadata_pb2.ListReferencesResponse(documents=map(encoding.references, found))

    async def PruneEvents(
        self, request: metadata_pb2.PruneEventsRequest, _context: _Context
    ) -> metadata_pb2.PruneEventsResponse:
        """See the .proto."""
        deleted = await self.house.prune_events(
            decoding.seconds(request.min_age), request.max_events
        )
        return metadata_pb2.PruneEventsResponse(deleted=deleted)


_Waiting = (
    metadata_pb2.GetDocumentRequest
    | metadata_pb2.GetBatchRequest
    | metadata_pb2.ClaimDocumentsRequest
)


def _wait_s(request: _Waiting) -> float:
    return min(decoding.seconds(request.wait), MAX_WAIT_S)
