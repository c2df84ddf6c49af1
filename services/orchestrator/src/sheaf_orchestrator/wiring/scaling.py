"""The composition of the scaler, the one role that works on no document."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sheaf.metadata.v1 import metadata_pb2_grpc
from sheaf_common.grpc.channel import grpc_peer
from sheaf_common.grpc.health import publish_dependency_health
from sheaf_common.grpc.server import GrpcServer, grpc_server
from sheaf_common.lifecycle import Lifecycle
from sheaf_common.telemetry.metrics import metrics_endpoint
from sheaf_orchestrator.adapters.metadata import MetadataBacklog
from sheaf_orchestrator.adapters.scaling_metrics import PrometheusScalingObserver
from sheaf_orchestrator.adapters.worker_processes import LocalWorkers, WorkerPlan
from sheaf_orchestrator.service.scaler import Scaler
from sheaf_orchestrator.settings import OrchestratorSettings
from sheaf_orchestrator.wiring.requiring import require

_CLOSING_S: Final = 2.0
"""Of its grace, what the scaler keeps for itself when its workers have drained."""


@asynccontextmanager
async def scaler(settings: OrchestratorSettings, lifecycle: Lifecycle) -> AsyncIterator[GrpcServer]:
    """A scaler with its workers, for as long as the block runs.

    It needs nothing but metadata, and goes on while that is down. At the end no further worker
    is started, then all drain, then its own servers close.
    """
    server, scaling = settings.server, settings.scaling
    plan = WorkerPlan(
        server.host,
        scaling.extract_processes,
        scaling.first_port,
        max(1.0, settings.process.shutdown_grace_s - _CLOSING_S),
    )
    async with (
        metrics_endpoint(server.host, server.metrics_port),
        grpc_peer("metadata", server.metadata_address, settings.grpc) as metadata,
        grpc_server(server.host, server.port, settings.grpc) as listening,
        LocalWorkers(plan) as workers,
    ):

        async def ask_metadata() -> None:
            await require(metadata)

        stub = metadata_pb2_grpc.MetadataServiceStub(metadata.channel)
        scaling_by_load = Scaler(
            scaling.rule(),
            MetadataBacklog(metadata, stub),
            workers,
            PrometheusScalingObserver(),
            scaling.look_s,
        )
        health = publish_dependency_health(listening.health, {"metadata": ask_metadata})
        async with (
            lifecycle.background("dependency health", health),
            lifecycle.background("scaler", scaling_by_load.run()),
        ):
            yield listening
