"""A stack whose orchestrator runs by role, as in production, and what its processes tell."""

import asyncio
import dataclasses
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

import grpc
import httpx
from prometheus_client.parser import text_string_to_metric_families

from sheaf.metadata.v1 import document_pb2, metadata_pb2, metadata_pb2_grpc
from sheaf_common.telemetry import catalogue
from sheaf_dev.bench.users import User, stack_with_users
from sheaf_dev.errors import DevError
from sheaf_dev.ports import HOST
from sheaf_dev.probes import local_channel
from sheaf_dev.services import SERVICES
from sheaf_dev.stack import Stack

DISPATCHER: Final = "orchestrator"
"""The instance that the gateway knows; the other roles are instances beside it."""
_CALL_S: Final = 5.0


@asynccontextmanager
async def stack_by_role(
    user: str, env: Mapping[str, str], roles: Mapping[str, str]
) -> AsyncIterator[tuple[Stack, User, "Watched"]]:
    """A fresh stack with a dispatcher, a workflow worker, and processes of `roles` by their names.

    `env` is given to every orchestrator process.

    Raises:
        DevError: it could not be started.
    """
    dispatcher = dataclasses.replace(SERVICES["orchestrator"], arguments=("--role", "dispatcher"))
    opening = stack_with_users(
        user,
        env_overrides={"orchestrator": env},
        table={**SERVICES, "orchestrator": dispatcher},
    )
    async with opening as (stack, (opened,)):
        async with asyncio.TaskGroup() as starting:
            for name, role in {"workflow": "workflow", **roles}.items():
                starting.create_task(_start(stack, name, role))
        async with Watched.over(stack) as watched:
            yield stack, opened, watched


async def _start(stack: Stack, name: str, role: str) -> None:
    await stack.start_process(name, service="orchestrator", args=("--role", role))


@dataclass(frozen=True, slots=True)
class Waiting:
    """The text lane's backlog at one moment."""

    documents: int
    oldest_s: float
    in_flight: int
    """Workflows that hold some."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Asks the processes of a stack for their figures."""

    stack: Stack
    http: httpx.AsyncClient
    metadata: Any

    @classmethod
    @asynccontextmanager
    async def over(cls, stack: Stack) -> AsyncIterator[Self]:
        """Connects."""
        async with (
            httpx.AsyncClient(trust_env=False, timeout=_CALL_S) as http,
            local_channel(stack.port("metadata")) as channel,
        ):
            yield cls(stack, http, metadata_pb2_grpc.MetadataServiceStub(channel))

    async def waiting(self) -> Waiting:
        """The text lane's backlog now. Raises DevError."""
        try:
            answer = await self.metadata.GetBacklog(
                metadata_pb2.GetBacklogRequest(),
                timeout=_CALL_S,
                metadata=(("authorization", f"Bearer {self.stack.env['GRPC_TOKEN']}"),),
            )
        except grpc.aio.AioRpcError as error:
            raise DevError(f"metadata does not tell its backlog: {error.details()}") from error
        for lane in answer.lanes:
            if lane.lane == document_pb2.LANE_TEXT:
                oldest_s = lane.oldest_age.ToTimedelta().total_seconds()
                return Waiting(lane.queued_documents, oldest_s, lane.workflows_in_flight)
        return Waiting(0, 0.0, 0)

    async def value(self, process: str, metric: catalogue.MetricSpec, **labels: str) -> float:
        """A gauge or counter of an orchestrator process; NaN if it has none with these labels.

        Raises DevError.
        """
        port = self.stack.port(process, "ORCHESTRATOR_METRICS_PORT")
        try:
            answer = await self.http.get(f"http://{HOST}:{port}/metrics")
            text = answer.raise_for_status().text
        except httpx.HTTPError as error:
            raise DevError(f"{process} does not tell its metrics: {error}") from error
        found = [
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == metric.name and labels.items() <= sample.labels.items()
        ]
        return sum(found) if found else math.nan
