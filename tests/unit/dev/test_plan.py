"""Claims about what a stack consists of: command lines, variables, addresses."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sheaf_dev import ports
from sheaf_dev.embedded import SERVERS, mariadb_install
from sheaf_dev.layout import Layout
from sheaf_dev.plan import Options, Plan
from sheaf_dev.services import SERVICES

PATH = {"PATH": "/usr/bin:/bin"}


@pytest.fixture(autouse=True)
def all_ports_free(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No port is in use, no other stack is about, MariaDB is installed."""
    monkeypatch.setattr(ports, "is_free", lambda _: True)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    programs = mariadb_install.Programs(Path("/sbin/mariadbd"), Path("/bin/mariadb-install-db"))
    monkeypatch.setattr(mariadb_install, "find", lambda: programs)


@pytest.fixture
def make_plan(tmp_path: Path) -> Iterator[Any]:
    """Makes a plan of everything, but for what is said otherwise."""
    made: list[Plan] = []

    def make(**changes: Any) -> Plan:
        wanted = {
            "services": tuple(SERVICES),
            "servers": tuple(SERVERS),
            "external": (),
            "env_overrides": {},
            "environ": PATH,
            **changes,
        }
        plan = Plan(Layout(tmp_path / "stack"), Options(**wanted))
        made.append(plan)
        return plan

    yield make
    for plan in made:
        plan.close()


@pytest.mark.parametrize("name", SERVERS)
def test_every_server_listens_on_loopback_only(make_plan: Any, name: str) -> None:
    """No command line names another address."""
    command = " ".join(make_plan().instances[name].command())
    assert "127.0.0.1" in command
    assert "0.0.0.0" not in command  # noqa: S104 - the claim


def test_mariadb_syncs_every_commit(make_plan: Any) -> None:
    """An accepted document survives a power cut."""
    command = make_plan().instances["mariadb"].command()
    assert "--innodb-flush-log-at-trx-commit=1" in command


def test_temporal_runs_with_the_settings_that_make_it_fast(make_plan: Any) -> None:
    """Its defaults are many times slower."""
    command = make_plan().instances["temporal"].command()
    assert {"journal_mode=wal", "synchronous=normal"} <= set(command)
    assert "history.transferProcessorMaxPollRPS=1000" in command


def test_the_object_store_never_sees_the_users_keys(make_plan: Any) -> None:
    """It would take AWS variables as its own."""
    plan = make_plan(environ={**PATH, "AWS_ACCESS_KEY_ID": "mine", "AWS_PROFILE": "work"})
    env = plan.environment_of("seaweedfs", {})
    assert not [name for name in env if name.startswith("AWS_")]


def test_a_service_gets_every_variable_that_it_needs(make_plan: Any) -> None:
    """The gateway: where it listens, where the others are, the shared token."""
    env = make_plan().environment_of("gateway", {})
    expected = {
        "GATEWAY_HOST": "127.0.0.1",
        "GATEWAY_PORT": "8000",
        "STORAGE_ADDRESS": "127.0.0.1:50051",
        "METADATA_ADDRESS": "127.0.0.1:50052",
        "ORCHESTRATOR_ADDRESS": "127.0.0.1:50053",
        "SHEAF_URL": "http://127.0.0.1:8000",
        "LOG_FORMAT": "json",
    }
    assert {name: env.get(name) for name in expected} == expected
    assert len(env["GRPC_TOKEN"]) == 43


@pytest.mark.parametrize("environ", [{}, {"DOCUMENT_PASSWORD_KEYS": "mine"}])
def test_who_keeps_sealed_passwords_has_no_key(make_plan: Any, environ: dict[str, str]) -> None:
    """Gateway and orchestrator have the same; so has `.sheaf/env`, for one run by hand."""
    plan = make_plan(environ={**PATH, **environ})
    keys = plan.env["DOCUMENT_PASSWORD_KEYS"]
    found = {name: plan.environment_of(name, {}).get("DOCUMENT_PASSWORD_KEYS") for name in SERVICES}

    assert len(base64.b64decode(keys, validate=True)) == 32
    assert found == {"storage": None, "metadata": None, "orchestrator": keys, "gateway": keys}


