"""The methods of `sheaf.metadata.v1` that are about API keys."""

from datetime import datetime
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from sheaf.metadata.v1 import metadata_pb2
from sheaf_common.ids import parse_id
from sheaf_metadata.api import decoding, encoding
from sheaf_metadata.domain.api_keys import KeyRecord
from sheaf_metadata.service.api_keys import KeyRing

_Context = grpc.aio.ServicerContext[Any, Any]


class KeyMethods:
    """A part of the servicer, which has `keys`."""

    keys: KeyRing

    async def CreateApiKey(
        self, request: metadata_pb2.CreateApiKeyRequest, _context: _Context
    ) -> metadata_pb2.CreateApiKeyResponse:
        """See the .proto."""
        key_id = await self.keys.create(decoding.api_key(request))
        return metadata_pb2.CreateApiKeyResponse(key_id=str(key_id))

    async def ListApiKeys(
        self, request: metadata_pb2.ListApiKeysRequest, _context: _Context
    ) -> metadata_pb2.ListApiKeysResponse:
        """See the .proto."""
        found, next_page_token = await self.keys.page(request.page_size, request.page_token)
        return metadata_pb2.ListApiKeysResponse(
            keys=map(_key, found), next_page_token=next_page_token
        )

    async def RevokeApiKey(
        self, request: metadata_pb2.RevokeApiKeyRequest, _context: _Context
    ) -> metadata_pb2.RevokeApiKeyResponse:
        """See the .proto."""
        revoked = await self.keys.revoke(parse_id(request.key_id, "key_id"))
        return metadata_pb2.RevokeApiKeyResponse(key=_key(revoked))

    async def ResolveApiKey(
        self, request: metadata_pb2.ResolveApiKeyRequest, _context: _Context
    ) -> metadata_pb2.ResolveApiKeyResponse:
        """See the .proto."""
        owner = await self.keys.resolve(request.sha256)
        return metadata_pb2.ResolveApiKeyResponse(
            key_id=str(owner.key_id),
            user_id=owner.user_id,
            scopes=owner.scopes,
            expires_at=_time(owner.expires_at),
            rate_limit_per_s=owner.rate_limit_per_s,
        )


def _key(key: KeyRecord) -> metadata_pb2.ApiKey:
    return metadata_pb2.ApiKey(
        key_id=str(key.key_id),
        name=key.name,
        prefix=key.prefix,
        scopes=key.scopes,
        created_at=_time(key.created_at),
        expires_at=_time(key.expires_at),
        revoked_at=_time(key.revoked_at),
        last_used_at=_time(key.last_used_at),
        rate_limit_per_s=key.rate_limit_per_s,
    )


def _time(moment: datetime | None) -> Timestamp | None:
    return None if moment is None else encoding.timestamp(moment)
