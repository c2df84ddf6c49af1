"""The process-wide pool of S3 clients.

A boto3 client is thread-safe, and slow to make: 5 ms each, 116 ms the first (facts, S3).
So all are made once, at start, in one thread, and leased. A lease is shared: a client
serves as many operations at once as it has connections. The least loaded client is leased
first, so that slow readers on one cannot starve the others. The roll-back switch
`S3_CLIENT_MODE=per_call` makes a client for each lease, as before.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, ClassVar, Final, Literal

import structlog
from botocore.config import Config
from pydantic import SecretStr

from sheaf_common.errors import OverCapacity, Unavailable
from sheaf_common.pools.s3_clients import ClientPerLease, Clients, Make, SharedClients
from sheaf_common.pools.s3_session import s3_session, send_small_bodies_at_once
from sheaf_common.settings import Rollback, SettingsGroup, variable
from sheaf_common.telemetry.peak import RecentPeak
from sheaf_common.telemetry.pools import WaitQueue, pool_metrics

if TYPE_CHECKING:
    import boto3.session
    from mypy_boto3_s3 import S3Client

log = structlog.get_logger()

_WAITERS_PER_LEASE: Final = 10
_NAME: Final = "s3"


class S3Settings(SettingsGroup):
    """Where the objects are, and how they are reached."""

    rollback: ClassVar = Rollback("client_mode", "per_call")

    endpoint_url: str | None = variable("S3_ENDPOINT_URL", None, "S3 address; unset means AWS")
    bucket: str = variable("S3_BUCKET", ..., "the bucket of all objects", min_length=3)
    region: str = variable("S3_REGION", "us-east-1", "the bucket's region")
    access_key_id: str | None = variable(
        "S3_ACCESS_KEY_ID", None, "access key; unset means the environment's AWS identity"
    )
    secret_access_key: SecretStr | None = variable(
        "S3_SECRET_ACCESS_KEY", None, "the access key's secret"
    )
    client_mode: Literal["pooled", "per_call"] = variable(
        "S3_CLIENT_MODE", "pooled", "per_call: as before, a new client for each operation"
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
            parameter_validation=False,  # the types of every call are checked before it runs
            # Names Sheaf in the store's log; botocore's own text costs 0.1 ms a request to build.
            user_agent="sheaf",
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={
                "addressing_style": "path" if self.endpoint_url else "auto",
                # Sheaf checks its own SHA-256 end to end; over TLS both protections stay on.
                "payload_signing_enabled": not (self.endpoint_url or "").startswith("http://"),
            },
        )


class S3ClientPool:
    """Leases S3 clients. Belongs to one event loop; the leased clients are used in threads.

    Its waits are counted under `name`.
    """

    def __init__(self, clients: Clients, settings: S3Settings, name: str = _NAME) -> None:
        self._clients = clients
        self._timeout_s = settings.lease_timeout_s
        self.size = settings.max_pool_connections * settings.pool_size
        """The most leases at once: one for each connection of each client."""
        self._free = asyncio.Semaphore(self.size)
        self._queue = WaitQueue(name)
        self._used = 0
        self._peak = RecentPeak()

    @property
    def open(self) -> int:
        """Clients that there are."""
        return self._clients.count

    @property
    def used(self) -> int:
        """Leases held now."""
        return self._used

    @property
    def used_max(self) -> int:
        """The most leases held at once during the last minute."""
        return self._peak.most(self._used)

    @property
    def waiting(self) -> int:
        """Operations that wait for a lease."""
        return self._queue.length

    @asynccontextmanager
    async def lease(self) -> "AsyncIterator[S3Client]":
        """The least loaded client, for the block; waits while every connection is in use.

        Raises:
            OverCapacity: `S3_POOL_FULL`, too many wait already.
            Unavailable: `S3_POOL_TIMEOUT`, none became free in time.
        """
        with self._queue.waiting():
            await self._wait_for_one()
            self._count(1)
            try:
                client = await self._clients.take()
            except BaseException:
                self._give_back()
                raise
        try:
            yield client
        finally:
            self._clients.give_back(client)
            self._give_back()

    def _give_back(self) -> None:
        self._count(-1)
        self._free.release()

    def _count(self, change: int) -> None:
        before = self._used
        self._used += change
        self._peak.changed(before, self._used)

    async def _wait_for_one(self) -> None:
        if self._queue.length > _WAITERS_PER_LEASE * self.size:
            raise OverCapacity("S3_POOL_FULL", "too many operations wait for an S3 client")
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._free.acquire()
        except TimeoutError:
            self._queue.timed_out()
            raise Unavailable(
                "S3_POOL_TIMEOUT",
                f"no S3 client became free in {self._timeout_s:g} s",
                evidence={"used": str(self.used), "capacity": str(self.size)},
            ) from None


@asynccontextmanager
async def s3_client_pool(
    settings: S3Settings, prepare: "Callable[[S3Client], None] | None" = None
) -> AsyncIterator[S3ClientPool]:
    """A pool for the block, with its metrics. Every client is made before the block begins.

    `prepare` is called with each client that is made, before anyone has it.
    """
    with ThreadPoolExecutor(1, "s3-clients") as thread:  # clients are thread-safe, making is not
        make = _maker(settings, thread, prepare)
        clients: Clients
        if settings.is_rolled_back:
            clients = ClientPerLease(make)
        else:
            clients = SharedClients([await make() for _ in range(settings.pool_size)])
        log.info("S3 clients are ready", clients=clients.count, mode=settings.client_mode)
        pool = S3ClientPool(clients, settings)
        try:
            with pool_metrics(_NAME, pool):
                yield pool
        finally:
            clients.close()


def _maker(
    settings: S3Settings,
    thread: ThreadPoolExecutor,
    prepare: "Callable[[S3Client], None] | None",
) -> Make:
    """Makes clients of one session: a further one takes 5 ms, one of a new session 131 ms."""
    session: boto3.session.Session | None = None
    secret = settings.secret_access_key

    def make_in_thread() -> "S3Client":
        nonlocal session
        if session is None:
            session = s3_session(
                settings.access_key_id, None if secret is None else secret.get_secret_value()
            )
        client = session.client(
            "s3", endpoint_url=settings.endpoint_url, config=settings.client_config()
        )
        send_small_bodies_at_once(client)
        if prepare is not None:
            prepare(client)
        return client

    async def make() -> "S3Client":
        return await asyncio.get_running_loop().run_in_executor(thread, make_in_thread)

    return make
