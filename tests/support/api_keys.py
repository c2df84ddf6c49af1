"""API keys of users that a test makes up, recorded as an operator would."""

import hashlib
import secrets
from typing import Any

from pydantic import SecretStr

from sheaf.metadata.v1 import metadata_pb2, metadata_pb2_grpc
from sheaf_common.grpc.channel import grpc_peer
from sheaf_common.grpc.settings import GrpcSettings
from sheaf_common.ids import new_id
from sheaf_dev.stack import Stack


async def recorded_key(stack: Stack, user_id: str, *scopes: str, rate_limit_per_s: int = 0) -> str:
    """A key of that user with these scopes, which works now; 0 is the default rate."""
    key = f"sk_{secrets.token_urlsafe(32)}"
    request = metadata_pb2.CreateApiKeyRequest(
        key_id=str(new_id()),
        user_id=user_id,
        name="made by a test",
        prefix=key[:8],
        sha256=hashlib.sha256(key.encode()).digest(),
        scopes=scopes,
        rate_limit_per_s=rate_limit_per_s,
    )
    settings = GrpcSettings.model_construct(token=SecretStr(stack.env["GRPC_TOKEN"]))
    async with grpc_peer("metadata", stack.address("metadata"), settings) as peer:
        stub: Any = metadata_pb2_grpc.MetadataServiceStub(peer.channel)
        await peer.unary(stub.CreateApiKey, request, timeout_s=10)
    return key
