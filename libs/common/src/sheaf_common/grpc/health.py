"""Keeps a server's health service true: asks each dependency and publishes the answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer

from sheaf_common.grpc.channel import Peer

log = structlog.get_logger()

DEPENDENCY_PREFIX: Final = "dependency/"
_INTERVAL_S: Final = 2.0
_PROBE_TIMEOUT_S: Final = 2.0

Probe = Callable[[], Awaitable[None]]
"""Returns if the dependency answers; raises otherwise."""


async def publish_dependency_health(health: HealthServicer, probes: Mapping[str, Probe]) -> None:
    """Asks every dependency each 2 s, for ever; publishes `dependency/NAME` on a change."""
    known: dict[str, bool] = {}
    while True:
        answers = await asyncio.gather(*(_answers(name, probe) for name, probe in probes.items()))
        for name, healthy in zip(probes, answers, strict=True):
            if known.get(name) is not healthy:
                known[name] = healthy
                status = health_pb2.HealthCheckResponse
                await health.set(
                    DEPENDENCY_PREFIX + name, status.SERVING if healthy else status.NOT_SERVING
                )
                log.info("dependency health changed", dependency=name, healthy=healthy)
        await asyncio.sleep(_INTERVAL_S)


async def _answers(name: str, probe: Probe) -> bool:
    try:
        async with asyncio.timeout(_PROBE_TIMEOUT_S):
            await probe()
    except Exception as error:  # noqa: BLE001 - whatever it is, the dependency does not answer
        log.debug("dependency does not answer", dependency=name, error=str(error))
        return False
    return True


async def is_serving(peer: Peer, service: str = "", *, timeout_s: float = 1.0) -> bool:
    """Whether a peer's health service says SERVING for `service`; no answer means no."""
    stub = health_pb2_grpc.HealthStub(peer.channel)
    try:
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=timeout_s)
    except grpc.aio.AioRpcError:
        return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
