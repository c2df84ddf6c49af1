"""The metadata service's settings."""

from dataclasses import dataclass
from typing import Self

from pydantic import model_validator

from sheaf_common.grpc.settings import GrpcSettings
from sheaf_common.pools.database import DatabaseSettings
from sheaf_common.pools.redis import RedisSettings
from sheaf_common.pools.redis_marks import MAX_REMEMBERED_S
from sheaf_common.process import ProcessSettings
from sheaf_common.settings import SettingsGroup, variable
from sheaf_common.telemetry.exporting import TracingSettings


class ServerSettings(SettingsGroup):
    """Where this process listens."""

    host: str = variable("METADATA_HOST", "0.0.0.0", "address of every listener")  # noqa: S104 - a container's default
    port: int = variable("METADATA_PORT", 50052, "gRPC port", ge=0, le=65535)
    metrics_port: int = variable("METADATA_METRICS_PORT", 9462, "metrics port", ge=0, le=65535)


class RecordSettings(SettingsGroup):
    """How the record is kept, waited for and cached."""

    migrate_on_start: bool = variable(
        "METADATA_MIGRATE_ON_START", True, "run missing migrations; if off, wait for them"
    )
    start_timeout_s: float = variable(
        "METADATA_START_TIMEOUT_S", 60.0, "seconds to wait for the database at start", ge=0, le=3600
    )
    transaction_timeout_s: float = variable(
        "METADATA_TRANSACTION_TIMEOUT_S", 1.0, "seconds a transaction may last", gt=0, le=30
    )
    claim_poll_ms: int = variable(
        "METADATA_CLAIM_POLL_MS", 250, "how often a waiting claim looks without a hint", ge=10
    )
    wait_recheck_ms: int = variable(
        "METADATA_WAIT_RECHECK_MS", 1000, "how often a waiting read looks without a hint", ge=10
    )
    max_waiters: int = variable(
        "METADATA_MAX_WAITERS", 1500, "calls that may wait at once", ge=2, le=100_000
    )
    cache_terminal_s: float = variable(
        "METADATA_CACHE_TERMINAL_S",
        600.0,
        "seconds an ended document or batch is cached",
        gt=0,
        le=600,
    )
    cache_active_s: float = variable(
        "METADATA_CACHE_ACTIVE_S", 1.0, "seconds any other document is cached", ge=0, le=1
    )
    shown_versions: int = variable(
        "METADATA_SHOWN_VERSIONS",
        20_000,
        "documents of which the cache may show nothing older than was shown",
        ge=1,
        le=10_000_000,
    )
    deletion_again_s: float = variable(
        "METADATA_DELETION_AGAIN_S",
        5_400.0,
        "seconds after which the objects of a deleted document are deleted once more: longer than"
        " what still works on it may go on without being told",
        ge=0,
        le=86_400,
    )
    redis_budget_ms: int = variable(
        "METADATA_REDIS_BUDGET_MS", 100, "the most that a call waits for Redis", ge=1, le=5000
    )
    api_key_cache_s: float = variable(
        "METADATA_API_KEY_CACHE_S",
        MAX_REMEMBERED_S,
        "seconds that a revocation waits where Redis cannot be told of it: not less than any"
        " gateway's GATEWAY_KEY_CACHE_S",
        ge=0,
        le=MAX_REMEMBERED_S,
    )
    api_key_uses: int = variable(
        "METADATA_API_KEY_CACHE_SIZE",
        10_000,
        "keys whose last use is kept in mind",
        ge=1,
        le=1_000_000,
    )
    idempotency_ttl_h: int = variable(
        "IDEMPOTENCY_TTL_H",
        24,
        "hours that the answer to a request with an idempotency key is kept",
        ge=1,
        le=720,
    )

    @model_validator(mode="after")
    def _redis_fits_a_transaction(self) -> Self:
        """A change outdates cached rows before it commits: a hung Redis must not end it."""
        if self.redis_budget_ms >= self.transaction_timeout_s * 1000:
            raise ValueError(
                "METADATA_REDIS_BUDGET_MS must be less than METADATA_TRANSACTION_TIMEOUT_S"
            )
        return self


@dataclass(frozen=True, slots=True)
class MetadataSettings:
    """All of them."""

    process: ProcessSettings
    tracing: TracingSettings
    grpc: GrpcSettings
    server: ServerSettings
    database: DatabaseSettings
    redis: RedisSettings
    record: RecordSettings
