"""What waits in a stack, looked at a few times a second: its orchestrator is asked."""

import asyncio
from collections.abc import Sequence
from typing import Final

import grpc

from sheaf.orchestrator.v1 import orchestrator_pb2, orchestrator_pb2_grpc
from sheaf_dev.bench.load.report import Sample

LOOK_EACH_S: Final = 0.5
"""A look costs the stack about 7 ms CPU, most of it in Temporal and the orchestrator."""
_TIMEOUT_S: Final = 2.0
_LANE: Final = "text"
_QUEUES: Final = ("-workflows", "-cpu")
"""How the names of those task queues end that text documents go through."""


class BacklogLog:
    """Looks, and what they saw. `channel` stays the caller's."""

    def __init__(self, channel: grpc.aio.Channel, token: str, group_max_documents: int) -> None:
        self._stub = orchestrator_pb2_grpc.OrchestratorServiceStub(channel)
        self._metadata = (("authorization", f"Bearer {token}"),)
        self._group_max_documents = group_max_documents
        self.samples: list[Sample] = []
        self.failures: list[str] = []

    async def keep(self) -> None:
        """Looks until it is cancelled; a look that fails is a gap."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            looked = loop.time()
            try:
                backlog = await self._stub.GetBacklog(
                    orchestrator_pb2.GetBacklogRequest(),
                    timeout=_TIMEOUT_S,
                    metadata=self._metadata,
                )
            except grpc.aio.AioRpcError as error:
                self.failures.append(error.code().name)
            else:
                at_s = looked - began
                self.samples.append(sample_of(backlog, at_s, self._group_max_documents))
            await asyncio.sleep(max(0.0, looked + LOOK_EACH_S - loop.time()))


def sample_of(
    backlog: orchestrator_pb2.GetBacklogResponse, at_s: float, group_max_documents: int
) -> Sample:
    """What waits of text documents alone.

    Tasks that Temporal has for them are pending workflows, and so is every group's worth of those
    that are not claimed yet.
    """
    lanes: Sequence[orchestrator_pb2.LaneBacklog] = backlog.lanes
    text = [lane for lane in lanes if lane.lane == _LANE]
    queued = sum(lane.queued_documents for lane in text)
    tasks = sum(
        queue.approximate_count
        for queue in backlog.task_queues
        if queue.task_queue.endswith(_QUEUES)
    )
    return Sample(
        at_s=at_s,
        backlog=queued,
        oldest_queued_s=max(
            (lane.oldest_age.seconds + lane.oldest_age.nanos / 1e9 for lane in text), default=0.0
        ),
        pending_workflows=tasks + queued / group_max_documents,
        in_flight=sum(lane.workflows_in_flight for lane in text),
    )
