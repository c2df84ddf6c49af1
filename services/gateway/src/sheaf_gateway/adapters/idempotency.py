"""Idempotency keys in the metadata service, over gRPC."""

from typing import Final

from sheaf.metadata.v1 import metadata_pb2, metadata_pb2_grpc
from sheaf_common.grpc.channel import Peer
from sheaf_gateway.adapters import messages
from sheaf_gateway.adapters.peers import peer_errors
from sheaf_gateway.idempotency import HeldKey
from sheaf_gateway.ports.idempotency import KeyAnswer

_NAME: Final = "metadata"
_ABANDON_S: Final = 3.0
"""A client waits for its error meanwhile, and the lease runs out in any case."""


class GrpcIdempotencyKeys:
    """The IdempotencyKeys port over a peer."""

    def __init__(self, peer: Peer, timeout_s: float) -> None:
        self._peer = peer
        self._timeout_s = timeout_s
        self._stub: metadata_pb2_grpc.MetadataServiceAsyncStub = (
            metadata_pb2_grpc.MetadataServiceStub(peer.channel)
        )

    async def begin(self, held: HeldKey, lease_ttl_s: float) -> KeyAnswer | None:
        """See the port."""
        request = metadata_pb2.BeginIdempotentRequest(
            idempotency_key=held.key,
            holder_id=str(held.holder_id),
            lease_ttl=messages.duration(lease_ttl_s),
        )
        with peer_errors(_NAME):
            answer = await self._peer.unary(
                self._stub.BeginIdempotent, request, timeout_s=self._timeout_s
            )
        if not answer.HasField("answered"):
            return None
        first = answer.answered
        return KeyAnswer(
            first.fingerprint,
            first.answer,
            tuple(messages.document(each) for each in first.registered.documents),
        )

    async def renew(self, held: HeldKey, lease_ttl_s: float) -> None:
        """See the port."""
        request = metadata_pb2.RenewIdempotentRequest(
            idempotency_key=held.key,
            holder_id=str(held.holder_id),
            lease_ttl=messages.duration(lease_ttl_s),
        )
        with peer_errors(_NAME):
            await self._peer.unary(
                self._stub.RenewIdempotent, request, timeout_s=min(self._timeout_s, lease_ttl_s / 3)
            )

    async def abandon(self, held: HeldKey) -> None:
        """See the port."""
        request = metadata_pb2.AbandonIdempotentRequest(
            idempotency_key=held.key, holder_id=str(held.holder_id)
        )
        with peer_errors(_NAME):
            await self._peer.unary(
                self._stub.AbandonIdempotent, request, timeout_s=min(self._timeout_s, _ABANDON_S)
            )
