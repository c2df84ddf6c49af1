"""The orchestrator's settings."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from pydantic import SecretStr, field_validator, model_validator

from sheaf_common.grpc.settings import GrpcSettings
from sheaf_common.process import ProcessSettings
from sheaf_common.sealing import SealingKeys
from sheaf_common.settings import Rollback, SettingsGroup, variable
from sheaf_common.telemetry.exporting import TracingSettings
from sheaf_orchestrator.domain import GroupLimits, default_processes
from sheaf_orchestrator.extraction import Limits
from sheaf_orchestrator.recognition_settings import RecognitionSettings
from sheaf_orchestrator.scaling_settings import ScalingSettings

Role = Literal["all", "dispatcher", "workflow", "io", "cpu", "ocr", "scaler"]


class ServerSettings(SettingsGroup):
    """Where this process listens, and where its peers are."""

    host: str = variable("ORCHESTRATOR_HOST", "0.0.0.0", "address of every listener")  # noqa: S104 - a container's default
    port: int = variable("ORCHESTRATOR_PORT", 50053, "gRPC port", ge=0, le=65535)
    metrics_port: int = variable("ORCHESTRATOR_METRICS_PORT", 9463, "metrics port", ge=0, le=65535)
    storage_address: str = variable("STORAGE_ADDRESS", "127.0.0.1:50051", "storage, host:port")
    metadata_address: str = variable("METADATA_ADDRESS", "127.0.0.1:50052", "metadata, host:port")


@dataclass(frozen=True, slots=True)
class TaskQueues:
    """The names of the task queues: workflows, and activities by what they need."""

    workflows: str
    io: str
    cpu: str
    ocr: str


class TemporalSettings(SettingsGroup):
    """Where Temporal is, and how much its workers take at once."""

    rollback: ClassVar = Rollback(
        "worker_profile",
        "baseline",
        {
            "max_concurrent_workflow_tasks": 5,
            "io_max_concurrent_activities": 5,
            "io_threads": 30,
            "cpu_max_concurrent_activities": 4,
            "cpu_threads": 10,
            "cpu_slots": "fixed",
            "workflow_pollers_max": 5,
            "activity_pollers_max": 5,
        },
    )

    address: str = variable("TEMPORAL_ADDRESS", "127.0.0.1:7233", "Temporal, host:port")
    namespace: str = variable("TEMPORAL_NAMESPACE", "default", "namespace of all workflows")
    task_queue_prefix: str = variable(
        "TEMPORAL_TASK_QUEUE_PREFIX", "sheaf", "task queues are PREFIX-workflows, -io, -cpu, -ocr"
    )
    metrics_port: int = variable("TEMPORAL_METRICS_PORT", 9464, "SDK metrics port", ge=1, le=65535)
    start_timeout_s: float = variable(
        "TEMPORAL_START_TIMEOUT_S", 120.0, "seconds to wait for Temporal at start", gt=0, le=3600
    )
    worker_profile: Literal["tuned", "baseline"] = variable(
        "TEMPORAL_WORKER_PROFILE", "tuned", "baseline: slots, threads and pollers as before"
    )
    max_concurrent_workflow_tasks: int = variable(
        "TEMPORAL_MAX_CONCURRENT_WORKFLOW_TASKS", 50, "workflow tasks at once", ge=2, le=1000
    )
    io_max_concurrent_activities: int = variable(
        "TEMPORAL_IO_MAX_CONCURRENT_ACTIVITIES", 50, "IO activities at once", ge=1, le=1000
    )
    io_threads: int = variable(
        "TEMPORAL_IO_THREADS", 100, "threads of blocking work", ge=1, le=1000
    )
    cpu_max_concurrent_activities: int = variable(
        "TEMPORAL_CPU_MAX_CONCURRENT_ACTIVITIES", 20, "group activities at once", ge=1, le=1000
    )
    cpu_threads: int = variable(
        "TEMPORAL_CPU_THREADS", 20, "threads that check contents", ge=1, le=1000
    )
    cpu_slots: Literal["resource", "fixed"] = variable(
        "TEMPORAL_CPU_SLOTS",
        "fixed",
        "fixed: up to TEMPORAL_CPU_MAX_CONCURRENT_ACTIVITIES; resource: of these a busy host takes"
        " EXTRACT_PROCESSES + 1 only",
    )
    cpu_target_cpu: float = variable(
        "TEMPORAL_CPU_TARGET_CPU", 0.9, "share of the host's CPU that makes it busy", gt=0, le=1
    )
    cpu_target_memory: float = variable(
        "TEMPORAL_CPU_TARGET_MEMORY", 0.8, "share of its memory that does", gt=0, le=1
    )
    workflow_pollers_max: int = variable(
        "TEMPORAL_WORKFLOW_POLLERS_MAX", 20, "workflow task pollers, autoscaled", ge=2, le=200
    )
    activity_pollers_max: int = variable(
        "TEMPORAL_ACTIVITY_POLLERS_MAX", 20, "activity task pollers, autoscaled", ge=1, le=200
    )
    eager_start: bool = variable(
        "TEMPORAL_EAGER_START",
        True,
        "a workflow's first task comes with the answer to its start, where this process runs them",
    )
    graceful_shutdown_s: float = variable(
        "TEMPORAL_GRACEFUL_SHUTDOWN_S", 20.0, "seconds that activities may finish in", ge=0, le=600
    )

    @model_validator(mode="after")
    def _a_thread_for_each_slot(self) -> Self:
        """Source: the Temporal SDK's rule for `activity_executor`."""
        if self.io_threads < self.io_max_concurrent_activities:
            raise ValueError(
                "TEMPORAL_IO_THREADS must be at least TEMPORAL_IO_MAX_CONCURRENT_ACTIVITIES"
            )
        if self.cpu_threads < self.cpu_max_concurrent_activities:
            raise ValueError(
                "TEMPORAL_CPU_THREADS must be at least TEMPORAL_CPU_MAX_CONCURRENT_ACTIVITIES"
            )
        return self

    @property
    def queues(self) -> TaskQueues:
        """The task queues' names."""
        prefix = self.task_queue_prefix
        return TaskQueues(*(f"{prefix}-{kind}" for kind in ("workflows", "io", "cpu", "ocr")))


