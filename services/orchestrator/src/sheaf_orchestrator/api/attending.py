"""What activities that work on documents have in common."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from temporalio import activity

from sheaf_orchestrator.domain import DocumentTask, Group, Lane
from sheaf_orchestrator.extraction import OcrMode
from sheaf_orchestrator.workflows.contracts import TaskInput

_HEARTBEATS_A_TIMEOUT: Final = 4


@asynccontextmanager
async def heartbeats() -> AsyncIterator[None]:
    """Heartbeats for the block, several times in the activity's heartbeat timeout."""
    timeout = activity.info().heartbeat_timeout
    if timeout is None:
        raise RuntimeError("the activity has no heartbeat timeout")

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(timeout.total_seconds() / _HEARTBEATS_A_TIMEOUT)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()


@asynccontextmanager
async def stop_signal() -> AsyncIterator[asyncio.Event]:
    """An event that is set once the worker begins to shut down."""
    stopping = asyncio.Event()

    async def watch() -> None:
        await activity.wait_for_worker_shutdown()
        stopping.set()

    watching = asyncio.create_task(watch())
    try:
        yield stopping
    finally:
        watching.cancel()


def group_of(workflow_id: str, lane: str, *documents: TaskInput) -> Group:
    """The group that the workflow owns."""
    return Group(workflow_id, Lane(lane), tuple(map(_task, documents)))


def _task(given: TaskInput) -> DocumentTask:
    return DocumentTask(
        document_id=given.document_id,
        attempt=given.attempt,
        dispatches=given.dispatches,
        object_key=given.object_key,
        content_type=given.content_type,
        size_bytes=given.size_bytes,
        sha256=given.sha256,
        filename=given.filename,
        words=given.words,
        ocr=OcrMode(given.ocr),
        ocr_languages=tuple(given.ocr_languages),
        has_password=given.has_password,
        depth=given.depth,
        traceparent=given.traceparent,
        pages=tuple((first, last) for first, last in given.pages),
    )
