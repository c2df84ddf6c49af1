"""The targets over HTTP: what each is read from, what is missing, who may ask, how often."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sheaf_common.errors import DeadlineExceeded, OverCapacity, Unavailable
from sheaf_common.telemetry import catalogue
from sheaf_common.telemetry.kpis import TARGETS
from sheaf_gateway.ports.measurements import Backlog
from sheaf_gateway.service.kpis import MAX_WINDOWS_ASKED, KpiService
from support.gateway import Gateway
from support.gateway_fakes.common import READ_ONLY_KEY
from support.gateway_fakes.services import FakeMeasurements
from support.measuring import ACCEPTED, Measured, everything_well

PATH = "/v1/ops/kpis"


async def read(gateway: Gateway, query: str = "") -> dict[str, Any]:
    """The answer, which must be one."""
    async with gateway.http() as http:
        answer = await http.get(PATH + query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def values(answer: dict[str, Any]) -> dict[str, float | None]:
    """Of each target."""
    return {kpi["name"]: kpi["value"] for kpi in answer["kpis"]}


async def test_every_target_has_its_value_and_verdict(gateway: Gateway) -> None:
    """Each from the service that measures it; recognition is not counted among text."""
    gateway.measurements.measured = everything_well()
    gateway.measurements.waiting = Backlog(
        queued_documents=96, group_max_documents=64, waiting_tasks=2
    )
    answer = await read(gateway)

    assert values(answer) == {
        "accept_p99_ms": pytest.approx(99.75),  # 99 % of the way from 75 to 100 ms
        "result_p99_ms": pytest.approx(747.5),
        "error_rate": 0,
        "pending_workflows": 3.5,
        "oldest_queued_s": 0.5,
        "activity_p99_ms": pytest.approx(149.5),
        "pool_s3_used": 0.25,
        "pool_db_used": 0.1,
        "pool_redis_used": 0.5,
    }
    assert [kpi["name"] for kpi in answer["kpis"]] == [target.name for target in TARGETS]
    assert set(answer) == {"window_s", "at", "ok", "kpis", "unavailable"}
    assert set(answer["kpis"][0]) == {"name", "text", "value", "threshold", "unit", "ok"}
    assert (answer["ok"], answer["unavailable"], answer["window_s"]) == (True, [], 60)
    assert all(kpi["ok"] for kpi in answer["kpis"])
    age = datetime.now(UTC) - datetime.fromisoformat(answer["at"])
    assert timedelta(0) <= age < timedelta(seconds=10)


async def test_a_missed_target_is_said(gateway: Gateway) -> None:
    """A value on the threshold misses it."""
    metadata = Measured()
    metadata.stands(catalogue.BACKLOG_OLDEST_SECONDS, 2, lane="text")
    gateway.measurements.measured = {"metadata": metadata.recent()}
    answer = await read(gateway)

    missed = [kpi["name"] for kpi in answer["kpis"] if kpi["ok"] is False]
    assert (missed, answer["ok"]) == (["oldest_queued_s"], False)


async def test_errors_are_what_the_service_failed_to_do(gateway: Gateway) -> None:
    """5xx and 429 of all requests; neither a client's own mistakes nor the watchers count."""
    own = Measured()
    for status, times in ((200, 90), (404, 6), (500, 1), (503, 1), (429, 2)):
        own.answered(status, times=times)
    for route in ("/livez", "/ht", "/metrics", PATH):
        own.answered(503, times=50, route=route)
    gateway.measurements.measured = {"gateway": own.recent()}

    assert values(await read(gateway))["error_rate"] == 0.04


async def test_only_uploads_that_were_accepted_are_timed(gateway: Gateway) -> None:
    """A refusal is quick, and a long poll waits on purpose."""
    own = Measured()
    own.took(catalogue.HTTP_REQUEST_SECONDS, 0.09, ACCEPTED)
    for other in ({"status": "429"}, {"method": "GET"}, {"route": "/v1/documents/{id}"}):
        own.took(catalogue.HTTP_REQUEST_SECONDS, 20, ACCEPTED | other, times=100)
    gateway.measurements.measured = {"gateway": own.recent()}

    assert values(await read(gateway))["accept_p99_ms"] == pytest.approx(99.75)


async def test_of_two_pools_of_redis_the_fuller_counts(gateway: Gateway) -> None:
    """The gateway has one of its own."""
    own = Measured()
    own.pool("redis", 180, 200)
    gateway.measurements.measured = everything_well() | {"gateway": own.recent()}

    assert values(await read(gateway))["pool_redis_used"] == 0.9


async def test_without_traffic_there_is_nothing_to_judge(gateway: Gateway) -> None:
    """No value is no miss."""
    answer = await read(gateway)

    assert values(answer).pop("pending_workflows") == 0
    assert {kpi["ok"] for kpi in answer["kpis"]} == {None, True}
    assert answer["ok"] is True