class DispatchSettings(SettingsGroup):
    """Groups, leases and the workflows in flight."""

    max_workflows: int | None = variable(
        "DISPATCH_MAX_WORKFLOWS",
        None,
        "workflows in flight over all dispatchers; unset means the extraction subprocesses of all"
        " live CPU workers + 1, and EXTRACT_PROCESSES + 1 while they are not known",
        ge=1,
        le=10_000,
    )
    group_max_documents: int = variable(
        "DISPATCH_GROUP_MAX_DOCUMENTS", 64, "documents of a group", ge=1, le=500
    )
    group_max_bytes: int = variable(
        "DISPATCH_GROUP_MAX_BYTES", 32 * 2**20, "bytes of a group", ge=2**20
    )
    group_max_work_s: float = variable(
        "DISPATCH_GROUP_MAX_WORK_S", 0.2, "estimated seconds of work of a group", gt=0, le=60
    )
    group_linger_s: float = variable(
        "DISPATCH_GROUP_LINGER_S",
        0.2,
        "seconds that a group may wait to grow while another is in flight; 0 claims at once",
        ge=0,
        le=1,
    )
    claim_wait_s: float = variable(
        "DISPATCH_CLAIM_WAIT_S", 20.0, "seconds that one claim waits for work", ge=0, le=60
    )
    lease_ttl_s: float = variable(
        "LEASE_TTL_S", 10.0, "seconds a lease lasts unless renewed", ge=1, le=600
    )
    lease_renew_s: float = variable("LEASE_RENEW_S", 1.0, "seconds between renewals", gt=0, le=60)
    lease_check_s: float = variable(
        "LEASE_CHECK_S", 1.0, "seconds between looks for expired leases", gt=0, le=60
    )
    heartbeat_timeout_s: float = variable(
        "ACTIVITY_HEARTBEAT_TIMEOUT_S",
        10.0,
        "seconds without a heartbeat after which a worker is lost",
        ge=1,
        le=600,
    )


