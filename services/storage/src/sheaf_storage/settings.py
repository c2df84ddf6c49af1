"""The settings of storage."""

from dataclasses import dataclass
from typing import Final, Self

from pydantic import model_validator

from sheaf_common.grpc.settings import GrpcSettings
from sheaf_common.pools.s3 import S3Settings
from sheaf_common.process import ProcessSettings
from sheaf_common.settings import SettingsGroup, variable
from sheaf_common.telemetry.exporting import TracingSettings

S3_MIN_PART_BYTES: Final = 5 * 2**20
S3_MAX_PARTS: Final = 10_000
_PARTS_SHARE: Final = 3, 4


class ServerSettings(SettingsGroup):
    """Where this process listens."""

    host: str = variable("STORAGE_HOST", "0.0.0.0", "address of every listener")  # noqa: S104 - a container's default
    port: int = variable("STORAGE_PORT", 50051, "gRPC port", ge=0, le=65535)
    metrics_port: int = variable("STORAGE_METRICS_PORT", 9461, "metrics port", ge=0, le=65535)


class BlobSettings(SettingsGroup):
    """Bounds of objects, and of what the process holds of them at once."""

    max_object_bytes: int = variable(
        "STORAGE_MAX_OBJECT_BYTES", 5 * 2**30, "largest object", ge=1, le=5 * 2**40
    )
    part_size_bytes: int = variable(
        "STORAGE_PART_SIZE_BYTES",
        8 * 2**20,
        "an object up to this is one put, a larger one is put in such parts",
        ge=S3_MIN_PART_BYTES,
        le=512 * 2**20,
    )
    upload_parts_in_flight: int = variable(
        "STORAGE_UPLOAD_PARTS_IN_FLIGHT", 2, "parts of one upload put at once", ge=1, le=32
    )
    buffer_bytes: int = variable(
        "STORAGE_BUFFER_BYTES", 512 * 2**20, "bytes held for puts, all together", ge=64 * 2**20
    )
    buffer_wait_s: float = variable(
        "STORAGE_BUFFER_WAIT_S", 5.0, "seconds that a put waits for memory", gt=0, le=60
    )
    sniff_threads: int = variable(
        "STORAGE_SNIFF_THREADS", 2, "contents looked at at once for their type", ge=1, le=32
    )
    recent_bytes: int = variable(
        "STORAGE_RECENT_BYTES",
        32 * 2**20,
        "bytes of small objects kept in memory after their put; 0 keeps none",
        ge=0,
    )
    recent_s: float = variable("STORAGE_RECENT_S", 10.0, "seconds that they are kept", gt=0, le=60)
    start_timeout_s: float = variable(
        "S3_START_TIMEOUT_S", 30.0, "seconds to wait for the bucket at start", ge=0, le=3600
    )

    @property
    def part_buffer_bytes(self) -> int:
        """The share of the buffer for streamed puts; a slow stream holds a part of it long."""
        share, of = _PARTS_SHARE
        return self.buffer_bytes * share // of

    @property
    def message_buffer_bytes(self) -> int:
        """The share for puts of one message, which streamed ones cannot starve."""
        return self.buffer_bytes - self.part_buffer_bytes

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.max_object_bytes > self.part_size_bytes * S3_MAX_PARTS:
            raise ValueError(
                f"STORAGE_MAX_OBJECT_BYTES is more than {S3_MAX_PARTS} parts of"
                " STORAGE_PART_SIZE_BYTES"
            )
        if self.part_buffer_bytes < self.part_size_bytes * (self.upload_parts_in_flight + 1):
            raise ValueError(
                "STORAGE_BUFFER_BYTES does not hold one upload: three quarters of it must be"
                " STORAGE_PART_SIZE_BYTES * (STORAGE_UPLOAD_PARTS_IN_FLIGHT + 1)"
            )
        return self


class PresignSettings(SettingsGroup):
    """Requests that clients send to the store themselves."""

    public_endpoint_url: str | None = variable(
        "S3_PUBLIC_ENDPOINT_URL",
        None,
        "S3 address as clients reach it; unset means S3_ENDPOINT_URL",
        pattern=r"^https?://[^/?#\s]+/?$",
    )
    max_s: int = variable(
        "STORAGE_PRESIGN_MAX_S",
        3600,
        "longest life of a presigned request in seconds; S3 allows a week",
        ge=1,
        le=7 * 24 * 3600,
    )


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """All of them."""

    process: ProcessSettings
    tracing: TracingSettings
    grpc: GrpcSettings
    server: ServerSettings
    s3: S3Settings
    blobs: BlobSettings
    presign: PresignSettings
