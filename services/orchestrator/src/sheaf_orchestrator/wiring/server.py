"""The gRPC server that every role has."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sheaf.metadata.v1 import metadata_pb2_grpc
from sheaf_common.grpc.health import publish_dependency_health
from sheaf_common.grpc.server import GrpcServer, grpc_server
from sheaf_orchestrator.adapters.metadata import MetadataBacklog
from sheaf_orchestrator.api.servicer import OrchestratorServicer
from sheaf_orchestrator.domain import Lane
from sheaf_orchestrator.wiring.parts import Parts
from sheaf_orchestrator.wiring.requiring import require
from sheaf_orchestrator.wiring.text import TextSandbox, thumbnailer


@asynccontextmanager
async def serving(parts: Parts, text: TextSandbox | None) -> AsyncIterator[GrpcServer]:
    """The role's server, with the health of what it depends on, while the block runs."""
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
        None if text is None else thumbnailer(parts, text),
    )

    async def ask_storage() -> None:
        await require(parts.storage)

    async def ask_metadata() -> None:
        await require(parts.metadata)

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
