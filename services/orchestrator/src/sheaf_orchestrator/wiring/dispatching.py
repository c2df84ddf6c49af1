"""The composition of the dispatcher."""

from contextlib import AsyncExitStack
from typing import Final

from sheaf_common.telemetry.sampling import Sampler
from sheaf_orchestrator.adapters.metrics import TemporalBacklogCollector
from sheaf_orchestrator.adapters.temporal import (
    ActivityLimits,
    TemporalEngine,
)
from sheaf_orchestrator.domain import Lane
from sheaf_orchestrator.service.dispatcher import Dispatcher
from sheaf_orchestrator.service.leases import LeaseKeeper
from sheaf_orchestrator.service.limits import FollowedLimits
from sheaf_orchestrator.wiring.parts import Parts

_BACKLOG_PERIOD_S: Final = 5.0
_BACKLOG_LIMIT_S: Final = 4.0


async def run_dispatcher(stack: AsyncExitStack, parts: Parts) -> None:
    """Claims, starts and keeps groups of both lanes; the stack ends it."""
    settings = parts.settings
    text, recognition = settings.processing.limits(), settings.recognition
    engine = TemporalEngine(
        parts.client,
        settings.temporal.queues,
        ActivityLimits(
            heartbeat_timeout_s=settings.dispatch.heartbeat_timeout_s,
            document_s=text.wall_s,
            base_document_s=recognition.base_limits(text).wall_s,
            page_s=recognition.page_wall_limit_s,
            pages_per_chunk=recognition.pages_per_chunk,
            chunks_at_once=recognition.processes + 1,
        ),
        eager=settings.temporal.eager_start,
    )
    background = parts.lifecycle.background
    backlog = Sampler(
        "temporal backlog",
        parts.operations.backlog,
        period_s=_BACKLOG_PERIOD_S,
        limit_s=_BACKLOG_LIMIT_S,
    )
    await stack.enter_async_context(background("temporal backlog", backlog.run()))
    stack.enter_context(TemporalBacklogCollector(settings.temporal.queues, lambda: backlog.latest))
    leases = LeaseKeeper(parts.intake, engine, settings.dispatch.lease_check_s, parts.observer)
    await stack.enter_async_context(background("leases", leases.run()))
    dispatch = settings.dispatch
    for lane, own, follows, precedence in (
        (Lane.TEXT, settings.group_limits(), dispatch.max_workflows is None, parts.precedence),
        (Lane.OCR, settings.ocr_group_limits(), recognition.max_workflows is None, None),
    ):
        limits = FollowedLimits(lane, own, parts.census)
        if follows:
            name = f"{lane.value} workflow limit"
            await stack.enter_async_context(background(name, limits.run()))
        dispatcher = Dispatcher(
            parts.intake,
            engine,
            lane,
            limits,
            settings.dispatch.claim_wait_s,
            parts.observer,
            precedence,
        )
        name = f"{lane.value} dispatcher"
        await stack.enter_async_context(background(name, dispatcher.run()))
