"""What is seen of a system while load is offered: few and small questions, so as not to be load.

Watch          what a run asks of it
├── stack_watch.StackWatch     this machine's own stack: processes, metrics, backlog
└── remote_watch.RemoteWatch   a running system: what its API tells to who may ask
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from sheaf_common.telemetry.kpis import KpiName
from sheaf_dev.bench.load.report import Quantiles, Sample
from sheaf_dev.bench.scenario import Tell


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen from the first due time to the last end."""

    timeline: Sequence[Sample] = ()
    pool_used_max: Mapping[str, float] = field(default_factory=dict)
    activity: Quantiles = field(default_factory=Quantiles)
    documents_per_workflow: float | None = None
    cpu_s: Mapping[str, float] = field(default_factory=dict)
    rss_mib: Mapping[str, float] = field(default_factory=dict)
    kpis: Mapping[KpiName, float | None] = field(default_factory=dict)
    """Values of targets that clients cannot know."""


class Watching(Protocol):
    """A watch that goes on."""

    async def observed(self) -> Observed:
        """What was seen until now. Raises DevError if a process was lost meanwhile."""
        ...


Watch = Callable[[Tell], AbstractAsyncContextManager[Watching]]
"""Begins to watch at once. What it could not see it tells."""


@contextlib.asynccontextmanager
async def in_background(*jobs: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs them beside the block and cancels them at its end.

    What one of them raises ends the block; that, or what the block raises, passes as it is.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(job) for job in jobs]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
