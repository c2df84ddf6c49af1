"""boto3 in threads: every job runs under a lease of a client, measured, errors translated."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from sheaf_common.errors import SheafError
from sheaf_common.pools.s3 import S3ClientPool
from sheaf_storage.adapters.metrics import S3_OPERATION_SECONDS
from sheaf_storage.adapters.s3_errors import translated
from sheaf_storage.adapters.s3_spans import observed, operation_span

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")


class LeasedClient:
    """A client for jobs one after the other.

    A job in a thread cannot be interrupted. If whoever asked for it is cancelled, it runs to
    its end, and the lease lasts as long: a lease always stands for a connection in use.
    """

    def __init__(
        self, client: "S3Client", executor: Executor, bucket: str, released: AsyncExitStack
    ) -> None:
        self._client = client
        self._executor = executor
        self._bucket = bucket
        self.released = released
        """What is done when the lease ends; no job runs then."""
        self.job: asyncio.Task[Any] | None = None

    async def run(
        self,
        operation: str,
        work: "Callable[[S3Client], T]",
        key: str = "",
        size_bytes: int | None = None,
    ) -> T:
        """Runs `work` in a thread; `size_bytes` is what it sends, if that is an object's content.

        Raises:
            SheafError: what its boto3 error stands for.
        """
        self.job = job = asyncio.create_task(self._traced(operation, work, key, size_bytes))
        await asyncio.wait({job})
        self.job = None
        return job.result()

    async def _traced(
        self,
        operation: str,
        work: "Callable[[S3Client], T]",
        key: str,
        size_bytes: int | None,
    ) -> T:
        with operation_span(operation, self._bucket, size_bytes) as span:
            return await self._measured(operation, observed(span, work), key)

    async def _measured(self, operation: str, work: "Callable[[S3Client], T]", key: str) -> T:
        started = time.perf_counter()
        outcome = "ok"
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, work, self._client)
        except Exception as error:
            known = translated(error, operation, key)
            outcome = known.reason.lower() if isinstance(known, SheafError) else "bug"
            if known is error:
                raise
            raise known from error
        finally:
            elapsed_s = time.perf_counter() - started
            S3_OPERATION_SECONDS.labels(operation, outcome).observe(elapsed_s)


class S3Calls:
    """Leases clients and runs jobs on them. Belongs to one event loop."""

    def __init__(self, pool: S3ClientPool, executor: Executor, bucket: str = "") -> None:
        """`bucket` is what spans name."""
        self._pool = pool
        self._executor = executor
        self._bucket = bucket
        self._releasing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[LeasedClient]:
        """A client for the block, and for the job that still runs at its end.

        Raises:
            OverCapacity: `S3_POOL_FULL`.
            Unavailable: `S3_POOL_TIMEOUT`.
        """
        stack = AsyncExitStack()
        client = await stack.enter_async_context(self._pool.lease())
        leased = LeasedClient(client, self._executor, self._bucket, stack)
        try:
            yield leased
        finally:
            if leased.job is None or leased.job.done():
                await stack.aclose()
            else:
                releasing = asyncio.create_task(_release_after(leased.job, stack))
                self._releasing.add(releasing)
                releasing.add_done_callback(self._releasing.discard)

    async def run(
        self,
        operation: str,
        work: "Callable[[S3Client], T]",
        key: str = "",
        size_bytes: int | None = None,
    ) -> T:
        """One job under a lease of its own; raises as `lease` and `LeasedClient.run`."""
        async with self.lease() as leased:
            return await leased.run(operation, work, key, size_bytes)


async def _release_after(job: "asyncio.Task[Any]", stack: AsyncExitStack) -> None:
    await asyncio.wait({job})
    if not job.cancelled():
        job.exception()  # seen: whoever asked for the job has left
    await stack.aclose()
