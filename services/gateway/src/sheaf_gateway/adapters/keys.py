"""API keys in the metadata service, as their owners see them."""

from datetime import datetime
from uuid import UUID

from google.protobuf.message import Message

from sheaf.metadata.v1 import metadata_pb2, metadata_pb2_grpc
from sheaf_common.grpc.channel import Peer
from sheaf_gateway.adapters import messages
from sheaf_gateway.adapters.peers import peer_errors
from sheaf_gateway.api_keys import KeyPage, NewKey, RecordedKey

_NAME = "metadata"


class GrpcKeys:
    """The Keys port over a peer."""

    def __init__(self, peer: Peer, timeout_s: float) -> None:
        self._peer = peer
        self._timeout_s = timeout_s
        self._stub: metadata_pb2_grpc.MetadataServiceAsyncStub = (
            metadata_pb2_grpc.MetadataServiceStub(peer.channel)
        )

    async def create(self, key: NewKey) -> None:
        """See the port."""
        request = metadata_pb2.CreateApiKeyRequest(
            key_id=str(key.key_id),
            user_id=key.user_id,
            name=key.name,
            prefix=key.prefix,
            sha256=key.sha256,
            scopes=key.scopes,
            expires_at=messages.timestamp(key.expires_at),
            rate_limit_per_s=key.rate_limit_per_s,
        )
        with peer_errors(_NAME):
            await self._peer.unary(self._stub.CreateApiKey, request, timeout_s=self._timeout_s)

    async def page(self, *, limit: int, cursor: str) -> KeyPage:
        """See the port."""
        request = metadata_pb2.ListApiKeysRequest(page_size=limit, page_token=cursor)
        with peer_errors(_NAME):
            answer = await self._peer.unary(
                self._stub.ListApiKeys, request, timeout_s=self._timeout_s
            )
        return KeyPage(tuple(map(_key, answer.keys)), answer.next_page_token)

    async def revoke(self, key_id: UUID) -> None:
        """See the port."""
        request = metadata_pb2.RevokeApiKeyRequest(key_id=str(key_id))
        with peer_errors(_NAME):
            await self._peer.unary(self._stub.RevokeApiKey, request, timeout_s=self._timeout_s)


def _key(key: metadata_pb2.ApiKey) -> RecordedKey:
    return RecordedKey(
        key.key_id,
        key.name,
        key.prefix,
        tuple(key.scopes),
        _time(key, "created_at"),
        _time(key, "expires_at"),
        _time(key, "revoked_at"),
        _time(key, "last_used_at"),
        key.rate_limit_per_s,
    )


def _time(message: Message, field: str) -> datetime | None:
    return messages.time(getattr(message, field)) if message.HasField(field) else None
