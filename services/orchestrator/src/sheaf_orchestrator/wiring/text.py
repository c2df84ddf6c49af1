"""The composition of the CPU worker: the text lane and thumbnails."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass

from sheaf_orchestrator.adapters.sandbox import SandboxDrawer
from sheaf_orchestrator.adapters.workers import cpu_worker
from sheaf_orchestrator.api.activities import ProcessingActivities
from sheaf_orchestrator.extraction import ExtractionPool
from sheaf_orchestrator.service.keeping import ResultKeeper
from sheaf_orchestrator.service.processing import GroupProcessor, ProcessingLimits
from sheaf_orchestrator.service.thumbnails import Thumbnailer
from sheaf_orchestrator.wiring.parts import Parts


@dataclass(frozen=True, slots=True)
class TextSandbox:
    """The subprocesses of the text lane, and the threads beside them."""

    pool: ExtractionPool
    threads: ThreadPoolExecutor


async def text_sandbox(stack: AsyncExitStack, parts: Parts) -> TextSandbox:
    """Opens the text lane's subprocesses and threads; the stack owns both."""
    settings = parts.settings.processing
    pool = await stack.enter_async_context(
        ExtractionPool(settings.limits(), size=settings.processes)
    )
    parts.pools["text"] = pool
    threads = ThreadPoolExecutor(parts.settings.temporal.cpu_threads, "cpu")
    return TextSandbox(pool, stack.enter_context(threads))


def thumbnailer(parts: Parts, text: TextSandbox) -> Thumbnailer:
    """What draws pages, in half of the text lane's subprocesses at most."""
    at_once = max(1, parts.settings.processing.processes // 2)
    return Thumbnailer(parts.objects, SandboxDrawer(text.pool), parts.memory, text.threads, at_once)


async def run_cpu(stack: AsyncExitStack, parts: Parts, text: TextSandbox) -> None:
    """Takes groups of the text lane; the stack ends it."""
    settings = parts.settings.processing
    reader = parts.reader(text.pool, text.threads)
    processor = GroupProcessor(
        parts.intake,
        reader,
        ResultKeeper(parts.objects, reader),
        ProcessingLimits(
            concurrency=settings.processes + 1,
            retry_s=settings.dependency_retry_s,
            renew_s=parts.settings.dispatch.lease_renew_s,
        ),
        parts.memory,
        parts.observer,
        parts.precedence,
    )
    activities = ProcessingActivities(processor)
    worker = cpu_worker(
        parts.client,
        parts.settings.temporal,
        text.threads,
        [activities.extract_group],
        parts.on_fatal_error,
        subprocesses=settings.processes,
    )
    await stack.enter_async_context(worker)
