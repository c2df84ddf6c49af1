"""The composition root: what storage is made of."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Final

import structlog

from sheaf_common.errors import Unavailable
from sheaf_common.grpc.health import publish_dependency_health
from sheaf_common.grpc.server import GrpcServer, grpc_server
from sheaf_common.lifecycle import Lifecycle
from sheaf_common.memory import ByteBudget
from sheaf_common.pools.s3 import s3_client_pool
from sheaf_common.telemetry import tracing
from sheaf_common.telemetry.metrics import metrics_endpoint
from sheaf_storage.adapters.libmagic import libmagic_sniffer
from sheaf_storage.adapters.metrics import StorageCollector
from sheaf_storage.adapters.s3 import S3ObjectStore
from sheaf_storage.adapters.s3_calls import S3Calls
from sheaf_storage.adapters.s3_signer import s3_request_signer
from sheaf_storage.adapters.s3_spans import report_answers
from sheaf_storage.api.servicer import StorageServicer
from sheaf_storage.ports import ObjectStore
from sheaf_storage.service import (
    BlobService,
    Confirming,
    Presigning,
    PutLimits,
    Putting,
    RecentObjects,
    Writes,
)
from sheaf_storage.settings import StorageSettings

log = structlog.get_logger()

_START_RETRY_S: Final = 0.5


@asynccontextmanager
async def storage(settings: StorageSettings, lifecycle: Lifecycle) -> AsyncIterator[GrpcServer]:
    """Storage, serving for as long as the block runs.

    Stops in reverse: first no new calls are taken and those in progress are finished, then
    the writes that outlived their calls, then clients close.

    Raises:
        Unavailable: the bucket cannot be reached.
    """
    blobs, server, presign = settings.blobs, settings.server, settings.presign
    messages = ByteBudget(blobs.message_buffer_bytes, blobs.buffer_wait_s)
    parts = ByteBudget(blobs.part_buffer_bytes, blobs.buffer_wait_s)
    limits = PutLimits(blobs.max_object_bytes, blobs.part_size_bytes, blobs.upload_parts_in_flight)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(metrics_endpoint(server.host, server.metrics_port))
        pool = await stack.enter_async_context(
            s3_client_pool(settings.s3, report_answers if tracing.enabled() else None)
        )
        threads = stack.enter_context(_threads(pool.size))
        sniffer = stack.enter_context(libmagic_sniffer(blobs.sniff_threads))
        signer = await stack.enter_async_context(
            s3_request_signer(settings.s3, presign.public_endpoint_url, threads)
        )
        recent = RecentObjects(blobs.recent_bytes, blobs.recent_s)
        stack.enter_context(
            StorageCollector({"messages": messages, "parts": parts, "recent": recent})
        )
        store = S3ObjectStore(S3Calls(pool, threads, settings.s3.bucket), settings.s3.bucket)
        await _bucket_is_there(store, blobs.start_timeout_s)
        writes = await stack.enter_async_context(Writes())
        putting = Putting(store, sniffer, writes, limits, messages, parts)
        servicer = StorageServicer(
            BlobService(store, writes, putting, recent),
            Presigning(store, signer, writes, limits, presign.max_s),
            Confirming(store, sniffer, writes, limits, parts),
        )
        listening = await stack.enter_async_context(
            grpc_server(server.host, server.port, settings.grpc, servicer.register)
        )
        health = publish_dependency_health(listening.health, {"s3": store.ping})
        await stack.enter_async_context(lifecycle.background("dependency health", health))
        yield listening


@contextmanager
def _threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Threads for S3, one for each lease that there can be, so that none waits unseen.

    Jobs that nobody waits for any more end by S3's own timeouts.
    """
    executor = ThreadPoolExecutor(count, "s3")
    try:
        yield executor
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


async def _bucket_is_there(store: ObjectStore, timeout_s: float) -> None:
    """Returns once the bucket answers: an S3 that starts late is waited for."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while True:
        try:
            return await store.ping()
        except Unavailable as error:
            if asyncio.get_running_loop().time() >= deadline:
                raise
            log.warning("the bucket cannot be reached yet", reason=error.reason, error=str(error))
        await asyncio.sleep(_START_RETRY_S)
