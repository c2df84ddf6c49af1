"""Who works is known from who polls, in a real Temporal server."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from temporalio import activity
from temporalio.client import Client

from sheaf_common.errors import Unavailable
from sheaf_dev.stack import Stack
from sheaf_orchestrator.adapters.census import TemporalCensus
from sheaf_orchestrator.adapters.workers import cpu_worker, ocr_worker
from sheaf_orchestrator.domain import Lane
from sheaf_orchestrator.settings import TemporalSettings
from support.waiting import until_answer


@activity.defn
async def nothing() -> None:
    """Workers need one."""


async def fatal(error: BaseException) -> None:
    """Nothing is."""
    raise error


async def test_the_workers_of_a_lane_are_known_by_their_polls(tmp_path: Path) -> None:
    """Their subprocesses, whichever partition of the queue they poll; without a server, nothing."""
    settings = TemporalSettings()
    stack = Stack.private(tmp_path, services=(), servers=("temporal",))
    with ThreadPoolExecutor(20) as threads:
        async with stack, AsyncExitStack() as workers:
            client = await Client.connect(stack.address("temporal"))
            census = TemporalCensus(client, settings.queues)
            text = cpu_worker(client, settings, threads, [nothing], fatal, subprocesses=7)
            scans = ocr_worker(client, settings, threads, [nothing], fatal, slots=3, subprocesses=2)
            for worker in (text, scans):
                await workers.enter_async_context(worker)

            async def known() -> bool:
                found = [await census.subprocesses(lane) for lane in (Lane.TEXT, Lane.OCR)]
                return found == [7, 2]

            await until_answer(known, timeout_s=30)
        with pytest.raises(Unavailable, match="Temporal"):
            await census.subprocesses(Lane.TEXT)
