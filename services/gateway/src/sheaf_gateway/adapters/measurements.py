"""What the peers measure, over gRPC."""

from typing import Final

from sheaf.orchestrator.v1 import orchestrator_pb2, orchestrator_pb2_grpc
from sheaf_common.errors import Unavailable
from sheaf_common.grpc.channel import Peer
from sheaf_common.grpc.telemetry import ask_recent
from sheaf_common.telemetry.measured import Recent
from sheaf_gateway.adapters.peers import peer_errors
from sheaf_gateway.ports.measurements import Backlog, MeasuredService

_TEXT: Final = "text"
_OF_TEXT: Final = frozenset({"workflows", "cpu"})


class GrpcMeasurements:
    """The Measurements port over the three peers."""

    def __init__(self, storage: Peer, metadata: Peer, orchestrator: Peer) -> None:
        self._peers: dict[MeasuredService, Peer] = {
            "storage": storage,
            "metadata": metadata,
            "orchestrator": orchestrator,
        }
        self._stub: orchestrator_pb2_grpc.OrchestratorServiceAsyncStub = (
            orchestrator_pb2_grpc.OrchestratorServiceStub(orchestrator.channel)
        )

    async def recent(
        self, service: MeasuredService, window_s: float, *, timeout_s: float
    ) -> Recent:
        """See the port."""
        with peer_errors(service):
            return await ask_recent(self._peers[service], window_s, timeout_s=timeout_s)

    async def backlog(self, *, timeout_s: float) -> Backlog:
        """See the port."""
        with peer_errors("orchestrator"):
            answer = await self._peers["orchestrator"].unary(
                self._stub.GetBacklog, orchestrator_pb2.GetBacklogRequest(), timeout_s=timeout_s
            )
        text = next((lane for lane in answer.lanes if lane.lane == _TEXT), None)
        if text is None or text.group_max_documents < 1:
            raise Unavailable(
                "PEER_TOO_OLD", "the orchestrator does not say what a group may hold",
                evidence={"peer": "orchestrator"},
            )  # fmt: skip
        return Backlog(
            text.queued_documents,
            text.group_max_documents,
            sum(
                queue.approximate_count for queue in answer.task_queues if queue.purpose in _OF_TEXT
            ),
        )
