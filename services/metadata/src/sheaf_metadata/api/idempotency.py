"""Idempotency keys over gRPC; what `Registrations` keeps of a batch under one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import grpc

from sheaf.metadata.v1 import document_pb2, metadata_pb2
from sheaf_common import context
from sheaf_common.ids import parse_id
from sheaf_metadata.api import decoding, encoding
from sheaf_metadata.domain.documents import Batch, Document
from sheaf_metadata.domain.idempotency import HeldKey, KeyOutcome
from sheaf_metadata.service.idempotency import KeepIdempotency

_KEPT: Final = ("document_id", "duplicate_of", "status")
"""Columns of documents that an answer is made of, besides what its caller keeps itself."""

_Context = grpc.aio.ServicerContext[Any, Any]
_HolderRequest = (
    metadata_pb2.BeginIdempotentRequest
    | metadata_pb2.RenewIdempotentRequest
    | metadata_pb2.AbandonIdempotentRequest
    | metadata_pb2.IdempotentOutcome
)


@dataclass(frozen=True)
class IdempotencyServicer:
    """See the .proto, for every method."""

    idempotency: KeepIdempotency

    async def BeginIdempotent(
        self, request: metadata_pb2.BeginIdempotentRequest, _context: _Context
    ) -> metadata_pb2.BeginIdempotentResponse:
        """See the .proto."""
        found = await self.idempotency.begin(_held(request), decoding.seconds(request.lease_ttl))
        if found is None:
            return metadata_pb2.BeginIdempotentResponse()
        return metadata_pb2.BeginIdempotentResponse(
            answered=metadata_pb2.IdempotentAnswer(
                fingerprint=found.fingerprint,
                answer=found.answer,
                registered=metadata_pb2.RegisterBatchResponse.FromString(found.registered),
            )
        )

    async def RenewIdempotent(
        self, request: metadata_pb2.RenewIdempotentRequest, _context: _Context
    ) -> metadata_pb2.RenewIdempotentResponse:
        """See the .proto."""
        await self.idempotency.renew(_held(request), decoding.seconds(request.lease_ttl))
        return metadata_pb2.RenewIdempotentResponse()

    async def AbandonIdempotent(
        self, request: metadata_pb2.AbandonIdempotentRequest, _context: _Context
    ) -> metadata_pb2.AbandonIdempotentResponse:
        """See the .proto."""
        await self.idempotency.abandon(_held(request))
        return metadata_pb2.AbandonIdempotentResponse()


def outcome(request: metadata_pb2.RegisterBatchRequest) -> KeyOutcome | None:
    """How the work on the request's key ends; None if it has none."""
    if not request.HasField("idempotency"):
        return None
    message = request.idempotency
    return KeyOutcome(_held(message), message.fingerprint, message.answer)


def registered(batch: Batch, documents: Sequence[Document]) -> bytes:
    """What is kept of a batch under its key: a RegisterBatchResponse with little in it."""
    kept = metadata_pb2.RegisterBatchResponse(
        batch=document_pb2.Batch(batch_id=str(batch.batch_id)),
        documents=[encoding.document(each, _KEPT) for each in documents],
    )
    return kept.SerializeToString()


def _held(request: _HolderRequest) -> HeldKey:
    return HeldKey(
        context.current_user_id() or "",
        request.idempotency_key,
        parse_id(request.holder_id, "holder_id"),
    )
