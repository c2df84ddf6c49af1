"""The composition root: what each role of the orchestrator is made of."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from temporalio.client import Client

from sheaf.metadata.v1 import metadata_pb2_grpc
from sheaf.storage.v1 import storage_pb2_grpc
from sheaf_common.errors import Unavailable
from sheaf_common.grpc.channel import Peer, grpc_peer
from sheaf_common.grpc.health import is_serving, publish_dependency_health
from sheaf_common.grpc.server import GrpcServer, grpc_server
from sheaf_common.lifecycle import Lifecycle
from sheaf_common.memory import ByteBudget
from sheaf_common.telemetry.metrics import metrics_endpoint
from sheaf_orchestrator.adapters.metadata import MetadataBacklog, MetadataIntake, MetadataReferences
from sheaf_orchestrator.adapters.metrics import PrometheusObserver, SandboxCollector
from sheaf_orchestrator.adapters.sandbox import SandboxExtractor
from sheaf_orchestrator.adapters.storage import StorageListing, StorageObjects
from sheaf_orchestrator.adapters.temporal import (
    TemporalEngine,
    TemporalOperations,
    connect,
    temporal_runtime,
)
from sheaf_orchestrator.adapters.workers import cpu_worker, io_worker, workflow_worker
from sheaf_orchestrator.api.activities import ProcessingActivities, SweepActivities
from sheaf_orchestrator.api.servicer import OrchestratorServicer
from sheaf_orchestrator.domain import Lane
from sheaf_orchestrator.extraction import ExtractionPool
from sheaf_orchestrator.service.dispatcher import Dispatcher
from sheaf_orchestrator.service.leases import LeaseKeeper
from sheaf_orchestrator.service.processing import GroupProcessor, ProcessingLimits
from sheaf_orchestrator.service.sweeper import Sweeper
from sheaf_orchestrator.settings import OrchestratorSettings, Role


@dataclass(frozen=True, slots=True)
class _Parts:
    """What every role shares."""

    settings: OrchestratorSettings
    lifecycle: Lifecycle
    client: Client
    storage: Peer
    metadata: Peer
    observer: PrometheusObserver

    @property
    def intake(self) -> MetadataIntake:
        """The queue of accepted documents."""
        stub = metadata_pb2_grpc.MetadataServiceStub(self.metadata.channel)
        return MetadataIntake(self.metadata, stub, self.settings.dispatch.lease_ttl_s)

    async def on_fatal_error(self, failure: BaseException) -> None:
        """A Temporal worker cannot go on: the process stops, to be started again."""
        self.lifecycle.fail(failure)

    @property
    def operations(self) -> TemporalOperations:
        """What is asked of Temporal besides running workflows."""
        return TemporalOperations(self.client, self.settings.temporal.queues)


@asynccontextmanager
async def orchestrator(
    settings: OrchestratorSettings, role: Role, lifecycle: Lifecycle
) -> AsyncIterator[GrpcServer]:
    """One orchestrator process in the given role, for as long as the block runs.

    Stops in reverse: first no new work is taken, then what runs is finished or released,
    then connections close.
    """
    async with AsyncExitStack() as stack:
        server, temporal = settings.server, settings.temporal
        await stack.enter_async_context(metrics_endpoint(server.host, server.metrics_port))
        storage = await stack.enter_async_context(
            grpc_peer("storage", server.storage_address, settings.grpc)
        )
        metadata = await stack.enter_async_context(
            grpc_peer("metadata", server.metadata_address, settings.grpc)
        )
        client = await connect(temporal, temporal_runtime(server.host, temporal.metrics_port))
        parts = _Parts(settings, lifecycle, client, storage, metadata, PrometheusObserver())
        listening = await stack.enter_async_context(_server(parts))
        if role in ("all", "workflow"):
            await stack.enter_async_context(workflow_worker(client, temporal, parts.on_fatal_error))
        if role in ("all", "io"):
            await _run_io(stack, parts)
        if role in ("all", "cpu"):
            await _run_cpu(stack, parts)
        if role in ("all", "dispatcher"):
            await _run_dispatcher(stack, parts)
        yield listening


@asynccontextmanager
async def _server(parts: _Parts) -> AsyncIterator[GrpcServer]:
    server = parts.settings.server
    servicer = OrchestratorServicer(
        MetadataBacklog(
            parts.metadata, metadata_pb2_grpc.MetadataServiceStub(parts.metadata.channel)
        ),
        parts.operations,
        parts.settings.sweep.min_age_floor_s,
    )

    async def ask_storage() -> None:
        await _require(parts.storage)

    async def ask_metadata() -> None:
        await _require(parts.metadata)

    probes = {
        "temporal": parts.operations.ping,
        "storage": ask_storage,
        "metadata": ask_metadata,
    }
    async with (
        grpc_server(server.host, server.port, parts.settings.grpc, servicer.register) as listening,
        parts.lifecycle.background(
            "dependency health", publish_dependency_health(listening.health, probes)
        ),
    ):
        yield listening


async def _require(peer: Peer) -> None:
    if not await is_serving(peer):
        raise Unavailable("PEER_UNAVAILABLE", f"{peer.name} is not serving")


async def _run_io(stack: AsyncExitStack, parts: _Parts) -> None:
    settings = parts.settings
    sweeper = Sweeper(
        StorageListing(parts.storage, storage_pb2_grpc.StorageServiceStub(parts.storage.channel)),
        MetadataReferences(
            parts.metadata, metadata_pb2_grpc.MetadataServiceStub(parts.metadata.channel)
        ),
        settings.sweep.event_retention_s,
    )
    activities = SweepActivities(sweeper, settings.sweep.min_age_s)
    executor = stack.enter_context(ThreadPoolExecutor(settings.temporal.io_threads, "io"))
    # Whatever blocks in this process blocks one of these, so their number bounds it.
    asyncio.get_running_loop().set_default_executor(executor)
    worker = io_worker(
        parts.client,
        settings.temporal,
        executor,
        [activities.sweep_objects],
        parts.on_fatal_error,
    )
    await stack.enter_async_context(worker)
    await parts.operations.schedule_sweeps(settings.sweep.interval_s)


async def _run_cpu(stack: AsyncExitStack, parts: _Parts) -> None:
    settings = parts.settings.processing
    pool = await stack.enter_async_context(
        ExtractionPool(settings.limits(), size=settings.processes)
    )
    stack.enter_context(SandboxCollector(pool))
    temporal = parts.settings.temporal
    executor = stack.enter_context(ThreadPoolExecutor(temporal.cpu_threads, "cpu"))
    processor = GroupProcessor(
        parts.intake,
        StorageObjects(parts.storage, storage_pb2_grpc.StorageServiceStub(parts.storage.channel)),
        SandboxExtractor(pool),
        ProcessingLimits(
            concurrency=settings.processes + 1,
            retry_s=settings.dependency_retry_s,
            renew_s=parts.settings.dispatch.lease_renew_s,
        ),
        ByteBudget(settings.buffer_bytes, settings.buffer_wait_s),
        parts.observer,
        executor,
    )
    activities = ProcessingActivities(processor)
    worker = cpu_worker(
        parts.client, temporal, executor, [activities.extract_group], parts.on_fatal_error
    )
    await stack.enter_async_context(worker)


async def _run_dispatcher(stack: AsyncExitStack, parts: _Parts) -> None:
    settings = parts.settings
    engine = TemporalEngine(
        parts.client,
        settings.temporal.queues,
        settings.dispatch.heartbeat_timeout_s,
        settings.processing.wall_limit_s,
    )
    dispatcher = Dispatcher(
        parts.intake,
        engine,
        Lane.TEXT,
        settings.group_limits(),
        settings.dispatch.claim_wait_s,
        parts.observer,
    )
    leases = LeaseKeeper(parts.intake, engine, settings.dispatch.lease_check_s, parts.observer)
    background = parts.lifecycle.background
    await stack.enter_async_context(background("leases", leases.run()))
    await stack.enter_async_context(background("dispatcher", dispatcher.run()))
