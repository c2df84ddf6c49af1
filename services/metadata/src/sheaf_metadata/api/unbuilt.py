"""Methods of the contract that nothing answers yet."""

from typing import Any, Never

import grpc

_Context = grpc.aio.ServicerContext[Any, Any]


async def _unimplemented(context: _Context) -> Never:
    await context.abort(grpc.StatusCode.UNIMPLEMENTED, "not built yet")


class Unbuilt:
    """Each is UNIMPLEMENTED."""

    async def ListApiKeys(self, _request: Any, context: _Context) -> Never:
        """See the .proto."""
        await _unimplemented(context)

    async def RevokeApiKey(self, _request: Any, context: _Context) -> Never:
        """See the .proto."""
        await _unimplemented(context)
