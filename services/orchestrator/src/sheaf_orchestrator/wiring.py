"""The composition root: what each role of the orchestrator is made of."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

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
from sheaf_common.telemetry.sampling import Sampler
from sheaf_orchestrator.adapters.census import TemporalCensus
from sheaf_orchestrator.adapters.metadata import (
    MetadataBacklog,
    MetadataDeletions,
    MetadataIntake,
    MetadataPasswords,
    MetadataReferences,
)
from sheaf_orchestrator.adapters.metrics import (
    PrometheusObserver,
    SandboxCollector,
    TemporalBacklogCollector,
)
from sheaf_orchestrator.adapters.sandbox import SandboxDrawer, SandboxExtractor, SandboxRecogniser
from sheaf_orchestrator.adapters.storage import StorageListing, StorageObjects
from sheaf_orchestrator.adapters.temporal import (
    ActivityLimits,
    TemporalEngine,
    TemporalOperations,
    connect,
    temporal_runtime,
)
from sheaf_orchestrator.adapters.tied import tied_to
from sheaf_orchestrator.adapters.workers import cpu_worker, io_worker, ocr_worker, workflow_worker
from sheaf_orchestrator.api.activities import ProcessingActivities, SweepActivities
from sheaf_orchestrator.api.recognition import RecognitionActivities
from sheaf_orchestrator.api.servicer import OrchestratorServicer
from sheaf_orchestrator.domain import Lane
from sheaf_orchestrator.extraction import ExtractionPool
from sheaf_orchestrator.extraction.sandbox.launch import OCR_REGISTRY
from sheaf_orchestrator.service.dispatcher import Dispatcher
from sheaf_orchestrator.service.eraser import Eraser
from sheaf_orchestrator.service.keeping import ResultKeeper
from sheaf_orchestrator.service.leases import LeaseKeeper
from sheaf_orchestrator.service.limits import FollowedLimits
from sheaf_orchestrator.service.merging import Merger
from sheaf_orchestrator.service.passwords import PasswordSafe
from sheaf_orchestrator.service.precedence import Precedence
from sheaf_orchestrator.service.processing import GroupProcessor, ProcessingLimits
from sheaf_orchestrator.service.reading import DocumentReader
from sheaf_orchestrator.service.recognition import DocumentRecogniser, RecognitionLimits
from sheaf_orchestrator.service.sweeper import Sweeper
from sheaf_orchestrator.service.thumbnails import Thumbnailer
from sheaf_orchestrator.settings import OrchestratorSettings, Role
from sheaf_orchestrator.wiring_scaler import scaler

_BACKLOG_PERIOD_S: Final = 5.0
_BACKLOG_LIMIT_S: Final = 4.0


@dataclass(frozen=True, slots=True)
class _Parts:
    """What every role shares."""

    settings: OrchestratorSettings
    lifecycle: Lifecycle
    client: Client
    storage: Peer
    metadata: Peer
    observer: PrometheusObserver
    precedence: Precedence
    pools: dict[str, ExtractionPool] = field(default_factory=dict)

    @property
    def intake(self) -> MetadataIntake:
        """The queue of accepted documents."""
        stub = metadata_pb2_grpc.MetadataServiceStub(self.metadata.channel)
        return MetadataIntake(self.metadata, stub, self.settings.dispatch.lease_ttl_s)

    @property
    def objects(self) -> StorageObjects:
        """The stored objects."""
        stub = storage_pb2_grpc.StorageServiceStub(self.storage.channel)
        return StorageObjects(self.storage, stub)

    @property
    def memory(self) -> ByteBudget:
        """Bytes of documents for one kind of work."""
        settings = self.settings.processing
        return ByteBudget(settings.buffer_bytes, settings.buffer_wait_s)

    def reader(self, pool: ExtractionPool, threads: Executor) -> DocumentReader:
        """What reads documents in the pool."""
        stub = metadata_pb2_grpc.MetadataServiceStub(self.metadata.channel)
        keys = self.settings.passwords.sealing_keys()
        safe = PasswordSafe(MetadataPasswords(self.metadata, stub), keys)
        return DocumentReader(self.objects, SandboxExtractor(pool), safe, threads)

    async def on_fatal_error(self, failure: BaseException) -> None:
        """A Temporal worker cannot go on: the process stops, to be started again."""
        self.lifecycle.fail(failure)

    @property
    def census(self) -> TemporalCensus:
        """The live workers."""
        return TemporalCensus(self.client, self.settings.temporal.queues)

    @property
    def operations(self) -> TemporalOperations:
        """What is asked of Temporal besides running workflows."""
        return TemporalOperations(self.client, self.settings.temporal.queues)


@dataclass(frozen=True, slots=True)
class _TextSandbox:
    """The subprocesses of the text lane, and the threads beside them."""

    pool: ExtractionPool
    threads: ThreadPoolExecutor


@asynccontextmanager
async def orchestrator(
    settings: OrchestratorSettings,
    role: Role,
    lifecycle: Lifecycle,
    *,
    tied_to_pid: int | None = None,
) -> AsyncIterator[GrpcServer]:
    """One orchestrator process in the given role, for as long as the block runs.

    Stops in reverse: first no new work is taken, then what runs is finished or released,
    then connections close. One that is tied to another process never outlives that.
    """
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(tied_to(tied_to_pid, lifecycle))
        if role == "scaler":
            yield await stack.enter_async_context(scaler(settings, lifecycle))
            return
        server, temporal = settings.server, settings.temporal
        await stack.enter_async_context(metrics_endpoint(server.host, server.metrics_port))
        storage = await stack.enter_async_context(
            grpc_peer("storage", server.storage_address, settings.grpc)
        )
        metadata = await stack.enter_async_context(
            grpc_peer("metadata", server.metadata_address, settings.grpc)
        )
        client = await connect(temporal, temporal_runtime(server.host, temporal.metrics_port))
        parts = _Parts(
            settings,
            lifecycle,
            client,
            storage,
            metadata,
            PrometheusObserver(),
            Precedence(settings.recognition.share),
        )
        stack.enter_context(SandboxCollector(parts.pools))
        text = await _text_sandbox(stack, parts) if role in ("all", "cpu") else None
        listening = await stack.enter_async_context(_server(parts, text))
        if role in ("all", "workflow"):
            await stack.enter_async_context(workflow_worker(client, temporal, parts.on_fatal_error))
        if role in ("all", "io"):
            await _run_io(stack, parts)
        if text is not None:
            await _run_cpu(stack, parts, text)
        if role in ("all", "ocr"):
            await _run_ocr(stack, parts)
        if role in ("all", "dispatcher"):
            await _run_dispatcher(stack, parts)
        yield listening


@asynccontextmanager
async def _server(parts: _Parts, text: _TextSandbox | None) -> AsyncIterator[GrpcServer]:
    server = parts.settings.server
    servicer = OrchestratorServicer(
        MetadataBacklog(
            parts.metadata, metadata_pb2_grpc.MetadataServiceStub(parts.metadata.channel)
        ),
        parts.operations,
        parts.settings.sweep.min_age_floor_s,
        {
            Lane.TEXT: parts.settings.group_limits().max_documents,
            Lane.OCR: parts.settings.ocr_group_limits().max_documents,
        },
        None if text is None else _thumbnailer(parts, text),
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
    listing = StorageListing(
        parts.storage, storage_pb2_grpc.StorageServiceStub(parts.storage.channel)
    )
    record = metadata_pb2_grpc.MetadataServiceStub(parts.metadata.channel)
    sweeper = Sweeper(
        listing,
        MetadataReferences(parts.metadata, record),
        settings.sweep.event_retention_s,
    )
    eraser = Eraser(
        MetadataDeletions(parts.metadata, record), listing, settings.sweep.deletion_interval_s
    )
    await stack.enter_async_context(parts.lifecycle.background("eraser", eraser.run()))
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


async def _text_sandbox(stack: AsyncExitStack, parts: _Parts) -> _TextSandbox:
    settings = parts.settings.processing
    pool = await stack.enter_async_context(
        ExtractionPool(settings.limits(), size=settings.processes)
    )
    parts.pools["text"] = pool
    threads = ThreadPoolExecutor(parts.settings.temporal.cpu_threads, "cpu")
    return _TextSandbox(pool, stack.enter_context(threads))


def _thumbnailer(parts: _Parts, text: _TextSandbox) -> Thumbnailer:
    at_once = max(1, parts.settings.processing.processes // 2)
    return Thumbnailer(parts.objects, SandboxDrawer(text.pool), parts.memory, text.threads, at_once)


async def _run_cpu(stack: AsyncExitStack, parts: _Parts, text: _TextSandbox) -> None:
    settings = parts.settings.processing
    reader = parts.reader(text.pool, text.threads)
    processor = GroupProcessor(
        parts.intake,
        reader,
        ResultKeeper(parts.objects, reader),
        ProcessingLimits(
            concurrency=settings.processes + 1,
            retry_s=settings.dependency_retry_s,
            renew_s=parts.settings.dispatch.lease_renew_s,
        ),
        parts.memory,
        parts.observer,
        parts.precedence,
    )
    activities = ProcessingActivities(processor)
    worker = cpu_worker(
        parts.client,
        parts.settings.temporal,
        text.threads,
        [activities.extract_group],
        parts.on_fatal_error,
        subprocesses=settings.processes,
    )
    await stack.enter_async_context(worker)


async def _run_ocr(stack: AsyncExitStack, parts: _Parts) -> None:
    """Two pools, started when they are needed: one reads pages, one what else is in a document.

    Nothing of it is the text lane's: neither its subprocesses nor its memory nor its slots.
    """
    settings, text_limits = parts.settings.recognition, parts.settings.processing.limits()
    slots = settings.processes + 1
    pages = ExtractionPool(
        settings.limits(text_limits),
        size=settings.processes,
        spares=0,
        registry=OCR_REGISTRY,
        idle_s=settings.idle_s,
    )
    base = ExtractionPool(
        settings.base_limits(text_limits), size=1, spares=0, idle_s=settings.idle_s
    )
    for name, pool in (("ocr", pages), ("ocr-base", base)):
        parts.pools[name] = await stack.enter_async_context(pool)
        parts.precedence.over(pool)
    threads = stack.enter_context(ThreadPoolExecutor(slots, "ocr"))
    reader = parts.reader(base, threads)
    recogniser = DocumentRecogniser(
        parts.intake,
        parts.objects,
        reader,
        ResultKeeper(parts.objects, reader),
        SandboxRecogniser(pages),
        Merger(text_limits),
        RecognitionLimits(
            pages_at_once=settings.processes,
            retry_s=parts.settings.processing.dependency_retry_s,
            renew_s=parts.settings.dispatch.lease_renew_s,
        ),
        parts.memory,
        parts.observer,
        threads,
    )
    activities = RecognitionActivities(recogniser)
    worker = ocr_worker(
        parts.client,
        parts.settings.temporal,
        threads,
        [
            activities.begin_recognition,
            activities.recognise_pages,
            activities.finish_recognition,
        ],
        parts.on_fatal_error,
        slots=slots,
        subprocesses=settings.processes,
    )
    await stack.enter_async_context(worker)


async def _run_dispatcher(stack: AsyncExitStack, parts: _Parts) -> None:
    settings = parts.settings
    text, recognition = settings.processing.limits(), settings.recognition
    engine = TemporalEngine(
        parts.client,
        settings.temporal.queues,
        ActivityLimits(
            heartbeat_timeout_s=settings.dispatch.heartbeat_timeout_s,
            document_s=text.wall_s,
            base_document_s=recognition.base_limits(text).wall_s,
            page_s=recognition.page_wall_limit_s,
            pages_per_chunk=recognition.pages_per_chunk,
            chunks_at_once=recognition.processes + 1,
        ),
        eager=settings.temporal.eager_start,
    )
    background = parts.lifecycle.background
    backlog = Sampler(
        "temporal backlog",
        parts.operations.backlog,
        period_s=_BACKLOG_PERIOD_S,
        limit_s=_BACKLOG_LIMIT_S,
    )
    await stack.enter_async_context(background("temporal backlog", backlog.run()))
    stack.enter_context(TemporalBacklogCollector(settings.temporal.queues, lambda: backlog.latest))
    leases = LeaseKeeper(parts.intake, engine, settings.dispatch.lease_check_s, parts.observer)
    await stack.enter_async_context(background("leases", leases.run()))
    dispatch = settings.dispatch
    for lane, own, follows, precedence in (
        (Lane.TEXT, settings.group_limits(), dispatch.max_workflows is None, parts.precedence),
        (Lane.OCR, settings.ocr_group_limits(), recognition.max_workflows is None, None),
    ):
        limits = FollowedLimits(lane, own, parts.census)
        if follows:
            name = f"{lane.value} workflow limit"
            await stack.enter_async_context(background(name, limits.run()))
        dispatcher = Dispatcher(
            parts.intake,
            engine,
            lane,
            limits,
            settings.dispatch.claim_wait_s,
            parts.observer,
            precedence,
        )
        name = f"{lane.value} dispatcher"
        await stack.enter_async_context(background(name, dispatcher.run()))
