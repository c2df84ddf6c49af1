"""The composition of the IO worker: sweeps and deletions."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

from sheaf.metadata.v1 import metadata_pb2_grpc
from sheaf.storage.v1 import storage_pb2_grpc
from sheaf_orchestrator.adapters.metadata import (
    MetadataDeletions,
    MetadataReferences,
)
from sheaf_orchestrator.adapters.storage import StorageListing
from sheaf_orchestrator.adapters.workers import io_worker
from sheaf_orchestrator.api.activities import SweepActivities
from sheaf_orchestrator.service.eraser import Eraser
from sheaf_orchestrator.service.sweeper import Sweeper
from sheaf_orchestrator.wiring.parts import Parts


async def run_io(stack: AsyncExitStack, parts: Parts) -> None:
    """Runs sweeps by their schedule, and deletions all the time; the stack ends it.

    Raises:
        Unavailable: Temporal did not take the schedule of sweeps.
    """
    settings = parts.settings
    listing = StorageListing(
        parts.storage, storage_pb2_grpc.StorageServiceStub(parts.storage.channel)
    )
    record = metadata_pb2_grpc.MetadataServiceStub(parts.metadata.channel)
    sweeper = Sweeper(
        listing,
        MetadataReferences(parts.metadata, record),
        settings.sweep.event_retention_s,
    )
    eraser = Eraser(
        MetadataDeletions(parts.metadata, record), listing, settings.sweep.deletion_interval_s
    )
    await stack.enter_async_context(parts.lifecycle.background("eraser", eraser.run()))
    activities = SweepActivities(sweeper, settings.sweep.min_age_s)
    executor = stack.enter_context(ThreadPoolExecutor(settings.temporal.io_threads, "io"))
    # Whatever blocks in this process blocks one of these, so their number bounds it.
    asyncio.get_running_loop().set_default_executor(executor)
    worker = io_worker(
        parts.client,
        settings.temporal,
        executor,
        [activities.sweep_objects],
        parts.on_fatal_error,
    )
    await stack.enter_async_context(worker)
    await parts.operations.schedule_sweeps(settings.sweep.interval_s)