def test_every_service_listens_on_loopback(make_plan: Any) -> None:
    """Also where a service's own default is every address."""
    env = make_plan().env
    assert {env[f"{name}_HOST"] for name in ("STORAGE", "METADATA", "GATEWAY")} == {"127.0.0.1"}


def test_a_users_server_replaces_the_embedded_one(make_plan: Any) -> None:
    """It is not started, and services find the user's."""
    plan = make_plan(environ={**PATH, "DATABASE_URL": "mysql://me@db.example/sheaf"})
    assert "mariadb" not in plan.instances
    assert plan.env["DATABASE_URL"] == "mysql://me@db.example/sheaf"


def test_a_users_object_store_comes_with_the_users_keys(make_plan: Any) -> None:
    """And never with generated ones."""
    user = {
        "S3_ENDPOINT_URL": "https://s3.example",
        "S3_BUCKET": "mine",
        "S3_ACCESS_KEY_ID": "id",
        "S3_SECRET_ACCESS_KEY": "secret",
    }
    env = make_plan(environ={**PATH, **user}).env
    found = {name: value for name, value in env.items() if name.startswith("S3_")}
    assert found == {**user, "S3_REGION": "us-east-1"}


def test_a_service_run_by_hand_has_an_address(make_plan: Any) -> None:
    """Others find it there, and it is not started."""
    services = tuple(name for name in SERVICES if name != "storage")
    plan = make_plan(services=services, external=("storage",))
    assert "storage" not in plan.instances
    assert plan.env["STORAGE_ADDRESS"] == "127.0.0.1:50051"
    assert plan.env["STORAGE_PORT"] == "50051"


def test_another_instance_has_ports_of_its_own(make_plan: Any) -> None:
    """A second dispatcher runs beside the first orchestrator."""
    plan = make_plan()
    plan.add("dispatcher-2", "orchestrator", ["--role", "dispatcher"])
    first, second = plan.ports("orchestrator"), plan.ports("dispatcher-2")
    assert set(first.values()).isdisjoint(second.values())
    assert plan.instances["dispatcher-2"].command()[-2:] == ["--role", "dispatcher"]
    env = plan.environment_of("dispatcher-2", {})
    assert env["ORCHESTRATOR_PORT"] == str(second["ORCHESTRATOR_PORT"])
    assert env["ORCHESTRATOR_ADDRESS"] == f"127.0.0.1:{first['ORCHESTRATOR_PORT']}"


def test_fail_points_reach_only_whom_they_are_given_to(make_plan: Any) -> None:
    """One in the caller's environment goes nowhere."""
    plan = make_plan(environ={**PATH, "SHEAF_FAILPOINTS": "x"})
    assert "SHEAF_FAILPOINTS" not in plan.environment_of("storage", {})
    given = plan.environment_of("storage", {"SHEAF_FAILPOINTS": "y"})
    assert given["SHEAF_FAILPOINTS"] == "y"


def test_secrets_survive_a_restart(make_plan: Any) -> None:
    """The API key that was handed out goes on working."""
    first = make_plan(services=("gateway",), servers=())
    first.close()
    second = make_plan(services=("gateway",), servers=())
    assert first.env["SHEAF_API_KEY"] == second.env["SHEAF_API_KEY"]
    assert second.env["SHEAF_API_KEY"].startswith("sk_")
    assert len(second.env["SHEAF_API_KEY"]) == 46


def test_what_goes_to_loopback_passes_no_proxy(make_plan: Any) -> None:
    """Whatever proxy the user has."""
    plan = make_plan(environ={**PATH, "HTTPS_PROXY": "http://p", "NO_PROXY": "intern"})
    assert plan.environment_of("storage", {})["NO_PROXY"] == "intern,127.0.0.1,localhost"
