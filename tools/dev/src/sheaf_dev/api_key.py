"""Makes the stack's API key known to the metadata service."""

import asyncio
import hashlib

import grpc

from sheaf.metadata.v1 import metadata_pb2, metadata_pb2_grpc
from sheaf_common.ids import new_id
from sheaf_dev.errors import DevError, NotReadyError
from sheaf_dev.probes import grpc_serving, local_channel

USER_ID = "developer"
_NAME = "embedded stack"
_PREFIX_CHARACTERS = 7
_SCOPES = ("documents:read", "documents:write", "ops", "keys")
_RATE_LIMIT_PER_S = 100_000  # more than a load test can ask
_TIMEOUT_S = 10.0
_POLL_S = 1.0


async def served(metadata_port: int) -> None:
    """Waits, for as long as it takes, until a metadata service that is run by hand serves."""
    while True:
        try:
            await grpc_serving(metadata_port)
        except NotReadyError:
            await asyncio.sleep(_POLL_S)
        else:
            return


async def register(metadata_port: int, token: str, key: str, *, user_id: str = USER_ID) -> None:
    """Records the key of a user by its hash. Idempotent; the key itself is not sent.

    A key of an older stack gets the scopes that it lacks.

    Raises:
        DevError: if the metadata service does not record it.
    """
    request = metadata_pb2.CreateApiKeyRequest(
        key_id=str(new_id()),
        user_id=user_id,
        name=_NAME,
        prefix=key[:_PREFIX_CHARACTERS],
        sha256=hashlib.sha256(key.encode()).digest(),
        scopes=list(_SCOPES),
        rate_limit_per_s=_RATE_LIMIT_PER_S,
    )
    async with local_channel(metadata_port) as channel:
        stub = metadata_pb2_grpc.MetadataServiceStub(channel)
        try:
            await stub.CreateApiKey(
                request,
                timeout=_TIMEOUT_S,
                metadata=(("authorization", f"Bearer {token}"),),
            )
        except grpc.aio.AioRpcError as error:
            raise DevError(
                f"metadata did not record the API key: {error.code().name} {error.details()}"
            ) from error