async def test_a_peer_that_does_not_answer_leaves_its_targets_open(gateway: Gateway) -> None:
    """They are null, it is named, and all others are there."""
    gateway.measurements.measured = everything_well()
    gateway.measurements.errors = {
        "orchestrator": Unavailable("PEER_UNAVAILABLE", "orchestrator: no connection"),
        "backlog": DeadlineExceeded("CALL_TIMEOUT", "orchestrator: too slow"),
    }
    answer = await read(gateway)

    unknown = {kpi["name"] for kpi in answer["kpis"] if kpi["value"] is None}
    assert unknown == {"activity_p99_ms", "pending_workflows"}
    assert all(kpi["ok"] is None for kpi in answer["kpis"] if kpi["name"] in unknown)
    assert answer["unavailable"] == [
        {"part": "orchestrator", "reason": "PEER_UNAVAILABLE",
         "detail": "orchestrator: no connection"},
        {"part": "backlog", "reason": "CALL_TIMEOUT", "detail": "orchestrator: too slow"},
    ]  # fmt: skip
    assert answer["ok"] is None


@pytest.mark.parametrize("window", ["9", "301", "soon", ""])
async def test_a_window_that_cannot_be_is_named(gateway: Gateway, window: str) -> None:
    """From 10 s to 300 s, in whole seconds."""
    async with gateway.http() as http:
        answer = await http.get(PATH, params={"window": window})

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (400, "PARAMETER_INVALID")
    assert [error["parameter"] for error in problem["errors"]] == ["window"]
    assert gateway.measurements.asked == []


async def test_the_window_is_that_of_every_service(gateway: Gateway) -> None:
    """A minute, unless another is asked for."""
    answer = await read(gateway, "?window=300")

    assert answer["window_s"] == 300
    assert gateway.measurements.asked == [
        (service, 300) for service in ("gateway", "storage", "metadata", "orchestrator")
    ]


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [(READ_ONLY_KEY, 403, "SCOPE_MISSING"), (None, 401, "API_KEY_MISSING")],
)
async def test_a_key_needs_the_scope(
    gateway: Gateway, key: str | None, status: int, code: str
) -> None:
    """That of documents is another; nothing is asked for such a key."""
    async with gateway.http(key) as http:
        answer = await http.get(PATH)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json().get("scope") in {"ops", None}
    assert gateway.measurements.asked == []


class Clock:
    """A clock that pauses move on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.pauses: list[float] = []
        monkeypatch.setattr("sheaf_gateway.service.kpis.asyncio.sleep", self._pause)

    def __call__(self) -> float:
        """The time, in seconds."""
        return self.now

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """In the service's place."""
    return Clock(monkeypatch)


async def test_many_who_ask_at_once_share_one_answer(clock: Clock) -> None:
    """For a second; then it is asked anew."""
    measurements = FakeMeasurements()
    kpis = KpiService(measurements.own, measurements, clock)
    reports = await asyncio.gather(*(kpis.report(60) for _ in range(50)))
    clock.now += 0.9
    reports.append(await kpis.report(60))
    assert len({id(report) for report in reports}) == 1
    assert measurements.asked.count(("gateway", 60)) == 1

    clock.now += 0.2
    assert await kpis.report(60) is not reports[0]
    assert measurements.asked.count(("gateway", 60)) == 2


async def test_another_window_waits_for_its_turn(clock: Clock) -> None:
    """One collection begins a second, whatever is asked."""
    measurements = FakeMeasurements()
    kpis = KpiService(measurements.own, measurements, clock)
    await kpis.report(60)
    clock.now += 0.25
    report = await kpis.report(120)

    assert report.window_s == 120
    assert [pause for pause in clock.pauses if pause] == [0.75]


async def test_no_crowd_of_windows_waits() -> None:
    """The next one is refused, and told when to come back."""
    measurements = FakeMeasurements(hold=asyncio.Event())
    kpis = KpiService(measurements.own, measurements)
    waiting = [asyncio.create_task(kpis.report(60 + n)) for n in range(MAX_WINDOWS_ASKED)]
    await asyncio.sleep(0)
    with pytest.raises(OverCapacity) as refused:
        await kpis.report(200)
    await kpis.close()
    await asyncio.wait(waiting)

    assert (refused.value.reason, refused.value.retry_after_s) == ("KPIS_BUSY", 5)
    assert all(task.cancelled() for task in waiting)


async def test_who_leaves_takes_the_answer_from_nobody() -> None:
    """A dashboard that was closed does not end what another waits for."""
    measurements = FakeMeasurements(hold=asyncio.Event())
    kpis = KpiService(measurements.own, measurements)
    leaving, staying = (asyncio.create_task(kpis.report(60)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    assert measurements.hold is not None
    measurements.hold.set()

    assert (await asyncio.wait_for(staying, 5)).window_s == 60
