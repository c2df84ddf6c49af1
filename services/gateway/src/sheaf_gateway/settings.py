"""What can be set from outside: the gateway's environment variables."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from pydantic import SecretStr, field_validator, model_validator

from sheaf_common.grpc.settings import GrpcSettings
from sheaf_common.pools.redis import RedisSettings
from sheaf_common.pools.redis_marks import MAX_REMEMBERED_S
from sheaf_common.process import ProcessSettings
from sheaf_common.sealing import SealingKeys
from sheaf_common.settings import Rollback, SettingsGroup, variable
from sheaf_common.telemetry.exporting import TracingSettings
from sheaf_gateway.admission_settings import AdmissionSettings
from sheaf_gateway.domain.uploads import FIXED_CONCURRENCY

_ADDRESS = r"^\S+:\d+$"


class HttpSettings(SettingsGroup):
    """Where and how the HTTP API is served."""

    host: str = variable("GATEWAY_HOST", "0.0.0.0", "address to listen on")  # noqa: S104 - public
    port: int = variable("GATEWAY_PORT", 8000, "port; 0 takes a free one", ge=0, le=65535)
    keep_alive_s: int = variable(
        "GATEWAY_KEEP_ALIVE_S", 75, "seconds that an idle connection is kept", ge=1, le=3600
    )
    head_timeout_s: float = variable(
        "GATEWAY_HEAD_TIMEOUT_S", 15.0, "seconds that a request's head may take", gt=0, le=300
    )
    drain_s: int = variable(
        "GATEWAY_DRAIN_S", 20, "seconds that requests may go on after SIGTERM", ge=1, le=600
    )
    max_waits: int = variable(
        "GATEWAY_MAX_WAITS", 1000, "long polls at once; more are answered at once", ge=0
    )
    max_streams: int = variable(
        "GATEWAY_MAX_STREAMS", 2000, "streams of events at once; more are answered 429", ge=0
    )
    max_user_streams: int = variable(
        "GATEWAY_MAX_USER_STREAMS", 1500, "of them those of one user", ge=0
    )
    stream_keep_alive_s: float = variable(
        "GATEWAY_STREAM_KEEP_ALIVE_S",
        15.0,
        "seconds without an event after which a stream says that it lives; its key is checked",
        gt=0,
        le=300,
    )
    stream_max_s: float = variable(
        "GATEWAY_STREAM_MAX_S", 3600.0, "seconds until a stream ends and is asked for again", gt=0
    )
    key_cache_s: float = variable(
        "GATEWAY_KEY_CACHE_S",
        5.0,
        "seconds that an API key's owner is remembered, while Redis says that it has not changed",
        ge=0,
        le=MAX_REMEMBERED_S,
    )


class LimitSettings(SettingsGroup):
    """How many requests API keys may make."""

    rate_per_s: int = variable(
        "GATEWAY_RATE_LIMIT_PER_S",
        200,
        "requests a second of a key that has no rate of its own",
        ge=1,
        le=1_000_000,
    )
    window_s: int = variable(
        "GATEWAY_RATE_LIMIT_BURST_S", 5, "seconds whose requests may come at once", ge=1, le=60
    )
    unknown_per_s: int = variable(
        "GATEWAY_UNKNOWN_KEYS_PER_S",
        100,
        "look-ups a second of keys that this process has not seen to be good",
        ge=1,
        le=1_000_000,
    )
    redis_budget_ms: int = variable(
        "GATEWAY_REDIS_BUDGET_MS", 50, "the most that a request waits for Redis", ge=1, le=5000
    )


class PeerSettings(SettingsGroup):
    """Where the other services are."""

    storage_address: str = variable(
        "STORAGE_ADDRESS", "127.0.0.1:50051", "storage, host:port", pattern=_ADDRESS
    )
    metadata_address: str = variable(
        "METADATA_ADDRESS", "127.0.0.1:50052", "metadata, host:port", pattern=_ADDRESS
    )
    orchestrator_address: str = variable(
        "ORCHESTRATOR_ADDRESS",
        "127.0.0.1:50053",
        "orchestrator with role cpu or all, host:port; draws thumbnails, may be down",
        pattern=_ADDRESS,
    )
    call_timeout_s: float = variable(
        "GATEWAY_CALL_TIMEOUT_S", 10.0, "the longest that one call may take", gt=0, le=300
    )
    thumbnail_timeout_s: float = variable(
        "GATEWAY_THUMBNAIL_TIMEOUT_S", 35.0, "seconds to wait for a thumbnail", gt=0, le=300
    )


class UploadSettings(SettingsGroup):
    """Bounds of uploads."""

    rollback: ClassVar = Rollback(
        "concurrency_mode", "fixed", {"concurrency_max": FIXED_CONCURRENCY}
    )

    concurrency_mode: Literal["adaptive", "fixed"] = variable(
        "UPLOAD_CONCURRENCY_MODE", "adaptive", "fixed: 8 files of one upload at once, as before"
    )
    concurrency_max: int = variable(
        "UPLOAD_CONCURRENCY_MAX",
        50,
        "files of one upload stored at once: min(files * 2, this)",
        ge=1,
        le=1000,
    )
    max_file_bytes: int = variable(
        "UPLOAD_MAX_FILE_BYTES", 100 * 2**20, "largest file", ge=1, le=5 * 2**30
    )
    max_body_bytes: int = variable(
        "UPLOAD_MAX_BODY_BYTES", 2**30, "largest request body", ge=1024, le=50 * 2**30
    )
    max_files: int = variable("UPLOAD_MAX_FILES", 1000, "most files of one upload", ge=1, le=1000)
    small_file_bytes: int = variable(
        "UPLOAD_SMALL_FILE_BYTES", 2**20, "files up to this are stored beside each other",
        ge=0, le=4 * 2**20,
    )  # fmt: skip
    max_uploads: int = variable(
        "GATEWAY_MAX_UPLOADS", 256, "uploads at once; more are answered 429", ge=1, le=10_000
    )
    buffer_bytes: int = variable(
        "GATEWAY_BUFFER_BYTES", 256 * 2**20, "body bytes that all uploads may hold", ge=0
    )
    idle_timeout_s: float = variable(
        "UPLOAD_IDLE_TIMEOUT_S", 30.0, "seconds without a byte that end an upload", gt=0, le=600
    )
    timeout_s: float = variable(
        "UPLOAD_TIMEOUT_S", 290.0, "seconds that an upload may take", gt=0, le=3600
    )
    put_timeout_s: float = variable(
        "UPLOAD_PUT_TIMEOUT_S",
        20.0,
        "seconds to store a small file, retries included",
        gt=0,
        le=300,
    )
    register_timeout_s: float = variable(
        "UPLOAD_REGISTER_TIMEOUT_S", 10.0, "seconds to register, retries included", gt=0, le=60
    )
    cleanup_timeout_s: float = variable(
        "UPLOAD_CLEANUP_TIMEOUT_S",
        5.0,
        "seconds to remove what a failed upload stored",
        gt=0,
        le=60,
    )

    idempotency_lease_s: float = variable(
        "IDEMPOTENCY_LEASE_S",
        60.0,
        "seconds that an upload holds its idempotency key unless it renews it, each third of them",
        ge=1,
        le=300,
    )

    @model_validator(mode="after")
    def _file_fits_body(self) -> Self:
        if self.max_file_bytes > self.max_body_bytes:
            raise ValueError("UPLOAD_MAX_FILE_BYTES must not exceed UPLOAD_MAX_BODY_BYTES")
        return self


class ResultSettings(SettingsGroup):
    """Bounds of reading results."""

    max_stored_bytes: int = variable(
        "RESULT_MAX_STORED_BYTES", 64 * 2**20, "largest stored result that is unpacked", ge=1024
    )
    max_result_bytes: int = variable(
        "RESULT_MAX_BYTES", 2**30, "largest unpacked result", ge=1024, le=4 * 2**30
    )
    max_text_bytes: int = variable(
        "RESULT_MAX_TEXT_BYTES",
        128 * 2**20,
        "largest unpacked result that /text and /markdown read",
        ge=1024,
    )
    reuse_copies: int = variable(
        "RESULT_REUSE_COPIES",
        8,
        "results of known content that are copied at once; 0 reuses none",
        ge=0,
        le=100,
    )
    reuse_timeout_s: float = variable(
        "RESULT_REUSE_TIMEOUT_S",
        1.0,
        "seconds to copy the results of one upload; what is not copied then is processed",
        gt=0,
        le=10,
    )
    reuse_max_bytes: int = variable(
        "RESULT_REUSE_MAX_BYTES", 16 * 2**20, "largest unpacked result that is copied", ge=1024
    )


class PasswordSettings(SettingsGroup):
    """Keys for the passwords of documents."""

    keys: SecretStr | None = variable(
        "DOCUMENT_PASSWORD_KEYS",
        None,
        "seal passwords of documents: base64 of 32 bytes, comma between, the newest first; the"
        " orchestrator needs the same; unset refuses passwords",
    )

    @field_validator("keys")
    @classmethod
    def _usable(cls, keys: SecretStr | None) -> SecretStr | None:
        if keys is not None:
            SealingKeys.parse(keys.get_secret_value())
        return keys

    def sealing_keys(self) -> SealingKeys | None:
        """The keys; None if there are none."""
        return None if self.keys is None else SealingKeys.parse(self.keys.get_secret_value())


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """All of them."""

    process: ProcessSettings
    tracing: TracingSettings
    http: HttpSettings
    limits: LimitSettings
    redis: RedisSettings
    peers: PeerSettings
    grpc: GrpcSettings
    uploads: UploadSettings
    results: ResultSettings
    passwords: PasswordSettings
    admission: AdmissionSettings
