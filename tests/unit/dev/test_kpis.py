"""`./sheaf kpis` over the real gateway in process."""

import json
from typing import Any

import httpx
import pytest

from sheaf_client import AsyncClient
from sheaf_common.errors import Unavailable
from sheaf_common.telemetry import catalogue
from sheaf_common.telemetry.kpis import TARGETS
from sheaf_dev import cli
from sheaf_dev.cli import kpis
from support.gateway import Gateway, build_gateway
from support.gateway_fakes.common import KEY, READ_ONLY_KEY
from support.measuring import Measured, everything_well


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """The gateway that the command reaches, of a system that is well."""
    gateway = build_gateway()
    gateway.measurements.measured = everything_well()

    def client(url: str, key: str) -> AsyncClient:
        transport = httpx.ASGITransport(gateway.app)  # type: ignore[arg-type]
        return AsyncClient(url, key, transport=transport, max_tries=1)

    monkeypatch.setattr(kpis, "AsyncClient", client)
    monkeypatch.setenv("SHEAF_URL", "http://gateway")
    monkeypatch.setenv("SHEAF_API_KEY", KEY)
    return gateway


def objects(output: str) -> list[dict[str, Any]]:
    """The JSON objects that were printed, one a line, among the gateway's own log."""
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def test_all_met_is_success(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    """Each target is a line with its value, its threshold and the verdict."""
    assert cli.run(["kpis"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [sum(target.text in line for line in lines) for target in TARGETS] == [1] * len(TARGETS)
    (pool,) = [line for line in lines if "most of the database pool" in line]
    assert pool.split()[-5:] == ["10.0", "%", "80.0", "%", "met"]


def test_a_missed_target_is_a_failure(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    """What was not measured is none."""
    metadata = Measured()
    metadata.stands(catalogue.BACKLOG_OLDEST_SECONDS, 7, lane="text")
    gateway.measurements.measured = {"metadata": metadata.recent()}
    assert cli.run(["kpis", "--window", "30"]) == 1

    lines = capsys.readouterr().out.splitlines()
    (oldest,) = [line for line in lines if "oldest" in line]
    assert oldest.split()[-5:] == ["7.0", "s", "2.0", "s", "missed"]
    assert sum(line.endswith("no data") for line in lines) == 7
    assert any("over the last 30 s" in line for line in lines)

    gateway.measurements.measured = {}
    assert cli.run(["kpis", "--window", "31"]) == 0


def test_a_silent_part_is_named(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    """That all is met cannot be said then."""
    gateway.measurements.errors["storage"] = Unavailable("PEER_UNAVAILABLE", "storage is away")
    assert cli.run(["kpis"]) == 1

    assert "storage did not answer: PEER_UNAVAILABLE" in capsys.readouterr().out


def test_programs_get_what_the_api_says(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    """One JSON object."""
    assert cli.run(["kpis", "--json"]) == 0

    (report,) = objects(capsys.readouterr().out)
    assert set(report) == {"window_s", "at", "ok", "kpis", "unavailable"}
    assert [kpi["name"] for kpi in report["kpis"]] == [target.name for target in TARGETS]


def test_watching_goes_on_until_it_is_interrupted(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every 2 s."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if pauses.count(2) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("sheaf_dev.cli.kpis.asyncio.sleep", pause)
    with pytest.raises(SystemExit) as ended:
        cli.run(["kpis", "--watch", "--json"])

    assert ended.value.code == 130
    assert len(objects(capsys.readouterr().out)) == 3


@pytest.mark.parametrize(
    ("arguments", "key", "code", "said"),
    [
        (["--window", "9"], KEY, 2, "window"),
        ([], READ_ONLY_KEY, 1, "scope `ops`"),
        ([], "sk_unknown_0123456789", 1, "API_KEY_UNKNOWN"),
    ],
)
def test_what_cannot_be_is_one_line(
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    key: str,
    code: int,
    said: str,
) -> None:
    """On standard error, with what to do."""
    monkeypatch.setenv("SHEAF_API_KEY", key)
    assert cli.run(["kpis", *arguments]) == code

    assert said in capsys.readouterr().err
