"""The methods of the contract that delete."""

from dataclasses import dataclass
from typing import Any

import grpc

from sheaf.metadata.v1 import metadata_pb2
from sheaf_common.ids import parse_id
from sheaf_metadata.service.deletion import DeleteDocuments

_Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True)
class DeletionMethods:
    """See the .proto, for every method."""

    deleting: DeleteDocuments

    async def DeleteDocument(
        self, request: metadata_pb2.DeleteDocumentRequest, _context: _Context
    ) -> metadata_pb2.DeleteDocumentResponse:
        """See the .proto."""
        deleted = await self.deleting.document(parse_id(request.document_id, "document_id"))
        return metadata_pb2.DeleteDocumentResponse(document_ids=map(str, deleted))

    async def DeleteBatch(
        self, request: metadata_pb2.DeleteBatchRequest, _context: _Context
    ) -> metadata_pb2.DeleteBatchResponse:
        """See the .proto."""
        deleted = await self.deleting.batch(parse_id(request.batch_id, "batch_id"))
        return metadata_pb2.DeleteBatchResponse(document_ids=map(str, deleted))

    async def ListDeletions(
        self, request: metadata_pb2.ListDeletionsRequest, _context: _Context
    ) -> metadata_pb2.ListDeletionsResponse:
        """See the .proto."""
        due = await self.deleting.due(request.max_documents)
        return metadata_pb2.ListDeletionsResponse(document_ids=map(str, due))

    async def ConfirmDeletions(
        self, request: metadata_pb2.ConfirmDeletionsRequest, _context: _Context
    ) -> metadata_pb2.ConfirmDeletionsResponse:
        """See the .proto."""
        ids = [parse_id(each, "document_ids") for each in request.document_ids]
        await self.deleting.confirm(ids)
        return metadata_pb2.ConfirmDeletionsResponse()
