"""What the gateway asks of its peers' measurements, over real gRPC."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from sheaf.orchestrator.v1 import orchestrator_pb2, orchestrator_pb2_grpc
from sheaf_common.errors import DeadlineExceeded, Unavailable
from sheaf_common.grpc.channel import grpc_peer
from sheaf_common.grpc.server import grpc_server
from sheaf_common.grpc.settings import GrpcSettings
from sheaf_gateway.adapters.measurements import GrpcMeasurements
from sheaf_gateway.ports.measurements import Backlog
from sheaf_gateway.service.kpis import KpiService

SETTINGS = GrpcSettings.model_construct(token=None, max_call_s=30.0)
NOWHERE = "127.0.0.1:1"

Answering = Callable[[], Awaitable[orchestrator_pb2.GetBacklogResponse]]


class Orchestrator:
    """Answers for its backlog as it is told; nothing else is asked of it."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    def __getattr__(self, name: str) -> Any:
        """Every method of the contract."""
        if not name[0].isupper():
            raise AttributeError(name)
        return self._answer

    async def _answer(self, request: Any, context: Any) -> Any:
        return await self._answering()

    def register(self, server: grpc.aio.Server) -> str:
        """Adds itself."""
        servicer: Any = self
        orchestrator_pb2_grpc.add_OrchestratorServiceServicer_to_server(servicer, server)
        return "sheaf.orchestrator.v1.OrchestratorService"


@asynccontextmanager
async def measurements(answering: Answering) -> AsyncIterator[GrpcMeasurements]:
    """One server is orchestrator and metadata; storage is not there."""
    async with (
        grpc_server("127.0.0.1", 0, SETTINGS, Orchestrator(answering).register) as server,
        grpc_peer("peer", f"127.0.0.1:{server.port}", SETTINGS) as there,
        grpc_peer("storage", NOWHERE, SETTINGS) as away,
    ):
        yield GrpcMeasurements(away, there, there)


def backlog(*, group_max_documents: int) -> orchestrator_pb2.GetBacklogResponse:
    """Work in both lanes and in every task queue."""
    return orchestrator_pb2.GetBacklogResponse(
        lanes=[
            orchestrator_pb2.LaneBacklog(lane="ocr", queued_documents=50, group_max_documents=1),
            orchestrator_pb2.LaneBacklog(
                lane="text", queued_documents=10, group_max_documents=group_max_documents
            ),
        ],
        task_queues=[
            orchestrator_pb2.TaskQueueBacklog(purpose=purpose, approximate_count=count)
            for purpose, count in (("workflows", 1), ("cpu", 2), ("ocr", 100), ("io", 1000))
        ],
    )


async def test_pending_work_is_that_of_the_text_lane() -> None:
    """Tasks of workflows and of text groups; recognition and sweeps are not among it."""

    async def answer() -> orchestrator_pb2.GetBacklogResponse:
        return backlog(group_max_documents=64)

    async with measurements(answer) as asked:
        assert await asked.backlog(timeout_s=5) == Backlog(10, 64, 3)


async def test_an_orchestrator_that_is_too_old_is_named() -> None:
    """One that does not say how many documents a group may have."""

    async def answer() -> orchestrator_pb2.GetBacklogResponse:
        return backlog(group_max_documents=0)

    async with measurements(answer) as asked:
        with pytest.raises(Unavailable) as refused:
            await asked.backlog(timeout_s=5)
    assert refused.value.reason == "PEER_TOO_OLD"


async def test_neither_a_dead_nor_a_silent_peer_keeps_an_answer_back() -> None:
    """What did not answer in 2 s is named with its reason; what did is there."""

    async def hang() -> orchestrator_pb2.GetBacklogResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with measurements(hang) as asked:
        own = await asked.recent("metadata", 60, timeout_s=5)
        began = time.monotonic()
        report = await KpiService(lambda _: own, asked).report(60)
        took_s = time.monotonic() - began

    assert {part.part: part.reason for part in report.unavailable} == {
        "storage": "PEER_UNAVAILABLE",
        "backlog": "CALL_TIMEOUT",
    }
    assert took_s < 8
    with pytest.raises(DeadlineExceeded):
        async with measurements(hang) as asked:
            await asked.backlog(timeout_s=0.05)
