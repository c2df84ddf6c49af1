"""Health: dependency by dependency, cheap, never behind the work."""

import asyncio

import pytest

from sheaf_gateway.ports.health import Serving
from sheaf_gateway.service.health import REQUIRED, HealthService
from support.gateway import MULTIPART, Gateway, build_gateway
from support.gateway_fakes.services import FakeProbe


class Clock:
    """A time that tests set."""

    now = 100.0

    def __call__(self) -> float:
        """The time that is set."""
        return self.now


async def test_all_well(gateway: Gateway) -> None:
    """Every dependency by name."""
    async with gateway.http(key=None) as http:
        answer = await http.get("/ht/")

    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert set(answer.json()["dependencies"]) == {
        "storage", "s3", "metadata", "mysql", "redis", "orchestrator", "temporal",
    }  # fmt: skip


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("said", [Serving.NO, Serving.SILENT])
async def test_without_what_intake_needs_it_is_unavailable(
    gateway: Gateway, name: str, said: Serving
) -> None:
    """503."""
    gateway.probe.said[name] = said
    async with gateway.http(key=None) as http:
        answer = await http.get("/ht/")

    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert answer.json()["dependencies"][name] == {"status": said.value, "required": True}


@pytest.mark.parametrize("name", ["redis", "orchestrator", "temporal"])
async def test_without_the_rest_it_is_degraded(gateway: Gateway, name: str) -> None:
    """Still 200: documents are taken."""
    gateway.probe.said[name] = Serving.NO
    async with gateway.http(key=None) as http:
        answer = await http.get("/ht/")

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


async def test_the_dependencies_are_asked_once_a_second_at_most() -> None:
    """However many want to know."""
    probe, clock = FakeProbe(), Clock()
    health = HealthService(probe, clock)
    await asyncio.gather(*(health.report() for _ in range(100)))
    clock.now += 0.9
    await health.report()
    asked_within_a_second = probe.asked
    clock.now += 0.2
    await health.report()

    assert (asked_within_a_second, probe.asked) == (1, 2)


async def test_what_was_down_long_ago_is_not_known_to_be_down() -> None:
    """A gateway that has not asked for a while lets an upload try."""
    probe, clock = FakeProbe(), Clock()
    probe.said["storage"] = Serving.NO
    health = HealthService(probe, clock)
    await health.report()
    known = health.known_down()
    clock.now += 10

    assert (known, health.known_down()) == ("storage", None)
    await health.close()


async def test_health_and_life_are_answered_when_uploads_are_not() -> None:
    """Outside the admission limits."""
    gateway = build_gateway(max_uploads=0)
    async with gateway.http() as http:
        statuses = [(await http.get(path)).status_code for path in ("/ht/", "/livez", "/metrics")]
    call = gateway.call("POST", "/v1/documents", content_type=MULTIPART)
    await call.task

    assert (statuses, call.status) == ([200, 200, 200], 429)
