"""One orchestrator process: which roles it is made of, and in which order."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from sheaf_common.grpc.channel import grpc_peer
from sheaf_common.grpc.server import GrpcServer
from sheaf_common.lifecycle import Lifecycle
from sheaf_common.telemetry.metrics import metrics_endpoint
from sheaf_orchestrator.adapters.metrics import (
    PrometheusObserver,
    SandboxCollector,
)
from sheaf_orchestrator.adapters.temporal import (
    connect,
    temporal_runtime,
)
from sheaf_orchestrator.adapters.tied import tied_to
from sheaf_orchestrator.adapters.workers import workflow_worker
from sheaf_orchestrator.service.precedence import Precedence
from sheaf_orchestrator.settings import OrchestratorSettings, Role
from sheaf_orchestrator.wiring.dispatching import run_dispatcher
from sheaf_orchestrator.wiring.parts import Parts
from sheaf_orchestrator.wiring.recognition import run_ocr
from sheaf_orchestrator.wiring.scaling import scaler
from sheaf_orchestrator.wiring.server import serving
from sheaf_orchestrator.wiring.sweeping import run_io
from sheaf_orchestrator.wiring.text import run_cpu, text_sandbox


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
        parts = Parts(
            settings,
            lifecycle,
            client,
            storage,
            metadata,
            PrometheusObserver(),
            Precedence(settings.recognition.share),
        )
        stack.enter_context(SandboxCollector(parts.pools))
        text = await text_sandbox(stack, parts) if role in ("all", "cpu") else None
        listening = await stack.enter_async_context(serving(parts, text))
        if role in ("all", "workflow"):
            await stack.enter_async_context(workflow_worker(client, temporal, parts.on_fatal_error))
        if role in ("all", "io"):
            await run_io(stack, parts)
        if text is not None:
            await run_cpu(stack, parts, text)
        if role in ("all", "ocr"):
            await run_ocr(stack, parts)
        if role in ("all", "dispatcher"):
            await run_dispatcher(stack, parts)
        yield listening
