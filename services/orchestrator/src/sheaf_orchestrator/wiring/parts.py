"""What every role of the orchestrator shares."""

from concurrent.futures import Executor
from dataclasses import dataclass, field

from temporalio.client import Client

from sheaf.metadata.v1 import metadata_pb2_grpc
from sheaf.storage.v1 import storage_pb2_grpc
from sheaf_common.grpc.channel import Peer
from sheaf_common.lifecycle import Lifecycle
from sheaf_common.memory import ByteBudget
from sheaf_orchestrator.adapters.census import TemporalCensus
from sheaf_orchestrator.adapters.metadata import (
    MetadataIntake,
    MetadataPasswords,
)
from sheaf_orchestrator.adapters.metrics import PrometheusObserver
from sheaf_orchestrator.adapters.sandbox import SandboxExtractor
from sheaf_orchestrator.adapters.storage import StorageObjects
from sheaf_orchestrator.adapters.temporal import TemporalOperations
from sheaf_orchestrator.extraction import ExtractionPool
from sheaf_orchestrator.service.passwords import PasswordSafe
from sheaf_orchestrator.service.precedence import Precedence
from sheaf_orchestrator.service.reading import DocumentReader
from sheaf_orchestrator.settings import OrchestratorSettings


@dataclass(frozen=True, slots=True)
class Parts:
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