class ProcessingSettings(SettingsGroup):
    """Extraction on this host."""

    processes: int = variable(
        "EXTRACT_PROCESSES", default_processes(), "extraction subprocesses", ge=1, le=512
    )
    wall_limit_s: float = variable(
        "EXTRACT_TIME_LIMIT_S", 30.0, "seconds that one document may take", gt=0, le=3600
    )
    memory_limit_bytes: int = variable(
        "EXTRACT_MEMORY_LIMIT_BYTES",
        2 * 2**30,
        "address space of a subprocess; half of it resident",
        ge=256 * 2**20,
    )
    niceness: int = variable(
        "EXTRACT_NICENESS", 5, "how far extraction gives way to all else on its host", ge=0, le=19
    )
    max_pages: int = variable("EXTRACT_MAX_PAGES", 2000, "pages of one document", ge=1)
    buffer_bytes: int = variable(
        "EXTRACT_BUFFER_BYTES",
        512 * 2**20,
        "document bytes held at once, by each lane and by thumbnails",
        ge=2**20,
    )
    buffer_wait_s: float = variable(
        "EXTRACT_BUFFER_WAIT_S", 60.0, "seconds that a document waits for them", gt=0, le=600
    )
    dependency_retry_s: float = variable(
        "PROCESS_DEPENDENCY_RETRY_S",
        30.0,
        "seconds that storage may be down before a document is released",
        ge=0,
        le=600,
    )

    def limits(self) -> Limits:
        """The sandbox's limits: below the wall limit it stops by itself, in two steps."""
        return Limits(
            wall_s=self.wall_limit_s,
            soft_s=self.wall_limit_s * 2 / 3,
            cpu_s=math.ceil(self.wall_limit_s * 5 / 6),
            address_space_bytes=self.memory_limit_bytes,
            rss_bytes=self.memory_limit_bytes // 2,
            pages=self.max_pages,
            niceness=self.niceness,
        )


class PasswordSettings(SettingsGroup):
    """The keys of documents' passwords."""

    keys: SecretStr | None = variable(
        "DOCUMENT_PASSWORD_KEYS",
        None,
        "open passwords of documents: base64 of 32 bytes, comma between; as the gateway has them",
    )

    @field_validator("keys")
    @classmethod
    def _usable(cls, keys: SecretStr | None) -> SecretStr | None:
        """A key that is none is found at start, not with the first encrypted document."""
        if keys is not None:
            SealingKeys.parse(keys.get_secret_value())
        return keys

    def sealing_keys(self) -> SealingKeys | None:
        """The keys; None where none is set."""
        return None if self.keys is None else SealingKeys.parse(self.keys.get_secret_value())


class SweepSettings(SettingsGroup):
    """What is removed, when, and how old it must be."""

    interval_s: float = variable("SWEEP_INTERVAL_S", 3600.0, "seconds between sweeps", ge=10)
    min_age_s: float = variable(
        "SWEEP_MIN_AGE_S", 86_400.0, "seconds that an object must be old", ge=0
    )
    min_age_floor_s: float = variable(
        "SWEEP_MIN_AGE_FLOOR_S",
        7_200.0,
        "the least age that may be asked for; below an hour a sweep can race an upload",
        ge=0,
    )
    deletion_interval_s: float = variable(
        "DELETION_INTERVAL_S",
        30.0,
        "seconds between looks for objects of deleted documents",
        ge=0.1,
        le=3600,
    )
    event_retention_s: float = variable(
        "EVENT_RETENTION_S", 30 * 86_400.0, "seconds that events are kept", ge=0
    )


@dataclass(frozen=True, slots=True)
class OrchestratorSettings:
    """All of them."""

    process: ProcessSettings
    tracing: TracingSettings
    grpc: GrpcSettings
    server: ServerSettings
    temporal: TemporalSettings
    dispatch: DispatchSettings
    processing: ProcessingSettings
    recognition: RecognitionSettings
    passwords: PasswordSettings
    sweep: SweepSettings
    scaling: ScalingSettings

    def group_limits(self) -> GroupLimits:
        """The bounds of a claimed group, with the workflows that this host alone can carry."""
        return GroupLimits(
            max_workflows=self.dispatch.max_workflows or self.processing.processes + 1,
            max_documents=self.dispatch.group_max_documents,
            max_bytes=self.dispatch.group_max_bytes,
            max_work_s=self.dispatch.group_max_work_s,
            linger_s=self.dispatch.group_linger_s,
        )

    def ocr_group_limits(self) -> GroupLimits:
        """The bounds of a claim in the OCR lane: one document, for a workflow of its own."""
        return GroupLimits(
            max_workflows=self.recognition.max_workflows or self.recognition.processes + 1,
            max_documents=1,
            max_bytes=self.dispatch.group_max_bytes,
            max_work_s=self.dispatch.group_max_work_s,
        )
