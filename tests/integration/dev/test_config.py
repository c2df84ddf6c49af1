"""Claims about `config`: what is in force, by variable name, run as a person runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sheaf_dev.stack import Stack

REQUIRED: Mapping[str, Mapping[str, Any]] = {
    "storage": {
        "S3_CLIENT_MODE": "pooled", "S3_POOL_SIZE": 20, "S3_MAX_POOL_CONNECTIONS": 10,
        "S3_CONNECT_TIMEOUT_S": 2.0, "S3_READ_TIMEOUT_S": 10.0, "S3_MAX_ATTEMPTS": 3,
    },
    "metadata": {
        "DB_POOL_MODE": "pooled", "DB_POOL_SIZE": 50, "DB_MAX_OVERFLOW": 100,
        "DB_POOL_TIMEOUT": 30.0, "DB_POOL_RECYCLE": 3600, "DB_POOL_PRE_PING": True,
        "DB_CONNECT_TIMEOUT_S": 5, "DB_READ_TIMEOUT_S": 30, "DB_STATEMENT_TIMEOUT_S": 10,
        "REDIS_CLIENT_MODE": "pooled", "REDIS_MAX_CONNECTIONS": 200, "REDIS_RETRY_ATTEMPTS": 2,
        "REDIS_SOCKET_TIMEOUT_S": 0.5, "REDIS_POOL_TIMEOUT_S": 0.5,
        "REDIS_HEALTH_CHECK_INTERVAL_S": 30,
    },
    "orchestrator": {
        "TEMPORAL_WORKER_PROFILE": "tuned", "TEMPORAL_MAX_CONCURRENT_WORKFLOW_TASKS": 50,
        "TEMPORAL_IO_MAX_CONCURRENT_ACTIVITIES": 50, "TEMPORAL_IO_THREADS": 100,
        "TEMPORAL_CPU_MAX_CONCURRENT_ACTIVITIES": 20, "TEMPORAL_CPU_THREADS": 20,
        "TEMPORAL_WORKFLOW_POLLERS_MAX": 20, "TEMPORAL_ACTIVITY_POLLERS_MAX": 20,
    },
    "gateway": {"UPLOAD_CONCURRENCY_MODE": "adaptive", "UPLOAD_CONCURRENCY_MAX": 50},
}  # fmt: skip
"""Requirements, "Numbers" and "Roll back": names and defaults."""


def config(state_dir: Path, *arguments: str, **variables: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `./sheaf config`."""
    known = {name for values in REQUIRED.values() for name in values}
    env = {name: value for name, value in os.environ.items() if name not in known}
    done = subprocess.run(
        [sys.executable, "-m", "sheaf_dev", "config", *arguments],
        env={**env, **variables, "SHEAF_STATE_DIR": str(state_dir)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def settings(state_dir: Path, **variables: str) -> dict[str, dict[str, dict[str, Any]]]:
    """By service and variable: the setting."""
    code, output, errors = config(state_dir, "--json", **variables)
    assert code == 0, errors
    return {
        service: {setting["name"]: setting for setting in answer["settings"]}
        for service, answer in json.loads(output).items()
    }


def test_every_required_number_is_in_force_by_default(tmp_path: Path) -> None:
    """Under its required name, in the service that needs it; and no secret is shown."""
    found = settings(tmp_path)

    for service, values in REQUIRED.items():
        shown = {name: found[service][name]["value"] for name in values}
        assert shown == values
        assert {found[service][name]["origin"] for name in values} == {"default"}
    printed = json.dumps(found)
    secrets = json.loads((tmp_path / "credentials.json").read_text())
    del secrets["s3_access_key_id"]  # names a key, opens nothing
    assert [name for name, secret in secrets.items() if secret in printed] == []


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    """Every variable at once, with exit code 1; nothing secret is shown."""
    code, _, errors = config(
        tmp_path, "metadata", DB_POOL_SIZE="many", REDIS_CLIENT_MODE="new", DB_POOL_TIMEOUT="0"
    )

    assert code == 1
    assert all(name in errors for name in ("DB_POOL_SIZE", "REDIS_CLIENT_MODE", "DB_POOL_TIMEOUT"))


async def test_a_running_service_says_what_it_was_started_with(
    small_stack: Callable[..., Stack], tmp_path: Path
) -> None:
    """Not what this shell would start it with."""
    required = {"GRPC_TOKEN": "t", "S3_BUCKET": "bucket"}
    async with small_stack("stack", S3_POOL_SIZE="7", **required):
        code, output, errors = config(
            tmp_path / "stack", "storage", "--json", S3_POOL_SIZE="9", **required
        )
    assert code == 0, errors
    (found,) = [
        each for each in json.loads(output)["storage"]["settings"] if each["name"] == "S3_POOL_SIZE"
    ]
    assert (found["value"], found["origin"]) == (7, "environment")
