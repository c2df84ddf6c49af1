"""Asks the peers' health services."""

import asyncio
from collections.abc import Mapping
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from sheaf_common.grpc.channel import Peer
from sheaf_common.grpc.health import DEPENDENCY_PREFIX
from sheaf_gateway.ports.health import Serving

_TIMEOUT_S: Final = 1.0


class GrpcHealthProbe:
    """The HealthProbe port: each peer itself, and the dependencies that it reports."""

    def __init__(self, storage: Peer, metadata: Peer, orchestrator: Peer) -> None:
        self._questions: dict[str, tuple[health_pb2_grpc.HealthStub, str]] = {}
        for peer, dependencies in (
            (storage, ("s3",)),
            (metadata, ("mysql", "redis")),
            (orchestrator, ("temporal",)),
        ):
            stub = health_pb2_grpc.HealthStub(peer.channel)
            self._questions[peer.name] = (stub, "")
            for name in dependencies:
                self._questions[name] = (stub, DEPENDENCY_PREFIX + name)

    async def ask(self) -> Mapping[str, Serving]:
        """See the port."""
        answers = await asyncio.gather(
            *(_serving(stub, service) for stub, service in self._questions.values())
        )
        return dict(zip(self._questions, answers, strict=True))


async def _serving(stub: health_pb2_grpc.HealthStub, service: str) -> Serving:
    request = health_pb2.HealthCheckRequest(service=service)
    try:
        answer = await stub.Check(request, timeout=_TIMEOUT_S)
    except grpc.aio.AioRpcError as error:
        slow = error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        return Serving.SILENT if slow else Serving.NO
    return Serving.YES if answer.status == health_pb2.HealthCheckResponse.SERVING else Serving.NO
