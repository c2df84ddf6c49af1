"""Dispatch and processing as Prometheus metrics."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Final

from prometheus_client.core import Metric
from prometheus_client.registry import REGISTRY, Collector

from sheaf_common.telemetry import catalogue
from sheaf_orchestrator.domain import GroupSummary, Lane, QueueBacklog, WorkflowState
from sheaf_orchestrator.extraction import ExtractionPool
from sheaf_orchestrator.settings import TaskQueues

DISPATCHED_GROUP_DOCUMENTS: Final = catalogue.DISPATCHED_GROUP_DOCUMENTS.histogram()
LEASES_RESOLVED: Final = catalogue.EXPIRED_LEASES.counter()
GROUP_SECONDS: Final = catalogue.GROUP_SECONDS.histogram()
STAGE_SECONDS: Final = catalogue.DOCUMENT_STAGE_SECONDS.histogram()
DOCUMENTS: Final = catalogue.DOCUMENTS_PROCESSED.counter()
OCR_PAGES: Final = catalogue.OCR_PAGES.counter()

# There from the start, so that the first of each is an increase.
for _state in WorkflowState:
    LEASES_RESOLVED.labels(_state.value)
for _lane in Lane:
    for _outcome in fields(GroupSummary):
        DOCUMENTS.labels(_lane.value, _outcome.name)
for _pages in ("read", "failed"):
    OCR_PAGES.labels(_pages)


class PrometheusObserver:
    """`DispatchObserver` and `ProcessingObserver`."""

    def dispatched(self, lane: Lane, documents: int) -> None:
        """See `DispatchObserver`."""
        DISPATCHED_GROUP_DOCUMENTS.labels(lane.value).observe(documents)

    def lease_resolved(self, state: WorkflowState, documents: int) -> None:  # noqa: ARG002 - counted by group
        """See `DispatchObserver`."""
        LEASES_RESOLVED.labels(state.value).inc()

    def group_processed(self, lane: Lane, summary: GroupSummary, duration_s: float) -> None:
        """See `ProcessingObserver`."""
        GROUP_SECONDS.labels(lane.value).observe(duration_s)
        for outcome, count in asdict(summary).items():
            if count:
                DOCUMENTS.labels(lane.value, outcome).inc(count)

    def page_recognised(self, *, failed: bool) -> None:
        """See `ProcessingObserver`."""
        OCR_PAGES.labels("failed" if failed else "read").inc()

    def stage_done(self, stage: str, duration_s: float) -> None:
        """See `ProcessingObserver`."""
        STAGE_SECONDS.labels(stage).observe(duration_s)


class SandboxCollector(Collector):
    """The figures of the sandbox's pools, by name, read when they are asked for."""

    def __init__(self, pools: Mapping[str, ExtractionPool]) -> None:
        """`pools` may get more of them meanwhile."""
        self._pools = pools

    def __enter__(self) -> None:
        REGISTRY.register(self)

    def __exit__(self, *_error: object) -> None:
        REGISTRY.unregister(self)

    def collect(self) -> list[Metric]:
        """One snapshot."""
        workers = catalogue.EXTRACT_PROCESSES.gauge_family()
        waiting = catalogue.EXTRACT_WAITING.gauge_family()
        restarts = catalogue.EXTRACT_RESTARTS.counter_family()
        for name, pool in self._pools.items():
            stats = pool.stats()
            for state in ("size", "in_use", "ready", "starting"):
                workers.add_metric([name, state], getattr(stats, state))
            waiting.add_metric([name], stats.waiting)
            for cause, count in stats.restarts.items():
                restarts.add_metric([name, cause], count)
        return [workers, waiting, restarts]


class TemporalBacklogCollector(Collector):
    """Temporal's backlog as it was last seen; NaN for every queue where it is not known."""

    def __init__(
        self, queues: TaskQueues, backlog: Callable[[], Sequence[QueueBacklog] | None]
    ) -> None:
        self._names = {name: kind for kind, name in asdict(queues).items()}
        self._backlog = backlog

    def __enter__(self) -> None:
        REGISTRY.register(self)

    def __exit__(self, *_error: object) -> None:
        REGISTRY.unregister(self)

    def collect(self) -> list[Metric]:
        """One snapshot."""
        tasks = catalogue.TEMPORAL_BACKLOG_TASKS.gauge_family()
        age = catalogue.TEMPORAL_BACKLOG_AGE_SECONDS.gauge_family()
        seen = {each.task_queue: each for each in self._backlog() or ()}
        for name, kind in self._names.items():
            queue = seen.get(name)
            tasks.add_metric([kind], queue.count if queue else math.nan)
            age.add_metric([kind], queue.age_s if queue else math.nan)
        return [tasks, age]
