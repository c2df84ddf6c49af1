"""What waits, as the metadata service tells it."""

from collections.abc import Sequence
from typing import Final

from sheaf.metadata.v1 import document_pb2, metadata_pb2, metadata_pb2_grpc
from sheaf_common.grpc.channel import Peer
from sheaf_gateway.adapters.peers import peer_errors
from sheaf_gateway.backlog import LaneQueue

_LANES: Final = {document_pb2.LANE_TEXT: "text", document_pb2.LANE_OCR: "ocr"}


class GrpcIntakeQueue:
    """The IntakeQueue port over a peer."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._stub: metadata_pb2_grpc.MetadataServiceAsyncStub = (
            metadata_pb2_grpc.MetadataServiceStub(peer.channel)
        )

    async def lanes(self, *, timeout_s: float) -> Sequence[LaneQueue]:
        """See the port. A lane that this version does not know is left out."""
        with peer_errors("metadata"):
            answer = await self._peer.unary(
                self._stub.GetBacklog, metadata_pb2.GetBacklogRequest(), timeout_s=timeout_s
            )
        return [
            LaneQueue(
                _LANES[each.lane],
                each.queued_documents,
                each.oldest_age.ToTimedelta().total_seconds(),
                each.drained_per_second,
            )
            for each in answer.lanes
            if each.lane in _LANES
        ]
