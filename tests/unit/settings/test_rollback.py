"""The roll-back switches: each puts its own component back, alone, whatever else is set."""

from collections.abc import Mapping
from typing import Any

import pytest

from sheaf_common.settings import describe, load
from sheaf_gateway.settings import GatewaySettings
from sheaf_metadata.settings import MetadataSettings
from sheaf_orchestrator.settings import OrchestratorSettings
from sheaf_storage.settings import StorageSettings

SERVICES: Mapping[str, type] = {
    "storage": StorageSettings,
    "metadata": MetadataSettings,
    "orchestrator": OrchestratorSettings,
    "gateway": GatewaySettings,
}
NEEDED = {
    "GRPC_TOKEN": "t",
    "S3_BUCKET": "bucket",
    "DATABASE_URL": "mysql://u:p@db:3306/sheaf",
    "REDIS_URL": "redis://cache:6379/0",
}

TUNED = {"DB_POOL_PRE_PING": "true", "TEMPORAL_CPU_SLOTS": "resource"}
"""What is no number and set before the switch is thrown."""
ROLLED_BACK: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "TEMPORAL_WORKER_PROFILE": (
        "orchestrator",
        "baseline",
        {
            "TEMPORAL_MAX_CONCURRENT_WORKFLOW_TASKS": 5,
            "TEMPORAL_IO_MAX_CONCURRENT_ACTIVITIES": 5,
            "TEMPORAL_IO_THREADS": 30,
            "TEMPORAL_CPU_MAX_CONCURRENT_ACTIVITIES": 4,
            "TEMPORAL_CPU_THREADS": 10,
            "TEMPORAL_CPU_SLOTS": "fixed",
            "TEMPORAL_WORKFLOW_POLLERS_MAX": 5,
            "TEMPORAL_ACTIVITY_POLLERS_MAX": 5,
        },
    ),
    "S3_CLIENT_MODE": ("storage", "per_call", {}),
    "DB_POOL_MODE": (
        "metadata",
        "baseline",
        {"DB_POOL_SIZE": 5, "DB_MAX_OVERFLOW": 0, "DB_POOL_PRE_PING": False},
    ),
    "REDIS_CLIENT_MODE": ("metadata gateway", "per_call", {"REDIS_MAX_CONNECTIONS": 100}),
    "UPLOAD_CONCURRENCY_MODE": ("gateway", "fixed", {"UPLOAD_CONCURRENCY_MAX": 8}),
}
"""By switch: whose it is, thrown how, and what is then in force."""


def in_force() -> dict[tuple[str, str], tuple[Any, str]]:
    """By service and variable: value and origin."""
    return {
        (service, setting.name): (setting.value, setting.origin)
        for service, settings_class in SERVICES.items()
        for setting in describe(load(settings_class))
    }


@pytest.mark.parametrize("switch", ROLLED_BACK)
def test_one_variable_puts_one_component_back(monkeypatch: pytest.MonkeyPatch, switch: str) -> None:
    """What it covers has the values of before; everything else, in every service, stays."""
    services, thrown, values = ROLLED_BACK[switch]
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    for name in values:
        monkeypatch.setenv(name, TUNED.get(name, "77"))
    before = in_force()

    monkeypatch.setenv(switch, thrown)
    after = in_force()

    changed = {key: value for key, value in after.items() if value[0] != before[key][0]}
    expected = {
        (service, name): (value, "roll-back")
        for service in services.split()
        for name, value in values.items()
    }
    switches = {(service, switch): (thrown, "environment") for service in services.split()}
    assert changed == {**switches, **expected}
