"""The process-wide pool of S3 clients.

A boto3 client is thread-safe, and slow to make: 5 ms each, 116 ms the first (facts, S3).
So all are made once, at start, in one thread, and leased. A lease is shared: a client
serves as many operations at once as it has connections. The least loaded client is leased
first, so that slow readers on one cannot starve the others.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import boto3
import structlog
from botocore.config import Config
from pydantic import SecretStr

from sheaf_common.errors import OverCapacity, Unavailable
from sheaf_common.settings import SettingsGroup, variable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = structlog.get_logger()

_WAITERS_PER_LEASE: Final = 10


class S3Settings(SettingsGroup):
    """Where the objects are, and how they are reached."""

    endpoint_url: str | None = variable("S3_ENDPOINT_URL", None, "S3 address; unset means AWS")
    bucket: str = variable("S3_BUCKET", ..., "the bucket of all objects", min_length=3)
    region: str = variable("S3_REGION", "us-east-1", "the bucket's region")
    access_key_id: str | None = variable(
        "S3_ACCESS_KEY_ID", None, "access key; unset means the environment's AWS identity"
    )
    secret_access_key: SecretStr | None = variable(
        "S3_SECRET_ACCESS_KEY", None, "the access key's secret"
    )
    pool_size: int = variable("S3_POOL_SIZE", 20, "clients made at start", ge=1, le=200)
    max_pool_connections: int = variable(
        "S3_MAX_POOL_CONNECTIONS", 10, "connections of each client", ge=1, le=1000
    )
    connect_timeout_s: float = variable("S3_CONNECT_TIMEOUT_S", 2.0, "seconds", gt=0, le=60)
    read_timeout_s: float = variable("S3_READ_TIMEOUT_S", 10.0, "seconds", gt=0, le=300)
    max_attempts: int = variable(
        "S3_MAX_ATTEMPTS", 3, "tries of an operation, the first included", ge=1, le=10
    )
    lease_timeout_s: float = variable(
        "S3_LEASE_TIMEOUT_S", 5.0, "seconds that an operation waits for a client", gt=0, le=60
    )

    def client_config(self) -> Config:
        """The botocore configuration of every client."""
        return Config(
            region_name=self.region,
            max_pool_connections=self.max_pool_connections,
            connect_timeout=self.connect_timeout_s,
            read_timeout=self.read_timeout_s,
            retries={"mode": "standard", "total_max_attempts": self.max_attempts},
            tcp_keepalive=True,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={
                "addressing_style": "path" if self.endpoint_url else "auto",
                # Sheaf checks its own SHA-256 end to end; over TLS both protections stay on.
                "payload_signing_enabled": not (self.endpoint_url or "").startswith("http://"),
            },
        )


class S3ClientPool:
    """Leases S3 clients. Belongs to one event loop; the leased clients are used in threads."""

    def __init__(self, clients: "Sequence[S3Client]", settings: S3Settings) -> None:
        self._clients = clients
        self._leases = [0] * len(clients)
        self._timeout_s = settings.lease_timeout_s
        self.capacity = settings.max_pool_connections * len(clients)
        """The most leases at once: one for each connection of each client."""
        self._free = asyncio.Semaphore(self.capacity)
        self._waiting = 0

    @property
    def used(self) -> int:
        """Leases held now."""
        return sum(self._leases)

    @property
    def waiting(self) -> int:
        """Operations that wait for a lease."""
        return self._waiting

    @asynccontextmanager
    async def lease(self) -> "AsyncIterator[S3Client]":
        """The least loaded client, for the block; waits while every connection is in use.

        Raises:
            OverCapacity: `S3_POOL_FULL`, too many wait already.
            Unavailable: `S3_POOL_TIMEOUT`, none became free in time.
        """
        await self._wait_for_one()
        index = min(range(len(self._leases)), key=self._leases.__getitem__)
        self._leases[index] += 1
        try:
            yield self._clients[index]
        finally:
            self._leases[index] -= 1
            self._free.release()

    async def _wait_for_one(self) -> None:
        if self._waiting >= _WAITERS_PER_LEASE * self.capacity:
            raise OverCapacity("S3_POOL_FULL", "too many operations wait for an S3 client")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._free.acquire()
        except TimeoutError:
            raise Unavailable(
                "S3_POOL_TIMEOUT",
                f"no S3 client became free in {self._timeout_s:g} s",
                evidence={"used": str(self.used), "capacity": str(self.capacity)},
            ) from None
        finally:
            self._waiting -= 1


@asynccontextmanager
async def s3_client_pool(settings: S3Settings) -> AsyncIterator[S3ClientPool]:
    """Makes every client before the block begins, and closes them after it."""
    with ThreadPoolExecutor(1, "s3-clients") as maker:
        loop = asyncio.get_running_loop()
        clients = await loop.run_in_executor(maker, _make_clients, settings)
    log.info("S3 clients are ready", clients=len(clients))
    try:
        yield S3ClientPool(clients, settings)
    finally:
        for client in clients:
            client.close()


def _make_clients(settings: S3Settings) -> "list[S3Client]":
    session = boto3.session.Session(
        aws_access_key_id=settings.access_key_id,
        aws_secret_access_key=(
            settings.secret_access_key.get_secret_value() if settings.secret_access_key else None
        ),
    )
    return [
        session.client("s3", endpoint_url=settings.endpoint_url, config=settings.client_config())
        for _ in range(settings.pool_size)
    ]
