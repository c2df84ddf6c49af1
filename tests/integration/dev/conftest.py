"""Small stacks for the tests of the stack itself."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from sheaf_dev.services import Service
from sheaf_dev.stack import Stack

TABLE = {"storage": Service("storage", "fake_service", {"STORAGE_PORT": 50051}, ("valkey",))}


def eventually(condition: Callable[[], Any], within_s: float = 20.0) -> Any:
    """What `condition` answers as soon as that is true; fails if it is not in time."""
    deadline = time.monotonic() + within_s
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    """Whether no process has this id, or only one that waits to be reaped."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def small_stack(tmp_path: Path) -> Callable[..., Stack]:
    """Makes a stack of Valkey and one fake service; `env` is the service's."""

    def make(folder: str = "stack", **env: str) -> Stack:
        path = {"PYTHONPATH": str(Path(__file__).parent)}
        return Stack.private(
            tmp_path / folder,
            servers=("valkey",),
            services=("storage",),
            env_overrides={"storage": {**path, **env}},
            table=TABLE,
        )

    return make
