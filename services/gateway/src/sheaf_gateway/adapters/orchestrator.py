"""Pages drawn by the orchestrator, over gRPC."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import grpc
import structlog

from sheaf.orchestrator.v1 import orchestrator_pb2, orchestrator_pb2_grpc
from sheaf_common.errors import InternalError, Unavailable
from sheaf_common.grpc.channel import Peer
from sheaf_gateway.adapters.peers import peer_errors
from sheaf_gateway.domain.documents import Document

log = structlog.get_logger()

_NAME: Final = "orchestrator"
_WRONG_ROLE: Final = "ROLE_DOES_NOT_EXTRACT"


class GrpcPageRenderer:
    """The PageRenderer port over a peer, which is called for nothing else."""

    def __init__(self, peer: Peer, timeout_s: float) -> None:
        self._peer = peer
        self._timeout_s = timeout_s
        self._stub: orchestrator_pb2_grpc.OrchestratorServiceAsyncStub = (
            orchestrator_pb2_grpc.OrchestratorServiceStub(peer.channel)
        )

    async def thumbnail(self, document: Document, page: int, width_px: int) -> bytes:
        """See the port."""
        request = orchestrator_pb2.RenderThumbnailRequest(
            document_id=document.document_id,
            object_key=document.object_key,
            content_type=document.content_type,
            size_bytes=document.size_bytes,
            sha256=document.sha256,
            page=page,
            width_px=width_px,
        )
        with peer_errors(_NAME), _misdirected():
            answer = await self._peer.unary(
                self._stub.RenderThumbnail, request, timeout_s=self._timeout_s
            )
        return answer.content


@contextmanager
def _misdirected() -> Iterator[None]:
    """A peer that cannot draw is another service, a role that extracts nothing, or too old."""
    try:
        yield
    except (InternalError, Unavailable) as error:
        cause = error.__cause__
        is_without_call = (
            isinstance(cause, grpc.aio.AioRpcError)
            and cause.code() is grpc.StatusCode.UNIMPLEMENTED
        )
        if not is_without_call and error.reason != _WRONG_ROLE:
            raise
        log.error("ORCHESTRATOR_ADDRESS names what cannot draw pages")  # noqa: TRY400
        raise Unavailable(
            "PEER_UNAVAILABLE", f"{_NAME} cannot be used", evidence={"peer": _NAME}
        ) from error
