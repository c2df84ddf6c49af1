"""Methods of the contract that nothing answers yet."""

from typing import Any, Never

import grpc

_Context = grpc.aio.ServicerContext[Any, Any]


async def _unimplemented(context: _Context) -> Never:
    await context.abort(grpc.StatusCode.UNIMPLEMENTED, "not built yet")


class Unbuilt:
    """Each is UNIMPLEMENTED."""

    async def BeginIdempotent(self, _request: Any, context: _Context) -> Never:
        """See the .proto."""
        await _unimplemented(context)

    async def RenewIdempotent(self, _request: Any, context: _Context) -> Never:
        """See the .proto."""
        await _unimplemented(context)

    async def AbandonIdempotent(self, _request: Any, context: _Context) -> Never:
        """See the .proto."""
        await _unimplemented(context)

    async def DeleteDocument(self, _request: Any, context: _Context) -> Never:
        """See the .proto."""
        await _unimplemented(context)

    async def DeleteBatch(self, _request: Any, context: _Context) -> Never:
        """See the .proto."""
        await _unimplemented(context)

    async def ListDeletions(self, _request: Any, context: _Context) -> Never:
        """See the .proto."""
        await _unimplemented(context)

    async def ConfirmDeletions(self, _request: Any, context: _Context) -> Never:
        """See the .proto."""
        await _unimplemented(context)

    async def PollEvents(self, _request: Any, context: _Context) -> Never:
        """See the .proto."""
        await _unimplemented(context)

    async def ListEvents(self, _request: Any, context: _Context) -> Never:
        """See the .proto."""
        await _unimplemented(context)
