"""The live workers by what their identities say: Temporal knows who polls a task queue."""

import os
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.enums.v1 import DescribeTaskQueueMode, TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeTaskQueueResponse
from temporalio.client import Client
from temporalio.service import RPCError

from sheaf_common.errors import Unavailable
from sheaf_orchestrator.domain import Lane
from sheaf_orchestrator.settings import TaskQueues

LIVE_S: Final = 75.0
"""A poll waits a minute at most before the next begins: who began none for longer is gone.
Temporal itself lists who has polled in the last five minutes. Seen with server 1.32."""
_RPC_TIMEOUT: Final = timedelta(seconds=5)
_TOLD: Final = re.compile(r" subprocesses=(\d{1,4})$")
_ACTIVITY: Final = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY


def worker_identity(subprocesses: int) -> str:
    """This process for Temporal, as the SDK names it, and how many subprocesses it has."""
    return f"{os.getpid()}@{socket.gethostname()} subprocesses={subprocesses}"


def live_subprocesses(pollers: Iterable[PollerInfo], now: datetime) -> int | None:
    """The sum over the workers that polled lately, each once; None if none of them told."""
    told = {
        poller.identity: int(found[1])
        for poller in pollers
        if (now - poller.last_access_time.ToDatetime(UTC)).total_seconds() <= LIVE_S
        and (found := _TOLD.search(poller.identity))
    }
    return sum(told.values()) if told else None


@dataclass(frozen=True, slots=True)
class TemporalCensus:
    """`WorkerCensus` by the pollers of the lanes' task queues."""

    client: Client
    queues: TaskQueues

    async def subprocesses(self, lane: Lane) -> int | None:
        """See `WorkerCensus`."""
        queue = self.queues.cpu if lane is Lane.TEXT else self.queues.ocr
        request = DescribeTaskQueueRequest(
            namespace=self.client.namespace,
            task_queue=TaskQueue(name=queue),
            # The plain mode asks one of a queue's partitions, and misses who polls the others.
            api_mode=DescribeTaskQueueMode.DESCRIBE_TASK_QUEUE_MODE_ENHANCED,
            task_queue_types=[_ACTIVITY],
            report_pollers=True,
        )
        try:
            answer = await self.client.workflow_service.describe_task_queue(
                request, timeout=_RPC_TIMEOUT
            )
        except RPCError as error:
            raise Unavailable("TEMPORAL_UNAVAILABLE", f"Temporal: {error.message}") from error
        return live_subprocesses(_pollers(answer), datetime.now(UTC))


def _pollers(answer: DescribeTaskQueueResponse) -> Iterable[PollerInfo]:
    for version in answer.versions_info.values():
        if _ACTIVITY in version.types_info:
            yield from version.types_info[_ACTIVITY].pollers
