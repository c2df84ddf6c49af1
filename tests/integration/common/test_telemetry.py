"""Every gRPC server tells what its process measured lately."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from pydantic import SecretStr

from sheaf_common.errors import InvalidInput, Unauthenticated
from sheaf_common.grpc.channel import Peer, grpc_peer
from sheaf_common.grpc.health import is_serving
from sheaf_common.grpc.server import grpc_server
from sheaf_common.grpc.settings import GrpcSettings
from sheaf_common.grpc.telemetry import SERVICE_NAME, _decoded, _encoded, ask_recent
from sheaf_common.telemetry import catalogue
from sheaf_common.telemetry.measured import CounterIncrease, GaugeRange, HistogramIncrease, Recent
from sheaf_common.telemetry.pools import pool_metrics

SETTINGS = GrpcSettings.model_construct(token=SecretStr("secret"), max_call_s=30.0)


@dataclass
class Pool:
    """A pool of connections."""

    size: int
    open: int = 0
    used: int = 0
    used_max: int = 0
    waiting: int = 0


@asynccontextmanager
async def serving(caller: GrpcSettings = SETTINGS) -> AsyncIterator[Peer]:
    """A server without any servicer of its own, and a caller of it."""
    async with (
        grpc_server("127.0.0.1", 0, SETTINGS) as server,
        grpc_peer("peer", f"127.0.0.1:{server.port}", caller) as peer,
    ):
        yield peer


async def test_a_server_tells_what_its_process_measures() -> None:
    """As it is at the moment of the question."""
    async with serving() as peer:
        with pool_metrics("telemetry-test", Pool(size=7)):
            open_now = await ask_recent(peer, 60, timeout_s=5)
        closed = await ask_recent(peer, 60, timeout_s=5)

    name = catalogue.POOL_SIZE.name
    assert open_now.gauge(name, pool="telemetry-test") == GaugeRange(
        name, {"pool": "telemetry-test"}, 7, 7
    )
    assert closed.gauge(name, pool="telemetry-test") is None
    assert 0 < open_now.window_s < 5


async def test_it_is_served_as_everything_else_is() -> None:
    """Listed by reflection, healthy by name, for callers with the token alone."""
    async with serving() as peer:
        stub = reflection_pb2_grpc.ServerReflectionStub(peer.channel)
        asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        listed = [answer async for answer in stub.ServerReflectionInfo(asked)]
        healthy = await is_serving(peer, SERVICE_NAME)
    names = {each.name for answer in listed for each in answer.list_services_response.service}

    assert SERVICE_NAME in names
    assert healthy
    async with serving(GrpcSettings.model_construct(token=SecretStr("another"))) as peer:
        with pytest.raises(Unauthenticated):
            await ask_recent(peer, 60, timeout_s=5)


@pytest.mark.parametrize("window_s", [0.5, 301])
async def test_another_window_is_refused(window_s: float) -> None:
    """By name."""
    async with serving() as peer:
        with pytest.raises(InvalidInput) as refused:
            await ask_recent(peer, window_s, timeout_s=5)
    assert (refused.value.reason, refused.value.evidence["field"]) == ("WINDOW_INVALID", "window")


def test_nothing_is_lost_on_the_way() -> None:
    """Counters, histograms and gauges, with their labels."""
    recent = Recent(
        59.5,
        [CounterIncrease("c", {"a": "1"}, 2.5)],
        [HistogramIncrease("h", {"a": "1", "b": "2"}, (0.5, 1.0), (1.0, 0.0, 2.0), 7.25)],
        [GaugeRange("g", {}, 1.0, 3.0)],
    )
    assert _decoded(_encoded(recent)) == recent
