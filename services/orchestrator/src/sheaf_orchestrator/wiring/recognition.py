"""The composition of the OCR worker."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

from sheaf_orchestrator.adapters.sandbox import SandboxRecogniser
from sheaf_orchestrator.adapters.workers import ocr_worker
from sheaf_orchestrator.api.recognition import RecognitionActivities
from sheaf_orchestrator.extraction import ExtractionPool
from sheaf_orchestrator.extraction.sandbox.launch import OCR_REGISTRY
from sheaf_orchestrator.service.keeping import ResultKeeper
from sheaf_orchestrator.service.merging import Merger
from sheaf_orchestrator.service.recognition import DocumentRecogniser, RecognitionLimits
from sheaf_orchestrator.wiring.parts import Parts


async def run_ocr(stack: AsyncExitStack, parts: Parts) -> None:
    """Two pools, started when they are needed: one reads pages, one what else is in a document.

    Nothing of it is the text lane's: neither its subprocesses nor its memory nor its slots.
    """
    settings, text_limits = parts.settings.recognition, parts.settings.processing.limits()
    slots = settings.processes + 1
    pages = ExtractionPool(
        settings.limits(text_limits),
        size=settings.processes,
        spares=0,
        registry=OCR_REGISTRY,
        idle_s=settings.idle_s,
    )
    base = ExtractionPool(
        settings.base_limits(text_limits), size=1, spares=0, idle_s=settings.idle_s
    )
    for name, pool in (("ocr", pages), ("ocr-base", base)):
        parts.pools[name] = await stack.enter_async_context(pool)
        parts.precedence.over(pool)
    threads = stack.enter_context(ThreadPoolExecutor(slots, "ocr"))
    reader = parts.reader(base, threads)
    recogniser = DocumentRecogniser(
        parts.intake,
        parts.objects,
        reader,
        ResultKeeper(parts.objects, reader),
        SandboxRecogniser(pages),
        Merger(text_limits),
        RecognitionLimits(
            pages_at_once=settings.processes,
            retry_s=parts.settings.processing.dependency_retry_s,
            renew_s=parts.settings.dispatch.lease_renew_s,
        ),
        parts.memory,
        parts.observer,
        threads,
    )
    activities = RecognitionActivities(recogniser)
    worker = ocr_worker(
        parts.client,
        parts.settings.temporal,
        threads,
        [
            activities.begin_recognition,
            activities.recognise_pages,
            activities.finish_recognition,
        ],
        parts.on_fatal_error,
        slots=slots,
        subprocesses=settings.processes,
    )
    await stack.enter_async_context(worker)
